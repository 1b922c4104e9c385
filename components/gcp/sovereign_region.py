"""A whole sovereign region in Google Cloud, from its specification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

import catalog
from components import graph
from components.addresses import Segment
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.gcp.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.gcp.audit_log import AuditLog, AuditLogArgs
from components.gcp.collateral_cache import CollateralCache, CollateralCacheArgs
from components.gcp.confidential_cluster import ConfidentialCluster, ConfidentialClusterArgs
from components.gcp.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.gcp.confidential_vm_group import ConfidentialVmGroup, ConfidentialVmGroupArgs
from components.gcp.dependencies import Endpoints, dependencies
from components.gcp.key_vault import KeyVault, KeyVaultArgs
from components.gcp.model_store import CONTAINER, ModelStore, ModelStoreArgs
from components.gcp.placement import Placement
from components.gcp.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.gcp.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.gcp.workload_identity import READ_OBJECTS, Grant, WorkloadIdentity, WorkloadIdentityArgs
from components.gpu_pool import gpu_pool_of
from components.guest_configuration import HOST
from components.region import Outline, tags_of
from components.region_outputs import Exported, region_outputs
from components.release_plan import ImagePlan
from components.spec import ClusterSpec, MachineSpec, RegionSpec, VerifierSpec
from components.spec.accounts import EMULATED_PROJECT_NUMBER

TYPE = "bailiwick:index:GcpSovereignRegion"
_AGENTS = {
    "compute": "serviceAccount:service-{number}@compute-system.iam.gserviceaccount.com",
    "container": "serviceAccount:service-{number}@container-engine-robot.iam.gserviceaccount.com",
}
"""Google's own service accounts in a project that encrypt machines' disks, and clusters' secrets and disks."""


@dataclass(frozen=True, slots=True)
class SovereignRegionArgs(ComponentArgs):
    """Inputs of `SovereignRegion`."""

    spec: RegionSpec
    """What the stack file says."""
    reference_values: Path
    """Directory with the reference values of the images and the build's public keys."""
    project_number: str | None = None
    """Number of the project. A region in Google Cloud needs it: Google's service agents, which encrypt disks with the
    region's key, are named by it. None takes that of the emulated project."""
    audit_retention_locked: bool = False
    """Make the audit log's retention irreversible (see `AuditLogArgs`)."""
    adopt_keys: bool = False
    """Take over the key ring and the keys that an earlier deployment left (see `KeyVaultArgs`)."""


class SovereignRegion(Component):
    """`bailiwick:index:GcpSovereignRegion`: everything that one sovereign region is, and the proof of where it is.

    Creates in the project a network without Internet, a write-once audit log, a key ring in the HSM, a store for
    encrypted models, a cache of the vendors' collateral, the verifier with its broker, the confidential VMs, groups and
    clusters of the specification, each with an identity of its own, and organization policies that go on guarding
    the project.

    Guarantees: what the parts guarantee; every guest image in use has reference values; every dependency is in the
    jurisdiction graph; nothing is registered when content, keys or evidence would leave the jurisdiction. Control data
    (names, roles, settings) goes to Google's worldwide control plane whatever one does; the graph says so
    (`edgesLeaving`), and also whose law reaches each operator (`foreignReach`).

    A specification without verifier and machines makes a region of keys and log, for a place where the catalogue knows
    no confidential machine: no key can be released there, and the outputs say what it lacks.

    Does not: publish images or models, fill the collateral cache, or create the project and switch its services on.
    Keys and audit stores are protected from deletion unless the region is emulated, where nothing is lost with them.
    """

    dependencies: list[graph.Dependency]
    """The jurisdiction graph, known before anything exists."""
    outputs: Mapping[str, Any]
    """What the stack exports: for the command line, the evidence and the policies."""

    def __init__(self, name: str, args: SovereignRegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(args)
        self._args = args
        self._spec = args.spec
        self._outline = Outline.in_private_domain(name, args.spec, args.reference_values)
        self._placement = Placement(
            stack=name,
            project_id=args.spec.project_id,
            location=args.spec.location,
            tags=tags_of(name, args.spec),
            cloud=args.spec.cloud,
        )
        self.dependencies = dependencies(self._endpoints())
        graph.refuse_leaving(TYPE, self.dependencies, args.spec.jurisdiction)
        images = self._outline.plan()
        super().__init__(TYPE, name, args, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.outputs = self._build(images)
        self.register_outputs(dict(self.outputs))

    def _build(self, images: ImagePlan) -> dict[str, Any]:
        spec, name, child, placement = self._spec, self._outline.stack, self._child, self._placement
        net = SovereignNetwork(
            f"{name}-network",
            SovereignNetworkArgs(
                placement=placement,
                address_space=spec.network.address_space,
                domain=self._outline.domain,
                clusters=[cluster.name for cluster in spec.clusters],
            ),
            opts=child,
        )
        audit = AuditLog(
            f"{name}-audit",
            AuditLogArgs(
                placement=placement,
                retention_days=spec.audit.retention_days,
                retention_locked=self._args.audit_retention_locked,
                destroyable=spec.emulated,
            ),
            opts=child,
        )
        # Audit first: it records every use of a key, and the keys come into use with the first machine.
        vault = KeyVault(
            f"{name}-keys",
            KeyVaultArgs(
                placement=placement,
                service=spec.keys.service,
                soft_delete_days=spec.keys.soft_delete_days,
                rotation_days=spec.keys.rotation_days,
                model_keys=tuple(images.models),
                disk_agents=self._agents(),
                external_manager=spec.keys.external_manager,
                adopt=self._args.adopt_keys,
                destroyable_keys=spec.emulated,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[audit]),
        )
        models = ModelStore(f"{name}-models", ModelStoreArgs(placement=placement), opts=child)
        verifier = self._verifier(spec.verifier, images, net, vault) if spec.verifier else None
        # A guest asks for its key and its model as soon as it boots, so that verifier and store are there first.
        before = [net, *([verifier] if verifier else []), models]
        machines = {machine.name: self._machine(machine, net, vault, models, before) for machine in spec.machines}
        clusters = {cluster.name: self._cluster(cluster, net, vault) for cluster in spec.clusters}
        if spec.residency_guard:
            ResidencyGuard(f"{name}-guard", ResidencyGuardArgs(placement=placement), opts=child)
        return region_outputs(
            spec,
            self.dependencies,
            own={"project": spec.project_id},
            verifier_url=self._outline.verifier_url,
            verifier_machines=[
                Exported(machine.id, machine.machine_name) for machine in (verifier.machines if verifier else ())
            ],
            vault_uri=vault.uri,
            model_key_ids=vault.model_key_ids,
            machines=[(machine, machines[machine.name]) for machine in spec.machines],
            clusters=clusters,
            model_store={"account": models.account_name, "container": CONTAINER},
            audit_store={"account": audit.account_name},
        )

    def _agents(self) -> dict[str, str]:
        """The service agents that need the disk key."""
        number = self._args.project_number or EMULATED_PROJECT_NUMBER
        needed = ["compute", *(["container"] if self._spec.clusters else [])]
        return {label: _AGENTS[label].format(number=number) for label in needed}

    def _verifier(
        self, verifier: VerifierSpec, images: ImagePlan, net: SovereignNetwork, vault: KeyVault
    ) -> AttestationVerifier:
        name, placement = self._outline.stack, self._placement
        identity = WorkloadIdentity(
            f"{name}-verifier-identity",
            WorkloadIdentityArgs(
                placement=placement,
                role=HOST,
                grants=[
                    Grant(f"unwrap-{model}", vault.unwrap_role_id, key_id=key_id)
                    for model, key_id in vault.model_key_ids.items()
                ],
            ),
            opts=self._child,
        )
        if self._spec.collateral_cache:
            CollateralCache(
                f"{name}-collateral",
                CollateralCacheArgs(placement=placement, readers={HOST: identity.principal_id}, publishers={}),
                opts=self._child,
            )
        return AttestationVerifier(
            f"{name}-verifier",
            AttestationVerifierArgs(
                placement=placement,
                **self._outline.verifier_settings(verifier, images, CollateralCache.url_in(self._placement)),
                zones=catalog.load().machine_type(placement.cloud, verifier.size).zones[placement.location],
                network_id=net.id,
                subnet_id=net.subnet_ids[Segment.VERIFIER],
                frontend_address=net.address(Segment.VERIFIER, 0),
                domain=self._outline.domain,
                domain_zone=net.domain_zone,
                disk_key_id=vault.disk_key_id,
                identity_id=identity.id,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[net, vault, *identity.assignments]),
        )

    def _machine(
        self,
        machine: MachineSpec,
        net: SovereignNetwork,
        vault: KeyVault,
        models: ModelStore,
        before: Sequence[pulumi.Resource],
    ) -> Exported:
        name, placement = f"{self._outline.stack}-{machine.name}", self._placement
        identity = WorkloadIdentity(
            f"{name}-identity",
            WorkloadIdentityArgs(
                placement=placement,
                role=machine.name,
                grants=[Grant("read-models", READ_OBJECTS, bucket=models.container_id)],
            ),
            opts=self._child,
        )
        settings: dict[str, Any] = {
            "placement": placement,
            **self._outline.machine_settings(machine, account=models.account_name, container=CONTAINER),
            "purchase": machine.purchase,
            "subnet_id": net.subnet_ids[Segment.WORKLOAD],
            "disk_key_id": vault.disk_key_id,
            "identity_id": identity.id,
        }
        opts = pulumi.ResourceOptions(parent=self, depends_on=[*before, *identity.assignments])
        if machine.count > 1:
            zones = (machine.zone,) if machine.zone else ()
            args = ConfidentialVmGroupArgs(**settings, count=machine.count, zones=zones)
            group = ConfidentialVmGroup(name, args, opts=opts)
            return Exported(group.id, group.group_name)
        single = ConfidentialVm(name, ConfidentialVmArgs(**settings, zone=machine.zone), opts=opts)
        return Exported(single.id, single.machine_name)

    def _cluster(self, cluster: ClusterSpec, net: SovereignNetwork, vault: KeyVault) -> ConfidentialCluster:
        name, placement = f"{self._outline.stack}-{cluster.name}", self._placement
        identity = WorkloadIdentity(
            f"{name}-identity", WorkloadIdentityArgs(placement=placement, role=cluster.name), opts=self._child
        )
        return ConfidentialCluster(
            name,
            ConfidentialClusterArgs(
                placement=placement,
                role=cluster.name,
                size=cluster.size,
                tee=cluster.tee,
                nodes=cluster.nodes,
                network_id=net.id,
                subnet_id=net.cluster_subnet_ids[cluster.name],
                admin_range=self._spec.network.address_space,
                key_id=vault.disk_key_id,
                identity_id=identity.id,
                gpu_pool=gpu_pool_of(cluster),
                destroyable=self._spec.emulated,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[net, vault]),
        )

    def _endpoints(self) -> Endpoints:
        """Where everything will be reached: every name follows from the specification."""
        spec, place, outline = self._spec, self._placement, self._outline
        return Endpoints(
            **outline.endpoints(spec.machines, CollateralCache.url_in(place)),
            cloud=spec.cloud,
            network=SovereignNetwork.network_name(place),
            vault_uri=KeyVault.uri_in(place),
            external_manager=spec.keys.external_manager,
            storage_host=SovereignNetwork.service_host(place, "storage"),
            model_account=ModelStore.account_name_in(place),
            audit_account=AuditLog.account_name_in(place),
            workspace=AuditLog.workspace_name_in(place),
        )


def _check(args: SovereignRegionArgs) -> None:
    spec = args.spec
    if spec.provider != "gcp":
        raise InputError(TYPE, "spec.cloud", f"{spec.cloud!r} is another provider's", "gcp")
    if not spec.emulated and args.project_number is None:
        raise InputError(
            TYPE,
            "project_number",
            "Google's service agents, which encrypt disks with the region's key, are named by it",
            f"what `gcloud projects describe {spec.project_id} --format 'value(projectNumber)'` prints",
        )
