"""A whole sovereign region in Azure, from its specification."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi_azure_native import resources

import catalog
from components import graph, guest_configuration, reference_values
from components.addresses import Segment
from components.azure.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.azure.audit_log import AuditLog, AuditLogArgs
from components.azure.collateral_cache import CollateralCache, CollateralCacheArgs
from components.azure.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.azure.dependencies import Endpoints, Machine, dependencies
from components.azure.disk_encryption import ConfidentialDiskEncryption, ConfidentialDiskEncryptionArgs
from components.azure.fleet import hardware, single_machines
from components.azure.key_vault import KeyVault, KeyVaultArgs
from components.azure.model_store import CONTAINER, ModelStore, ModelStoreArgs
from components.azure.placement import Placement
from components.azure.release_plan import ReleasePlan, disk_authorities, plan
from components.azure.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.azure.roles import Role
from components.azure.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.azure.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import HOST, VERIFIER_PORT, model_key_name
from components.naming import azure_name
from components.release import Tee
from components.release_plan import image_id
from components.spec import MachineSpec, RegionSpec, VerifierSpec
from components.tags import Tags

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
    guard_subscription: bool = False
    """Guard the whole subscription against resources elsewhere (see `ResidencyGuardArgs`): it has no other region."""


class SovereignRegion(Component):
    """`bailiwick:index:AzureSovereignRegion`: everything that one sovereign region is, and the proof of where it is.

    Creates a resource group; in it a network without Internet, a write-once audit log, a vault with the region's
    keys, a store for encrypted models, a cache of the vendors' collateral, the verifier with its broker, the
    confidential VMs of the specification, each with an identity of its own, and policy assignments that go on guarding
    the region. A machine with a `count` is that many confidential VMs, `<name>-0`, `<name>-1`, …, spread over the
    zones: a scale set would leave their disks readable to the host (see `ConfidentialVmGroup`).

    Guarantees: what the parts guarantee; every guest image in use has reference values, and every key names them; every
    dependency is in the jurisdiction graph; nothing is registered when content, keys or evidence would leave the
    jurisdiction. Control data (names, roles, settings) goes to Azure's worldwide control plane whatever one does; the
    graph says so (`edgesLeaving`), and also whose law reaches each operator (`foreignReach`).

    Does not: publish images or models, fill the collateral cache, create clusters, or create the subscription. The
    vault and its keys are protected from deletion unless the region is emulated, where nothing is lost with them.
    """

    dependencies: list[graph.Dependency]
    """The jurisdiction graph, known before anything exists."""
    outputs: Mapping[str, Any]
    """What the stack exports: for the command line, the evidence and the policies."""

    def __init__(self, name: str, args: SovereignRegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(args)
        self._stem = name
        self._args = args
        self._spec = args.spec
        self._machines = single_machines(args.spec)
        self._domain = f"{name}.bailiwick.internal"
        self._verifier_url = f"http://{HOST}.{self._domain}:{VERIFIER_PORT}"
        group_name = azure_name("resource group", f"bailiwick-{name}")
        self._placement = self._place(group_name)
        self.dependencies = dependencies(self._endpoints())
        graph.refuse_leaving(TYPE, self.dependencies, args.spec.jurisdiction)
        release = plan(args.spec, self._placement, directory=args.reference_values, verifier_url=self._verifier_url)
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
        self.outputs = self._build(release)
        self.register_outputs(dict(self.outputs))

    def _place(self, resource_group_name: pulumi.Input[str]) -> Placement:
        spec = self._spec
        return Placement(
            stack=self._stem,
            subscription_id=spec.subscription_id,
            tenant_id=spec.tenant_id,
            location=spec.location,
            resource_group_name=resource_group_name,
            tags=Tags(jurisdiction=spec.jurisdiction, data_class=spec.data_class, owner=spec.owner, stack=self._stem),
        )

    def _build(self, release: ReleasePlan) -> dict[str, Any]:
        spec, name, child = self._spec, self._stem, self._child
        self._guards = [self._guard()] if spec.residency_guard else []
        net = SovereignNetwork(
            f"{name}-network",
            SovereignNetworkArgs(
                placement=self._placement, address_space=spec.network.address_space, domain=self._domain
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
        vault = KeyVault(
            f"{name}-keys",
            KeyVaultArgs(
                placement=self._placement,
                service=spec.keys.service,
                soft_delete_days=spec.keys.soft_delete_days,
                rotation_days=spec.keys.rotation_days,
                model_keys=tuple(release.images.models),
                disk_keys=release.disks,
                subnet_id=net.subnet_ids[Segment.ENDPOINTS],
                zone_ids=net.zone_ids,
                audit_account_id=audit.account_id,
                workspace_id=audit.workspace_id,
                destroyable_keys=spec.emulated,
            ),
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
        verifier = self._verifier(release, net, vault, disks[_disk_key(spec.verifier)])
        machines = {
            machine.name: self._machine(machine, net, models, disks[_disk_key(machine)], verifier)
            for machine in self._machines
        }
        return self._outputs(audit=audit, vault=vault, models=models, verifier=verifier, machines=machines)

    def _guard(self) -> ResidencyGuard:
        """The guard comes before the machines: a size that is new here must be allowed before it is asked for."""
        args = ResidencyGuardArgs(
            placement=self._placement,
            sizes=[self._spec.verifier.size, *(machine.size for machine in self._machines)],
            whole_subscription=self._args.guard_subscription,
        )
        return ResidencyGuard(f"{self._stem}-guard", args, opts=self._child)

    def _disk_encryption(self, label: str, vault: KeyVault) -> ConfidentialDiskEncryption:
        return ConfidentialDiskEncryption(
            f"{self._stem}-disks-{label}",
            ConfidentialDiskEncryptionArgs(
                placement=self._placement,
                label=label,
                key_id=vault.disk_key_ids[label],
                key_url=vault.disk_key_urls[label],
                vault_id=vault.id,
                orchestrator_principal_id=self._args.orchestrator_principal_id,
            ),
            opts=self._child,
        )

    def _verifier(
        self, release: ReleasePlan, net: SovereignNetwork, vault: KeyVault, disks: ConfidentialDiskEncryption
    ) -> AttestationVerifier:
        spec = self._spec
        identity = WorkloadIdentity(
            f"{self._stem}-verifier-identity",
            WorkloadIdentityArgs(
                placement=self._placement,
                role=HOST,
                grants=[
                    Grant(f"unwrap-{model}", vault.unwrap_role_id, key_id)
                    for model, key_id in vault.model_key_ids.items()
                ],
            ),
            opts=self._child,
        )
        if spec.collateral_cache:
            CollateralCache(
                f"{self._stem}-collateral",
                CollateralCacheArgs(
                    placement=self._placement,
                    subnet_id=net.subnet_ids[Segment.ENDPOINTS],
                    zone_ids=net.zone_ids,
                    readers={HOST: identity.principal_id},
                ),
                opts=self._child,
            )
        configuration = guest_configuration.verifier(
            name=f"{HOST}.{self._domain}",
            region={"cloud": spec.cloud, "location": spec.location, "jurisdiction": spec.jurisdiction},
            trust_anchors=spec.verifier.trust_anchors,
            reference_values=release.images.of_workloads(),
            build_keys=reference_values.build_keys(self._args.reference_values),
            policies=release.images.models,
            images=release.images.model_images,
        )
        return AttestationVerifier(
            f"{self._stem}-verifier",
            AttestationVerifierArgs(
                placement=self._placement,
                replicas=spec.verifier.replicas,
                size=spec.verifier.size,
                tee=spec.verifier.tee,
                zones=catalog.load().region(spec.cloud, spec.location).zone_names or (),
                image_name=spec.verifier.image.name,
                image_version=spec.verifier.image.version,
                guest_configuration=configuration,
                subnet_id=net.subnet_ids[Segment.VERIFIER],
                frontend_address=net.address(Segment.VERIFIER, 0),
                endpoint_subnet_id=net.subnet_ids[Segment.ENDPOINTS],
                domain=self._domain,
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
    ) -> ConfidentialVm:
        identity = WorkloadIdentity(
            f"{self._stem}-{machine.name}-identity",
            WorkloadIdentityArgs(
                placement=self._placement,
                role=machine.name,
                grants=[Grant("read-models", Role.BLOB_READER.definition_id(self._placement), models.container_id)],
            ),
            opts=self._child,
        )
        return ConfidentialVm(
            f"{self._stem}-{machine.name}",
            ConfidentialVmArgs(
                placement=self._placement,
                role=machine.name,
                size=machine.size,
                tee=machine.tee,
                gpu=machine.gpu,
                zone=machine.zone,
                image_name=machine.image.name,
                image_version=machine.image.version,
                guest_configuration=guest_configuration.workload(
                    verifier_url=verifier.url,
                    model=machine.model,
                    account=models.account_name,
                    container=CONTAINER,
                ),
                subnet_id=net.subnet_ids[Segment.WORKLOAD],
                disk_encryption_set_id=disks.id,
                identity_id=identity.id,
            ),
            # A guest asks for its key and its model as soon as it boots, so that verifier and store are there first.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[verifier, models, *self._guards, *identity.assignments]
            ),
        )

    def _endpoints(self) -> Endpoints:
        """Where everything will be reached: every name follows from the specification."""
        spec, place = self._spec, self._placement
        return Endpoints(
            location=spec.location,
            network=SovereignNetwork.network_name(place),
            domain=self._domain,
            verifier_url=self._verifier_url,
            vault_uri=KeyVault.uri_in(place),
            key_service=spec.keys.service,
            attestation_origins=[authority.uri for authority in disk_authorities(place)],
            model_account=ModelStore.account_name_in(place),
            audit_account=AuditLog.account_name_in(place),
            workspace=AuditLog.workspace_name_in(place),
            collateral_url=CollateralCache.url_in(place) if spec.collateral_cache else None,
            hardware=hardware(spec),
            machines=[
                Machine(f"{HOST}-{index}", image_id(spec.verifier.image)) for index in range(spec.verifier.replicas)
            ]
            + [Machine(machine.name, image_id(machine.image)) for machine in self._machines],
        )

    def _outputs(
        self,
        *,
        audit: AuditLog,
        vault: KeyVault,
        models: ModelStore,
        verifier: AttestationVerifier,
        machines: Mapping[str, ConfidentialVm],
    ) -> dict[str, Any]:
        spec = self._spec
        return {
            "jurisdiction": spec.jurisdiction,
            "location": spec.location,
            "emulated": spec.emulated,
            "resourceGroup": self._placement.resource_group_name,
            "verifierUrl": verifier.url,
            "attestationProvider": verifier.provider_uri,
            "vaultUri": vault.uri,
            "keys": {
                machine.model: {"name": model_key_name(machine.model), "id": vault.model_key_ids[machine.model]}
                for machine in spec.machines
            },
            "machines": {
                machine.name: {
                    "id": machines[machine.name].id,
                    "name": machines[machine.name].machine_name,
                    "image": image_id(machine.image),
                    "model": machine.model,
                }
                for machine in self._machines
            },
            "verifierMachines": [{"id": machine.id, "name": machine.machine_name} for machine in verifier.machines],
            "modelStore": {"account": models.account_name, "container": CONTAINER},
            "auditStore": {"account": audit.account_name, "retentionDays": spec.audit.retention_days},
            **graph.outputs(self.dependencies, spec.jurisdiction),
        }


def _disk_key(machine: MachineSpec | VerifierSpec) -> tuple[str, Tee]:
    """By what the release plan knows the OS-disk key of a machine."""
    return image_id(machine.image), Tee(machine.tee)


def _check(args: SovereignRegionArgs) -> None:
    if args.spec.cloud != "azure":
        raise InputError(TYPE, "spec.cloud", f"{args.spec.cloud!r} is another cloud's", "azure")
    if args.spec.clusters:
        raise InputError(TYPE, "spec.clusters", "a region builds no cluster", "ConfidentialCluster beside the region")
    if not args.spec.emulated and args.orchestrator_principal_id is None:
        application = catalog.load().application("azure", "confidential-vm-orchestrator")
        raise InputError(
            TYPE,
            "orchestrator_principal_id",
            f"Azure starts no confidential VM with a customer key without {application.name}",
            f"the object id that `az ad sp show --id {application.app_id} --query id` prints",
        )
