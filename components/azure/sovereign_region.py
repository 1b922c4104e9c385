"""A whole sovereign region in Azure, from its specification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi_azure_native import resources

import catalog
from components import graph
from components.addresses import Segment
from components.azure import cluster_services
from components.azure.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.azure.audit_log import AuditLog, AuditLogArgs
from components.azure.collateral_cache import CollateralCache, CollateralCacheArgs
from components.azure.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.azure.dependencies import Endpoints, dependencies
from components.azure.disk_encryption import ConfidentialDiskEncryption, ConfidentialDiskEncryptionArgs
from components.azure.fleet import single_machines
from components.azure.key_custody import KeyCustody, key_custody, private_service, uri_in
from components.azure.key_vault import SERVICE, KeyVault
from components.azure.model_store import CONTAINER, ModelStore, ModelStoreArgs
from components.azure.placement import Placement
from components.azure.region_clusters import VAULT_ROLE, RegionClusters
from components.azure.release_plan import ReleasePlan, disk_authorities, plan
from components.azure.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.azure.roles import Role
from components.azure.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.azure.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import HOST
from components.naming import azure_name
from components.region import Outline, tags_of
from components.region_outputs import Exported, region_outputs
from components.release import Tee
from components.release_plan import image_id
from components.spec import MachineSpec, RegionSpec, VerifierSpec

TYPE = "bailiwick:index:AzureSovereignRegion"


@dataclass(frozen=True, slots=True)
class SovereignRegionArgs(ComponentArgs):
    """Inputs of `SovereignRegion`."""

    spec: RegionSpec
    """What the stack file says."""
    reference_values: Path
    """Directory with the reference values of the images and the build's public keys."""
    orchestrator_principal_id: str | None = None
    """Object id, in the tenant, of the service principal of Azure's Confidential VM Orchestrator. A region in Azure
    needs it; an emulated one has none."""
    audit_retention_locked: bool = False
    """Make the audit log's retention irreversible; from the second deployment on (see `AuditLogArgs`)."""
    cluster_admin_group_ids: Sequence[str] = ()
    """Object ids of the Entra groups whose members administer the clusters; a region with clusters needs one."""
    guard_subscription: bool = False
    """Guard the whole subscription against resources elsewhere (see `ResidencyGuardArgs`): it has no other region."""


class SovereignRegion(Component):
    """`bailiwick:index:AzureSovereignRegion`: everything that one sovereign region is, and the proof of where it is.

    Creates a resource group; in it a network without Internet, a write-once audit log, a vault (or a Managed HSM) with
    the region's keys, a store for encrypted models, a cache of the vendors' collateral, the verifier with its broker,
    the confidential VMs and clusters of the specification, each with an identity of its own, a private registry and a
    vault of the clusters' keys where there are clusters, and policy assignments that go on guarding the region. A
    machine with a `count` is that many confidential VMs, `<name>-0`, `<name>-1`, …, spread over the zones: a scale set
    would leave their disks readable to the host (see `ConfidentialVmGroup`).

    Guarantees: what the parts guarantee; every guest image in use has reference values, and every key names them; every
    dependency is in the jurisdiction graph; nothing is registered when content, keys or evidence would leave the
    jurisdiction. Control data (names, roles, settings) goes to Azure's worldwide control plane whatever one does; the
    graph says so (`edgesLeaving`), and also whose law reaches each operator (`foreignReach`).

    Does not: publish images or models, fill the collateral cache or the registry, or create the subscription. The
    keys and where they are kept are protected from deletion unless the region is emulated: nothing is lost with them
    there.
    """

    dependencies: list[graph.Dependency]
    """The jurisdiction graph, known before anything exists."""
    outputs: Mapping[str, Any]
    """What the stack exports: for the command line, the evidence and the policies."""

    def __init__(self, name: str, args: SovereignRegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        verifier = _checked(args)
        self._args = args
        self._spec = args.spec
        self._outline = Outline.in_private_domain(name, args.spec, args.reference_values)
        self._machines = single_machines(args.spec)
        group_name = azure_name("resource group", f"bailiwick-{name}")
        self._placement = self._place(group_name)
        self.dependencies = dependencies(self._endpoints())
        graph.refuse_leaving(TYPE, self.dependencies, args.spec.jurisdiction)
        release = plan(self._outline, self._placement)
        super().__init__(TYPE, name, args, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        group = resources.ResourceGroup(
            f"{name}-group",
            resource_group_name=group_name,
            location=self._spec.location,
            tags=self._placement.tag_mapping,
            opts=self._child,
        )
        self._placement = self._place(group.name)
        self.outputs = self._build(verifier, release)
        self.register_outputs(dict(self.outputs))

    def _place(self, resource_group_name: pulumi.Input[str]) -> Placement:
        return Placement(
            stack=self._outline.stack,
            subscription_id=self._spec.subscription_id,
            tenant_id=self._spec.tenant_id,
            location=self._spec.location,
            resource_group_name=resource_group_name,
            tags=tags_of(self._outline.stack, self._spec),
        )

    def _build(self, verifier_spec: VerifierSpec, release: ReleasePlan) -> dict[str, Any]:
        spec, name, child = self._spec, self._outline.stack, self._child
        self._guards = [self._guard(verifier_spec)] if spec.residency_guard else []
        net = SovereignNetwork(
            f"{name}-network",
            SovereignNetworkArgs(
                placement=self._placement,
                address_space=spec.network.address_space,
                domain=self._outline.domain,
                services=self._private_services(),
                clusters=[cluster.name for cluster in spec.clusters],
            ),
            opts=child,
        )
        audit = AuditLog(
            f"{name}-audit",
            AuditLogArgs(
                placement=self._placement,
                retention_days=spec.audit.retention_days,
                subnet_id=net.subnet_ids[Segment.ENDPOINTS],
                zone_ids=net.zone_ids,
                retention_locked=self._args.audit_retention_locked,
            ),
            opts=child,
        )
        vault = key_custody(
            f"{name}-keys",
            spec.keys,
            placement=self._placement,
            model_keys=tuple(release.images.models),
            disk_keys=release.disks,
            subnet_id=net.subnet_ids[Segment.ENDPOINTS],
            zone_ids=net.zone_ids,
            audit_account_id=audit.account_id,
            workspace_id=audit.workspace_id,
            destroyable_keys=spec.emulated,
            opts=child,
        )
        models = ModelStore(
            f"{name}-models",
            ModelStoreArgs(
                placement=self._placement, subnet_id=net.subnet_ids[Segment.ENDPOINTS], zone_ids=net.zone_ids
            ),
            opts=child,
        )
        disks = {key: self._disk_encryption(label, vault) for key, label in release.disk_labels.items()}
        verifier = self._verifier(verifier_spec, release, net, vault, disks[_disk_key(verifier_spec)])
        machines = {
            machine.name: self._machine(machine, net, models, disks[_disk_key(machine)], verifier)
            for machine in self._machines
        }
        return region_outputs(
            spec,
            self.dependencies,
            own={"resourceGroup": self._placement.resource_group_name, "attestationProvider": verifier.provider_uri},
            verifier_url=verifier.url,
            verifier_machines=[Exported(machine.id, machine.machine_name) for machine in verifier.machines],
            vault_uri=vault.uri,
            model_key_ids=vault.model_key_ids,
            machines=[(machine, machines[machine.name]) for machine in self._machines],
            clusters=self._clusters(net, audit).build(),
            model_store={"account": models.account_name, "container": CONTAINER},
            audit_store={"account": audit.account_name},
        )

    def _guard(self, verifier: VerifierSpec) -> ResidencyGuard:
        """The guard comes before the machines: a size that is new here must be allowed before it is asked for."""
        args = ResidencyGuardArgs(
            placement=self._placement,
            sizes=[
                verifier.size,
                *(machine.size for machine in self._machines),
                *(pool.size for cluster in self._spec.clusters for pool in (cluster, cluster.gpu_pool) if pool),
            ],
            whole_subscription=self._args.guard_subscription,
        )
        return ResidencyGuard(f"{self._outline.stack}-guard", args, opts=self._child)

    def _private_services(self) -> tuple[str, ...]:
        """What is reached by private endpoints, as the catalogue names them."""
        clusters = (private_service(SERVICE), cluster_services.SERVICE) if self._spec.clusters else ()
        return tuple(dict.fromkeys((private_service(self._spec.keys.service), "blob", "attestation", *clusters)))

    def _clusters(self, net: SovereignNetwork, audit: AuditLog) -> RegionClusters:
        return RegionClusters(
            stack=self._outline.stack,
            spec=self._spec,
            placement=self._placement,
            network=net,
            audit=audit,
            admin_group_ids=self._args.cluster_admin_group_ids,
            opts=self._child,
        )

    def _disk_encryption(self, label: str, vault: KeyCustody) -> ConfidentialDiskEncryption:
        return ConfidentialDiskEncryption(
            f"{self._outline.stack}-disks-{label}",
            ConfidentialDiskEncryptionArgs(
                placement=self._placement,
                label=label,
                key=vault.disk_keys[label],
                orchestrator_principal_id=self._args.orchestrator_principal_id,
            ),
            opts=self._child,
        )

    def _verifier(
        self,
        verifier: VerifierSpec,
        release: ReleasePlan,
        net: SovereignNetwork,
        vault: KeyCustody,
        disks: ConfidentialDiskEncryption,
    ) -> AttestationVerifier:
        spec = self._spec
        identity = WorkloadIdentity(
            f"{self._outline.stack}-verifier-identity",
            WorkloadIdentityArgs(
                placement=self._placement,
                role=HOST,
                grants=list(vault.unwrap_grants.values()),
            ),
            opts=self._child,
        )
        if spec.collateral_cache:
            CollateralCache(
                f"{self._outline.stack}-collateral",
                CollateralCacheArgs(
                    placement=self._placement,
                    subnet_id=net.subnet_ids[Segment.ENDPOINTS],
                    zone_ids=net.zone_ids,
                    readers={HOST: identity.principal_id},
                ),
                opts=self._child,
            )
        return AttestationVerifier(
            f"{self._outline.stack}-verifier",
            AttestationVerifierArgs(
                placement=self._placement,
                **self._outline.verifier_settings(verifier, release.images, CollateralCache.url_in(self._placement)),
                zones=catalog.load().region(spec.cloud, spec.location).zone_names or (),
                subnet_id=net.subnet_ids[Segment.VERIFIER],
                frontend_address=net.address(Segment.VERIFIER, 0),
                endpoint_subnet_id=net.subnet_ids[Segment.ENDPOINTS],
                domain=self._outline.domain,
                zone_ids=net.zone_ids,
                disk_encryption_set_id=disks.id,
                identity_id=identity.id,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[vault, *self._guards, *identity.assignments]),
        )

    def _machine(
        self,
        machine: MachineSpec,
        net: SovereignNetwork,
        models: ModelStore,
        disks: ConfidentialDiskEncryption,
        verifier: AttestationVerifier,
    ) -> Exported:
        identity = WorkloadIdentity(
            f"{self._outline.stack}-{machine.name}-identity",
            WorkloadIdentityArgs(
                placement=self._placement,
                role=machine.name,
                grants=[Grant("read-models", Role.BLOB_READER.definition_id(self._placement), models.container_id)],
            ),
            opts=self._child,
        )
        vm = ConfidentialVm(
            f"{self._outline.stack}-{machine.name}",
            ConfidentialVmArgs(
                placement=self._placement,
                **self._outline.machine_settings(machine, account=models.account_name, container=CONTAINER),
                zone=machine.zone,
                subnet_id=net.subnet_ids[Segment.WORKLOAD],
                disk_encryption_set_id=disks.id,
                identity_id=identity.id,
            ),
            # A guest asks for its key and its model as soon as it boots, so that verifier and store are there first.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[verifier, models, *self._guards, *identity.assignments]
            ),
        )
        return Exported(vm.id, vm.machine_name)

    def _endpoints(self) -> Endpoints:
        """Where everything will be reached: every name follows from the specification."""
        spec, place, outline = self._spec, self._placement, self._outline
        return Endpoints(
            **outline.endpoints(self._machines, CollateralCache.url_in(place)),
            network=SovereignNetwork.network_name(place),
            vault_uri=uri_in(spec.keys, place),
            cluster_vault_uri=KeyVault.uri_in(place, VAULT_ROLE) if spec.clusters else None,
            attestation_origins=[authority.uri for authority in disk_authorities(place)],
            model_account=ModelStore.account_name_in(place),
            audit_account=AuditLog.account_name_in(place),
            workspace=AuditLog.workspace_name_in(place),
        )


def _disk_key(machine: MachineSpec | VerifierSpec) -> tuple[str, Tee]:
    """By what the release plan knows the OS-disk key of a machine."""
    return image_id(machine.image), Tee(machine.tee)


def _checked(args: SovereignRegionArgs) -> VerifierSpec:
    """The region's verifier, when the region can be built; raises `InputError`."""
    if args.spec.cloud != "azure":
        raise InputError(TYPE, "spec.cloud", f"{args.spec.cloud!r} is another cloud's", "azure")
    if args.spec.verifier is None:
        raise InputError(TYPE, "spec.verifier", "is missing, and a region in Azure attests its machines", "a verifier")
    if args.spec.clusters and not args.cluster_admin_group_ids:
        raise InputError(
            TYPE,
            "cluster_admin_group_ids",
            "is empty: without local accounts nobody could administer a cluster",
            "bailiwick-azure:clusterAdminGroupIds with the object ids of Entra groups",
        )
    if not args.spec.emulated and args.orchestrator_principal_id is None:
        application = catalog.load().application("azure", "confidential-vm-orchestrator")
        raise InputError(
            TYPE,
            "orchestrator_principal_id",
            f"Azure starts no confidential VM with a customer key without {application.name}",
            f"the object id that `az ad sp show --id {application.app_id} --query id` prints",
        )
    return args.spec.verifier
