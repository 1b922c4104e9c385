"""A whole sovereign region in AWS, from its specification."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from components import graph, guest_configuration, reference_values
from components.addresses import Segment
from components.aws.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.aws.audit_log import AuditLog, AuditLogArgs
from components.aws.collateral_cache import CollateralCache, CollateralCacheArgs
from components.aws.confidential_cluster import ConfidentialCluster, ConfidentialClusterArgs
from components.aws.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.aws.confidential_vm_group import ConfidentialVmGroup, ConfidentialVmGroupArgs
from components.aws.dependencies import Endpoints, dependencies
from components.aws.key_vault import KeyVault, KeyVaultArgs
from components.aws.model_store import CONTAINER, ModelStore, ModelStoreArgs
from components.aws.placement import Placement
from components.aws.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.aws.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.aws.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import HOST, VERIFIER_PORT
from components.region_outputs import Exported, region_outputs
from components.release_plan import ImagePlan, image_id, plan
from components.spec import ClusterSpec, MachineSpec, RegionSpec
from components.tags import Tags

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

    Does not: publish images or models, fill the collateral cache, or create the account and its organization. Keys and
    audit stores are protected from deletion unless the region is emulated, where nothing is lost with them.
    """

    dependencies: list[graph.Dependency]
    """The jurisdiction graph, known before anything exists."""
    outputs: Mapping[str, Any]
    """What the stack exports: for the command line, the evidence and the policies."""

    def __init__(self, name: str, args: SovereignRegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if args.spec.provider != "aws":
            raise InputError(TYPE, "spec.cloud", f"{args.spec.cloud!r} is another provider's", "aws")
        self._stem = name
        self._args = args
        self._spec = args.spec
        self._domain = f"{name}.bailiwick.internal"
        self._verifier_url = f"http://{HOST}.{self._domain}:{VERIFIER_PORT}"
        self._placement = self._place()
        self.dependencies = dependencies(self._endpoints())
        graph.refuse_leaving(TYPE, self.dependencies, args.spec.jurisdiction)
        images = plan(args.spec, directory=args.reference_values, verifier_url=self._verifier_url)
        super().__init__(TYPE, name, args, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.outputs = self._build(images)
        self.register_outputs(dict(self.outputs))

    def _place(self) -> Placement:
        spec = self._spec
        return Placement(
            stack=self._stem,
            account_id=spec.account_id,
            location=spec.location,
            tags=Tags(jurisdiction=spec.jurisdiction, data_class=spec.data_class, owner=spec.owner, stack=self._stem),
            cloud=spec.cloud,
        )

    def _build(self, images: ImagePlan) -> dict[str, Any]:
        spec, name, child, placement = self._spec, self._stem, self._child, self._placement
        net = SovereignNetwork(
            f"{name}-network",
            SovereignNetworkArgs(
                placement=placement,
                address_space=spec.network.address_space,
                domain=self._domain,
                clusters=[cluster.name for cluster in spec.clusters],
            ),
            opts=child,
        )
        # The verifier's identity first: the keys' policies name its role, which KMS looks up.
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
                verifier_role_arn=identity.principal_id,
                network_id=net.id,
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
        if spec.collateral_cache:
            CollateralCache(
                f"{name}-collateral",
                CollateralCacheArgs(
                    placement=placement, key_id=vault.store_key_id, readers={HOST: identity.role_name}, publishers={}
                ),
                opts=child,
            )
        verifier = self._verifier(images, net, vault, audit, identity)
        machines = {machine.name: self._machine(machine, net, vault, models, verifier) for machine in spec.machines}
        clusters = {cluster.name: self._cluster(cluster, net, vault) for cluster in spec.clusters}
        if spec.residency_guard:
            ResidencyGuard(
                f"{name}-guard",
                ResidencyGuardArgs(placement=placement, target_id=self._args.guard_target_id),
                opts=child,
            )
        return self._outputs(
            audit=audit, vault=vault, models=models, verifier=verifier, machines=machines, clusters=clusters
        )

    def _verifier(
        self,
        images: ImagePlan,
        net: SovereignNetwork,
        vault: KeyVault,
        audit: AuditLog,
        identity: WorkloadIdentity,
    ) -> AttestationVerifier:
        spec = self._spec
        configuration = guest_configuration.verifier(
            name=f"{HOST}.{self._domain}",
            region={"cloud": spec.cloud, "location": spec.location, "jurisdiction": spec.jurisdiction},
            trust_anchors=spec.verifier.trust_anchors,
            reference_values=images.of_workloads(),
            build_keys=reference_values.build_keys(self._args.reference_values),
            policies=images.models,
            images=images.model_images,
        )
        return AttestationVerifier(
            f"{self._stem}-verifier",
            AttestationVerifierArgs(
                placement=self._placement,
                replicas=spec.verifier.replicas,
                size=spec.verifier.size,
                tee=spec.verifier.tee,
                image_name=spec.verifier.image.name,
                image_version=spec.verifier.image.version,
                guest_configuration=configuration,
                network_id=net.id,
                subnet_ids=net.subnet_ids[Segment.VERIFIER],
                group_id=net.group_ids[Segment.VERIFIER],
                domain=self._domain,
                domain_zone=net.domain_zone,
                disk_key_id=vault.disk_key_id,
                identity_id=identity.id,
            ),
            # The trail records every use of a key, and the keys come into use with the first machine.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[net, vault, audit]),
        )

    def _machine(
        self,
        machine: MachineSpec,
        net: SovereignNetwork,
        vault: KeyVault,
        models: ModelStore,
        verifier: AttestationVerifier,
    ) -> ConfidentialVm | ConfidentialVmGroup:
        name, placement = f"{self._stem}-{machine.name}", self._placement
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
            "role": machine.name,
            "size": machine.size,
            "tee": machine.tee,
            "gpu": machine.gpu,
            "image_name": machine.image.name,
            "image_version": machine.image.version,
            "guest_configuration": guest_configuration.workload(
                verifier_url=verifier.url, model=machine.model, account=models.account_name, container=CONTAINER
            ),
            "group_id": net.group_ids[Segment.WORKLOAD],
            "disk_key_id": vault.disk_key_id,
            "identity_id": identity.id,
        }
        subnets = net.subnet_ids[Segment.WORKLOAD]
        # A guest asks for its key and its model as soon as it boots, so that verifier and store are there first.
        opts = pulumi.ResourceOptions(parent=self, depends_on=[net, verifier, models, *identity.assignments])
        if machine.count == 1:
            zone = machine.zone or next(iter(subnets))
            return ConfidentialVm(name, ConfidentialVmArgs(**settings, zone=zone, subnet_id=subnets[zone]), opts=opts)
        chosen = {machine.zone: subnets[machine.zone]} if machine.zone else subnets
        return ConfidentialVmGroup(
            name, ConfidentialVmGroupArgs(**settings, count=machine.count, subnet_ids=chosen), opts=opts
        )

    def _cluster(self, cluster: ClusterSpec, net: SovereignNetwork, vault: KeyVault) -> ConfidentialCluster:
        return ConfidentialCluster(
            f"{self._stem}-{cluster.name}",
            ConfidentialClusterArgs(
                placement=self._placement,
                role=cluster.name,
                size=cluster.size,
                tee=cluster.tee,
                nodes=cluster.nodes,
                subnet_ids=net.cluster_subnet_ids[cluster.name],
                group_id=net.group_ids[cluster.name],
                disk_key_id=vault.disk_key_id,
                secrets_key_id=vault.store_key_id,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[net, vault]),
        )

    def _endpoints(self) -> Endpoints:
        """Where everything will be reached: every name follows from the specification."""
        spec, place = self._spec, self._placement
        verifiers = [(f"{HOST}-{index}", image_id(spec.verifier.image)) for index in range(spec.verifier.replicas)]
        return Endpoints(
            placement=place,
            domain=self._domain,
            verifier_url=self._verifier_url,
            key_service=spec.keys.service,
            audit_account=AuditLog.account_name_in(place),
            workspace=AuditLog.workspace_name_in(place),
            machines=[*verifiers, *((machine.name, image_id(machine.image)) for machine in spec.machines)],
            clusters=[cluster.name for cluster in spec.clusters],
            cached_collateral=spec.collateral_cache,
        )

    def _outputs(
        self,
        *,
        audit: AuditLog,
        vault: KeyVault,
        models: ModelStore,
        verifier: AttestationVerifier,
        machines: Mapping[str, ConfidentialVm | ConfidentialVmGroup],
        clusters: Mapping[str, ConfidentialCluster],
    ) -> dict[str, Any]:
        return region_outputs(
            self._spec,
            self.dependencies,
            account={"account": self._spec.account_id, "partition": self._spec.partition},
            verifier_url=verifier.url,
            vault_uri=vault.uri,
            model_key_ids=vault.model_key_ids,
            machines={name: Exported(machine.id, _name(machine)) for name, machine in machines.items()},
            clusters={
                name: {"id": cluster.id, "name": cluster.cluster_name, "endpoint": cluster.endpoint}
                for name, cluster in clusters.items()
            },
            verifier_machines=[Exported(machine.id, machine.machine_name) for machine in verifier.machines],
            model_store={"account": models.account_name, "container": CONTAINER},
            audit_account=audit.account_name,
        )


def _name(machine: ConfidentialVm | ConfidentialVmGroup) -> str:
    return machine.machine_name if isinstance(machine, ConfidentialVm) else machine.group_name
