"""A whole sovereign region in a Kubernetes cluster, from its specification."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

import catalog
from components import graph, guest_configuration, reference_values
from components.addresses import Segment
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import HOST, model_key_name
from components.kubernetes import attestation_verifier
from components.kubernetes.attestation_verifier import AttestationVerifier, AttestationVerifierArgs
from components.kubernetes.audit_log import VOLUME, AuditLog, AuditLogArgs
from components.kubernetes.collateral_cache import ROLE as COLLATERAL
from components.kubernetes.collateral_cache import CollateralCache, CollateralCacheArgs
from components.kubernetes.confidential_vm import ConfidentialVm, ConfidentialVmArgs
from components.kubernetes.confidential_vm_group import ConfidentialVmGroup, ConfidentialVmGroupArgs
from components.kubernetes.dependencies import Endpoints, Machine, dependencies
from components.kubernetes.key_vault import KeyVault, KeyVaultArgs, token_uri
from components.kubernetes.model_store import CONTAINER, ModelStore, ModelStoreArgs
from components.kubernetes.placement import Placement
from components.kubernetes.residency_guard import ResidencyGuard, ResidencyGuardArgs
from components.kubernetes.runtime_classes import RuntimeClasses, RuntimeClassesArgs
from components.kubernetes.site import KEY, Site
from components.kubernetes.sovereign_network import SovereignNetwork, SovereignNetworkArgs
from components.kubernetes.workload_identity import WorkloadIdentity, WorkloadIdentityArgs
from components.release_plan import ImagePlan, image_id, plan
from components.spec import MachineSpec, RegionSpec
from components.tags import Tags

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
        _check(args)
        self._stem = name
        self._args = args
        self._spec = args.spec
        self._site = args.site
        self._placement = self._place()
        self.dependencies = dependencies(self._endpoints())
        graph.refuse_leaving(TYPE, self.dependencies, args.spec.jurisdiction)
        url = attestation_verifier.url_in(self._placement)
        images = plan(args.spec, directory=args.reference_values, verifier_url=url)
        super().__init__(TYPE, name, args, opts)
        self.outputs = self._build(images)
        self.register_outputs(dict(self.outputs))

    def _place(self) -> Placement:
        spec = self._spec
        return Placement(
            stack=self._stem,
            location=spec.location,
            tags=Tags(jurisdiction=spec.jurisdiction, data_class=spec.data_class, owner=spec.owner, stack=self._stem),
        )

    def _after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(resources))

    def _build(self, images: ImagePlan) -> dict[str, Any]:
        spec, name, place = self._spec, self._stem, self._placement
        net = SovereignNetwork(
            f"{name}-network",
            SovereignNetworkArgs(placement=place, address_space=spec.network.address_space),
            opts=self._after(),
        )
        runtimes = RuntimeClasses(
            f"{name}-runtimes",
            RuntimeClassesArgs(
                placement=place, tees=sorted({spec.verifier.tee, *(machine.tee for machine in spec.machines)})
            ),
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
        verifier = self._verifier(images, runtimes, audit, self._after(net, vault, *guards))
        machines = {
            machine.name: self._machine(
                machine, runtimes, models, verifier, self._after(net, verifier, models, *guards)
            )
            for machine in spec.machines
        }
        return self._outputs(audit=audit, vault=vault, models=models, verifier=verifier, machines=machines)

    def _guard(self, runtimes: RuntimeClasses) -> list[pulumi.Resource]:
        """The admission policies; what they guard starts when they hold."""
        if not self._spec.residency_guard:
            return []
        server = self._site.collateral_server
        registries = {self._site.registry, *([server.rpartition("/")[0]] if server else [])}
        args = ResidencyGuardArgs(
            placement=self._placement, runtime_classes=list(runtimes.names.values()), registries=sorted(registries)
        )
        return [ResidencyGuard(f"{self._stem}-guard", args, opts=self._after())]

    def _collateral(self, net: SovereignNetwork, guards: list[pulumi.Resource]) -> None:
        name, place = f"{self._stem}-collateral", self._placement
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
        self, images: ImagePlan, runtimes: RuntimeClasses, audit: AuditLog, opts: pulumi.ResourceOptions
    ) -> AttestationVerifier:
        spec, place = self._spec, self._placement
        identity = WorkloadIdentity(
            f"{self._stem}-verifier-identity",
            WorkloadIdentityArgs(placement=place, role=HOST, segment=Segment.VERIFIER),
            opts=opts,
        )
        configuration = guest_configuration.verifier(
            name=attestation_verifier.host_in(place),
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
                placement=place,
                role=HOST,
                size=spec.verifier.size,
                tee=spec.verifier.tee,
                image_name=spec.verifier.image.name,
                image_version=spec.verifier.image.version,
                guest_images=self._site.guest_images,
                container_image=self._site.container_image(TYPE, spec.verifier.image),
                guest_configuration=configuration,
                runtime_class=runtimes.ids[spec.verifier.tee],
                identity_id=identity.id,
                segment=Segment.VERIFIER,
                replicas=spec.verifier.replicas,
                hsm=self._site.hsm,
                data_claim=audit.claim,
                vcpu=2,
                memory_gib=4,
            ),
            opts=opts,
        )

    def _machine(
        self,
        machine: MachineSpec,
        runtimes: RuntimeClasses,
        models: ModelStore,
        verifier: AttestationVerifier,
        opts: pulumi.ResourceOptions,
    ) -> ConfidentialVm | ConfidentialVmGroup:
        name = f"{self._stem}-{machine.name}"
        identity = WorkloadIdentity(
            f"{name}-identity", WorkloadIdentityArgs(placement=self._placement, role=machine.name), opts=opts
        )
        settings: dict[str, Any] = {
            "placement": self._placement,
            "role": machine.name,
            "size": machine.size,
            "tee": machine.tee,
            "gpu": machine.gpu,
            "image_name": machine.image.name,
            "image_version": machine.image.version,
            "guest_images": self._site.guest_images,
            "container_image": self._site.container_image(TYPE, machine.image),
            "guest_configuration": guest_configuration.workload(
                verifier_url=verifier.url, model=machine.model, account=models.account_name, container=CONTAINER
            ),
            "runtime_class": runtimes.ids[machine.tee],
            "identity_id": identity.id,
        }
        if machine.count == 1:
            return ConfidentialVm(name, ConfidentialVmArgs(**settings, zone=machine.zone), opts=opts)
        return ConfidentialVmGroup(name, ConfidentialVmGroupArgs(**settings, count=machine.count), opts=opts)

    def _endpoints(self) -> Endpoints:
        """Where everything will be reached: every name follows from the specification and the site."""
        spec, site, place = self._spec, self._site, self._placement
        used = [(f"{HOST}-{index}", spec.verifier) for index in range(spec.verifier.replicas)]
        return Endpoints(
            location=spec.location,
            namespaces=[place.namespace(segment) for segment in Segment],
            verifier_url=attestation_verifier.url_in(place),
            token_uri=token_uri(site.hsm),
            key_service=spec.keys.service,
            registry=site.registry,
            model_store=site.model_store.endpoint.cidr,
            audit_claim=VOLUME,
            bucket=site.audit.bucket,
            collateral_url=CollateralCache.url_in(place) if spec.collateral_cache else None,
            cluster=spec.cluster,
            machines=[
                *(Machine(name, image_id(entry.image), entry.tee) for name, entry in used),
                *(Machine(machine.name, image_id(machine.image), machine.tee) for machine in spec.machines),
            ],
        )

    def _outputs(
        self,
        *,
        audit: AuditLog,
        vault: KeyVault,
        models: ModelStore,
        verifier: AttestationVerifier,
        machines: Mapping[str, ConfidentialVm | ConfidentialVmGroup],
    ) -> dict[str, Any]:
        spec = self._spec
        place = catalog.load().region(spec.cloud, spec.location)
        return {
            "jurisdiction": spec.jurisdiction,
            "location": spec.location,
            "operator": place.operator,
            "emulated": spec.emulated,
            "cluster": spec.cluster,
            "verifierUrl": verifier.url,
            "vaultUri": vault.uri,
            "keyCeremony": list(vault.key_ceremony),
            "keys": {
                machine.model: {"name": model_key_name(machine.model), "id": vault.model_key_ids[machine.model]}
                for machine in spec.machines
            },
            "machines": {
                machine.name: {
                    "id": machines[machine.name].id,
                    "name": machine.name,
                    "image": image_id(machine.image),
                    "model": machine.model,
                    "count": machine.count,
                }
                for machine in spec.machines
            },
            "verifierMachines": [{"id": verifier.id, "name": HOST}],
            "modelStore": {"account": models.account_name, "container": CONTAINER},
            "auditStore": {
                "account": audit.account_name,
                "retentionDays": spec.audit.retention_days,
                "writeOnce": audit.write_once,
            },
            **graph.outputs(self.dependencies, spec.jurisdiction),
        }


def _check(args: SovereignRegionArgs) -> None:
    if args.spec.provider != "kubernetes":
        raise InputError(TYPE, "spec.cloud", f"{args.spec.cloud!r} is another cloud's", "kubernetes")
    if args.spec.collateral_cache and args.site.collateral_server is None:
        raise InputError(
            TYPE,
            f"{KEY}.collateralServer",
            "is missing, and the region keeps the vendors' collateral itself",
            "<registry>/<file server>@sha256:<digest>, or bailiwick:collateralCache: false",
        )
