"""A whole sovereign region in a Kubernetes cluster, from its specification."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from components import graph
from components.addresses import Segment
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import HOST
from components.kubernetes import attestation_verifier
from components.kubernetes.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.kubernetes.audit_log import VOLUME, AuditLog, AuditLogArgs
from components.kubernetes.collateral_cache import ROLE as COLLATERAL
from components.kubernetes.collateral_cache import CollateralCache, CollateralCacheArgs
from components.kubernetes.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.kubernetes.confidential_vm_group import ConfidentialVmGroup, ConfidentialVmGroupArgs
from components.kubernetes.dependencies import Endpoints, dependencies
from components.kubernetes.key_vault import KeyVault, KeyVaultArgs, token_uri
from components.kubernetes.model_store import CONTAINER, ModelStore, ModelStoreArgs
from components.kubernetes.placement import Placement
from components.kubernetes.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.kubernetes.runtime_classes import RuntimeClasses, RuntimeClassesArgs
from components.kubernetes.site import KEY, Site
from components.kubernetes.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.kubernetes.workload_identity import WorkloadIdentity, WorkloadIdentityArgs
from components.region import Outline, tags_of
from components.region_outputs import Exported, region_outputs
from components.release_plan import ImagePlan
from components.spec import MachineSpec, RegionSpec, VerifierSpec

TYPE = "bailiwick:index:KubernetesSovereignRegion"


@dataclass(frozen=True, slots=True)
class SovereignRegionArgs(ComponentArgs):
    """Inputs of `SovereignRegion`."""

    spec: RegionSpec
    """What the stack file says."""
    site: Site
    """What the operator of the site says about it."""
    reference_values: Path
    """Directory with the reference values of the images and the build's public keys."""


class SovereignRegion(Component):
    """`bailiwick:index:KubernetesSovereignRegion`: everything that one sovereign region is, in a cluster of one's own.

    Creates three closed namespaces, the runtime classes of the TEEs in use, admission policies that go on guarding the
    namespaces, the volume of the audit log, the references to the HSM and to the model store, a cache of the vendors'
    collateral, the verifier with its broker, and a confidential guest for each machine of the specification.

    Guarantees: what the parts guarantee; every guest image in use has reference values; every dependency is in the
    jurisdiction graph, with who stated it; nothing is registered when content, keys or evidence would leave the
    jurisdiction, or when the site is in nobody's facts.

    Does not: verify what the customer states. Kubernetes knows no place: where the site is, who runs it and what its
    nodes are is the customer's statement (`stacks/facts`), except for what evidence proves: the processor, its firmware
    and the guest. Nor does it install Confidential Containers, make keys, publish images or models, or fill the cache.
    """

    dependencies: list[graph.Dependency]
    """The jurisdiction graph, known before anything exists."""
    outputs: Mapping[str, Any]
    """What the stack exports: for the command line, the evidence and the policies."""

    def __init__(self, name: str, args: SovereignRegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        verifier = _checked(args)
        self._spec = args.spec
        self._site = args.site
        place = Placement(stack=name, location=args.spec.location, tags=tags_of(name, args.spec))
        host, url = attestation_verifier.host_in(place), attestation_verifier.url_in(place)
        self._placement = place
        self._outline = Outline(name, args.spec, args.reference_values, host, url)
        self.dependencies = dependencies(self._endpoints())
        graph.refuse_leaving(TYPE, self.dependencies, args.spec.jurisdiction)
        images = self._outline.plan()
        super().__init__(TYPE, name, args, opts)
        self.outputs = self._build(verifier, images)
        self.register_outputs(dict(self.outputs))

    def _after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(resources))

    def _build(self, verifier_spec: VerifierSpec, images: ImagePlan) -> dict[str, Any]:
        spec, name, place = self._spec, self._outline.stack, self._placement
        net = SovereignNetwork(
            f"{name}-network",
            SovereignNetworkArgs(placement=place, address_space=spec.network.address_space),
            opts=self._after(),
        )
        runtimes = RuntimeClasses(
            f"{name}-runtimes",
            RuntimeClassesArgs(placement=place, tees=self._outline.hardware),
            opts=self._after(),
        )
        guards = self._guard(runtimes)
        audit = AuditLog(
            f"{name}-audit",
            AuditLogArgs(
                placement=place,
                retention_days=spec.audit.retention_days,
                site=self._site.audit,
                destroyable=spec.emulated,
            ),
            opts=self._after(net),
        )
        vault = KeyVault(
            f"{name}-keys",
            KeyVaultArgs(
                placement=place,
                service=spec.keys.service,
                hsm=self._site.hsm,
                address_space=spec.network.address_space,
                model_keys=tuple(images.models),
                verifier_role=HOST,
            ),
            opts=self._after(net),
        )
        models = ModelStore(
            f"{name}-models",
            ModelStoreArgs(placement=place, site=self._site.model_store, address_space=spec.network.address_space),
            opts=self._after(net),
        )
        if spec.collateral_cache:
            self._collateral(net, guards)
        verifier = self._verifier(verifier_spec, images, runtimes, audit, self._after(net, vault, *guards))
        before = self._after(net, verifier, models, *guards)
        machines = {machine.name: self._machine(machine, runtimes, models, before) for machine in spec.machines}
        return region_outputs(
            spec,
            self.dependencies,
            own={"cluster": spec.cluster, "keyCeremony": list(vault.key_ceremony)},
            verifier_url=verifier.url,
            verifier_machines=[Exported(verifier.id, HOST)],
            vault_uri=vault.uri,
            model_key_ids=vault.model_key_ids,
            machines=[(machine, machines[machine.name]) for machine in spec.machines],
            clusters={},
            model_store={"account": models.account_name, "container": CONTAINER},
            audit_store={"account": audit.account_name, "writeOnce": audit.write_once},
        )

    def _guard(self, runtimes: RuntimeClasses) -> list[pulumi.Resource]:
        """The admission policies; what they guard starts when they hold."""
        if not self._spec.residency_guard:
            return []
        server = self._site.collateral_server
        own = [server.rpartition("/")[0]] if server else []
        registries = {self._site.registry, *own, *(one.name for one in self._spec.registries)}
        args = ResidencyGuardArgs(
            placement=self._placement, runtime_classes=list(runtimes.names.values()), registries=sorted(registries)
        )
        return [ResidencyGuard(f"{self._outline.stack}-guard", args, opts=self._after())]

    def _collateral(self, net: SovereignNetwork, guards: list[pulumi.Resource]) -> None:
        name, place = f"{self._outline.stack}-collateral", self._placement
        identity = WorkloadIdentity(
            f"{name}-identity",
            WorkloadIdentityArgs(placement=place, role=COLLATERAL, segment=Segment.ENDPOINTS),
            opts=self._after(net),
        )
        CollateralCache(
            name,
            CollateralCacheArgs(
                placement=place,
                image=str(self._site.collateral_server),
                identity_id=identity.id,
                storage_class=self._site.audit.storage_class,
            ),
            opts=self._after(net, *guards),
        )

    def _verifier(
        self,
        verifier: VerifierSpec,
        images: ImagePlan,
        runtimes: RuntimeClasses,
        audit: AuditLog,
        opts: pulumi.ResourceOptions,
    ) -> AttestationVerifier:
        place = self._placement
        identity = WorkloadIdentity(
            f"{self._outline.stack}-verifier-identity",
            WorkloadIdentityArgs(placement=place, role=HOST, segment=Segment.VERIFIER),
            opts=opts,
        )
        return AttestationVerifier(
            f"{self._outline.stack}-verifier",
            AttestationVerifierArgs(
                placement=place,
                role=HOST,
                **self._outline.verifier_settings(verifier, images, CollateralCache.url_in(self._placement)),
                guest_images=self._site.guest_images,
                container_image=self._site.container_image(TYPE, verifier.image),
                runtime_class=runtimes.ids[verifier.tee],
                identity_id=identity.id,
                segment=Segment.VERIFIER,
                hsm=self._site.hsm,
                data_claim=audit.claim,
                vcpu=2,
                memory_gib=4,
            ),
            opts=opts,
        )

    def _machine(
        self, machine: MachineSpec, runtimes: RuntimeClasses, models: ModelStore, opts: pulumi.ResourceOptions
    ) -> Exported:
        name = f"{self._outline.stack}-{machine.name}"
        identity = WorkloadIdentity(
            f"{name}-identity", WorkloadIdentityArgs(placement=self._placement, role=machine.name), opts=opts
        )
        settings: dict[str, Any] = {
            "placement": self._placement,
            **self._outline.machine_settings(machine, account=models.account_name, container=CONTAINER),
            "guest_images": self._site.guest_images,
            "container_image": self._site.container_image(TYPE, machine.image),
            "runtime_class": runtimes.ids[machine.tee],
            "identity_id": identity.id,
        }
        made: ConfidentialVm | ConfidentialVmGroup
        if machine.count > 1:
            made = ConfidentialVmGroup(name, ConfidentialVmGroupArgs(**settings, count=machine.count), opts=opts)
        else:
            made = ConfidentialVm(name, ConfidentialVmArgs(**settings, zone=machine.zone), opts=opts)
        return Exported(made.id, machine.name)

    def _endpoints(self) -> Endpoints:
        """Where everything will be reached: every name follows from the specification and the site."""
        spec, site, place, outline = self._spec, self._site, self._placement, self._outline
        return Endpoints(
            **outline.endpoints(spec.machines, CollateralCache.url_in(place)),
            namespaces=[place.namespace(segment) for segment in Segment],
            token_uri=token_uri(site.hsm),
            registry=site.registry,
            model_store=site.model_store.endpoint.cidr,
            audit_claim=VOLUME,
            bucket=site.audit.bucket,
            cluster=spec.cluster,
        )


def _checked(args: SovereignRegionArgs) -> VerifierSpec:
    """The region's verifier, when the region can be built; raises `InputError`."""
    if args.spec.provider != "kubernetes":
        raise InputError(TYPE, "spec.cloud", f"{args.spec.cloud!r} is another cloud's", "kubernetes")
    if args.spec.verifier is None:
        raise InputError(
            TYPE, "spec.verifier", "is missing, and a region in a cluster attests its guests", "a verifier"
        )
    if args.spec.collateral_cache and args.site.collateral_server is None:
        raise InputError(
            TYPE,
            f"{KEY}.collateralServer",
            "is missing, and the region keeps the vendors' collateral itself",
            "<registry>/<file server>@sha256:<digest>, or bailiwick:collateralCache: false",
        )
    return args.spec.verifier
