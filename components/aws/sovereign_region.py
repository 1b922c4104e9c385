"""A whole sovereign region in AWS, from its specification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi

from components import graph
from components.addresses import Segment
from components.aws.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.aws.audit_log import AuditLog, AuditLogArgs
from components.aws.collateral_cache import CollateralCache, CollateralCacheArgs
from components.aws.confidential_cluster import ConfidentialCluster, ConfidentialClusterArgs
from components.aws.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.aws.confidential_vm_group import ConfidentialVmGroup, ConfidentialVmGroupArgs
from components.aws.dependencies import Endpoints, dependencies
from components.aws.external_keys import XksCredential
from components.aws.key_vault import KeyVault, KeyVaultArgs
from components.aws.model_store import CONTAINER, ModelStore, ModelStoreArgs
from components.aws.placement import Placement
from components.aws.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.aws.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.aws.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import HOST
from components.region import Outline, tags_of
from components.region_outputs import Exported, region_outputs
from components.release_plan import ImagePlan
from components.spec import ClusterSpec, MachineSpec, RegionSpec, VerifierSpec
from components.spec.accounts import EMULATED_XKS_CREDENTIAL

TYPE = "bailiwick:index:AwsSovereignRegion"


@dataclass(frozen=True, slots=True)
class SovereignRegionArgs(ComponentArgs):
    """Inputs of `SovereignRegion`."""

    spec: RegionSpec
    """What the stack file says."""
    reference_values: Path
    """Directory with the reference values of the images and the build's public keys."""
    audit_retention_locked: bool = False
    """Make the audit log's retention irreversible (see `AuditLogArgs`)."""
    external_credential: XksCredential | None = field(default=None, repr=False)
    """With what AWS KMS proves itself to an external key manager, where `spec` names one that is real."""
    guard_target_id: str | None = None
    """Account or organizational unit that the service control policies guard; None takes the region's account."""


class SovereignRegion(Component):
    """`bailiwick:index:AwsSovereignRegion`: everything that one sovereign region is, and the proof of where it is.

    Creates in the account a network without Internet, keys in KMS, a write-once audit log with its trail, a store for
    encrypted models, a cache of the vendors' collateral, the verifier with its broker, the confidential VMs, groups and
    clusters of the specification, each with an identity of its own, and service control policies that go on guarding
    the account.

    Guarantees: what the parts guarantee; every guest image in use has reference values; every dependency is in the
    jurisdiction graph; nothing is registered when content, keys or evidence would leave the jurisdiction. Control data
    (names, roles, settings) goes to the partition's own control plane whatever one does; the graph says so
    (`edgesLeaving`), and also whose law reaches each operator (`foreignReach`).

    A specification without verifier and machines makes a region of keys and log, for a place where the catalogue knows
    no confidential machine: no key can be released there, and the outputs say what it lacks.

    Does not: publish images or models, fill the collateral cache, allocate Dedicated Hosts, or create the account and
    its organization. Keys and audit stores are protected from deletion unless the region is emulated, where nothing is
    lost with them.
    """

    dependencies: list[graph.Dependency]
    """The jurisdiction graph, known before anything exists."""
    outputs: Mapping[str, Any]
    """What the stack exports: for the command line, the evidence and the policies."""

    def __init__(self, name: str, args: SovereignRegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if args.spec.provider != "aws":
            raise InputError(TYPE, "spec.cloud", f"{args.spec.cloud!r} is another provider's", "aws")
        self._args = args
        self._spec = args.spec
        self._outline = Outline.in_private_domain(name, args.spec, args.reference_values)
        self._placement = Placement(
            stack=name,
            account_id=args.spec.account_id,
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
        # The verifier's identity first: the keys' policies name its role, which KMS looks up.
        identity = None
        if spec.verifier:
            identity = WorkloadIdentity(
                f"{name}-verifier-identity", WorkloadIdentityArgs(placement=placement, role=HOST), opts=child
            )
        vault = KeyVault(
            f"{name}-keys",
            KeyVaultArgs(
                placement=placement,
                service=spec.keys.service,
                soft_delete_days=spec.keys.soft_delete_days,
                rotation_days=spec.keys.rotation_days,
                model_keys=images.models,
                verifier_role_arn=identity.principal_id if identity else None,
                network_id=net.id,
                external_manager=spec.keys.external_manager,
                external_credential=self._external_credential(),
                destroyable_keys=spec.emulated,
            ),
            opts=child,
        )
        audit = AuditLog(
            f"{name}-audit",
            AuditLogArgs(
                placement=placement,
                retention_days=spec.audit.retention_days,
                key_id=vault.store_key_id,
                retention_locked=self._args.audit_retention_locked,
                destroyable=spec.emulated,
            ),
            opts=child,
        )
        models = ModelStore(
            f"{name}-models", ModelStoreArgs(placement=placement, key_id=vault.store_key_id), opts=child
        )
        verifier = None
        if spec.verifier and identity:
            if spec.collateral_cache:
                cache = CollateralCacheArgs(
                    placement=placement, key_id=vault.store_key_id, readers={HOST: identity.role_name}, publishers={}
                )
                CollateralCache(f"{name}-collateral", cache, opts=child)
            # The trail records every use of a key, and the keys come into use with the first machine.
            after = pulumi.ResourceOptions(parent=self, depends_on=[net, vault, audit])
            verifier = self._verifier(spec.verifier, images, net, vault, identity, after)
        # A guest asks for its key and its model as soon as it boots, so that verifier and store are there first.
        before = [net, *([verifier] if verifier else []), models]
        machines = {machine.name: self._machine(machine, net, vault, models, before) for machine in spec.machines}
        clusters = {cluster.name: self._cluster(cluster, net, vault) for cluster in spec.clusters}
        if spec.residency_guard:
            ResidencyGuard(
                f"{name}-guard",
                ResidencyGuardArgs(placement=placement, target_id=self._args.guard_target_id),
                opts=child,
            )
        return region_outputs(
            spec,
            self.dependencies,
            own={"account": spec.account_id, "partition": spec.partition},
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

    def _external_credential(self) -> XksCredential | None:
        if self._spec.keys.external_manager is None or not self._spec.emulated:
            return self._args.external_credential
        return XksCredential(*map(pulumi.Output.secret, EMULATED_XKS_CREDENTIAL))

    def _verifier(
        self,
        verifier: VerifierSpec,
        images: ImagePlan,
        net: SovereignNetwork,
        vault: KeyVault,
        identity: WorkloadIdentity,
        opts: pulumi.ResourceOptions,
    ) -> AttestationVerifier:
        hosts = self._spec.host_ids if verifier.tenancy == "dedicated-host" else {}
        subnets = net.subnet_ids[Segment.VERIFIER]
        return AttestationVerifier(
            f"{self._outline.stack}-verifier",
            AttestationVerifierArgs(
                placement=self._placement,
                **self._outline.verifier_settings(verifier, images, CollateralCache.url_in(self._placement)),
                network_id=net.id,
                subnet_ids={zone: subnets[zone] for zone in hosts} if hosts else subnets,
                group_id=net.group_ids[Segment.VERIFIER],
                domain=self._outline.domain,
                domain_zone=net.domain_zone,
                disk_key_id=vault.disk_key_id,
                identity_id=identity.id,
                host_ids=hosts,
            ),
            opts=opts,
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
                grants=[Grant("read-models", ["s3:GetObject"], models.container_id)],
            ),
            opts=self._child,
        )
        settings: dict[str, Any] = {
            "placement": placement,
            **self._outline.machine_settings(machine, account=models.account_name, container=CONTAINER),
            "group_id": net.group_ids[Segment.WORKLOAD],
            "disk_key_id": vault.disk_key_id,
            "identity_id": identity.id,
        }
        subnets = net.subnet_ids[Segment.WORKLOAD]
        opts = pulumi.ResourceOptions(parent=self, depends_on=[*before, *identity.assignments])
        if machine.count > 1:
            chosen = {machine.zone: subnets[machine.zone]} if machine.zone else subnets
            args = ConfidentialVmGroupArgs(**settings, count=machine.count, subnet_ids=chosen)
            group = ConfidentialVmGroup(name, args, opts=opts)
            return Exported(group.id, group.group_name)
        hosts = self._spec.host_ids if machine.tenancy == "dedicated-host" else {}
        zone = machine.zone or next(iter(hosts or subnets))
        single = ConfidentialVm(
            name,
            ConfidentialVmArgs(**settings, zone=zone, subnet_id=subnets[zone], host_id=hosts.get(zone)),
            opts=opts,
        )
        return Exported(single.id, single.machine_name)

    def _cluster(self, cluster: ClusterSpec, net: SovereignNetwork, vault: KeyVault) -> ConfidentialCluster:
        return ConfidentialCluster(
            f"{self._outline.stack}-{cluster.name}",
            ConfidentialClusterArgs(
                placement=self._placement,
                role=cluster.name,
                size=cluster.size,
                tee=cluster.tee,
                nodes=cluster.nodes,
                release=cluster.release,
                subnet_ids=net.cluster_subnet_ids[cluster.name],
                group_id=net.group_ids[cluster.name],
                disk_key_id=vault.disk_key_id,
                secrets_key_id=vault.store_key_id,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[net, vault]),
        )

    def _endpoints(self) -> Endpoints:
        """Where everything will be reached: every name follows from the specification."""
        spec, place, outline = self._spec, self._placement, self._outline
        return Endpoints(
            **outline.endpoints(spec.machines, CollateralCache.url_in(place)),
            placement=place,
            external_manager=spec.keys.external_manager,
            audit_account=AuditLog.account_name_in(place),
            workspace=AuditLog.workspace_name_in(place),
        )
