"""The processor vendors' collateral, kept inside the region."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apps, core, meta, networking

from components.addresses import Segment
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.kubernetes.machine_settings import restricted_container, selector
from components.kubernetes.placement import REGION_LABEL, Placement, name_of
from components.kubernetes.sovereign_network import flow, namespace_peer, tcp

TYPE = "bailiwick:index:KubernetesCollateralCache"
ROLE = "collateral"
PORT = 8080
_READERS = (Segment.WORKLOAD, Segment.VERIFIER)
_VOLUME = "collateral"
_MOUNT = "/srv/collateral"
_USER = 10_001


@dataclass(frozen=True, slots=True)
class CollateralCacheArgs(ComponentArgs):
    """Inputs of `CollateralCache`."""

    placement: Placement
    """Where the cache is."""
    image: str
    """Image, pinned by digest, of a file server that serves `/srv/collateral` on port 8080 and runs as any user."""
    identity_id: pulumi.Input[str]
    """Name of the cache's service account, in segment `endpoints`."""
    storage_class: str | None = None
    """Storage class of its volume; None takes the cluster's default. It must offer ReadWriteMany."""
    size_gib: int = 2
    """Size of the volume, GiB."""


class CollateralCache(Component):
    """`bailiwick:index:KubernetesCollateralCache`: a file server in the region with the certificates, revocation lists
    and reference values of AMD, Intel and NVIDIA, from which verification works without asking a vendor.

    Creates a volume, two pods that serve it read-only, a service, and the network policies that open it to the guests
    and to the verifier.

    Guarantees: verification calls nobody outside the region; the cache's pods reach nothing. They are ordinary pods:
    what they serve is public and signed by the vendors, and the verifier checks that, so that who changes it can make
    verification fail, never pass.

    Does not: fetch. The verifier reads one file, `collateral.bundle`, which `bailiwick collateral export` writes;
    whoever carries it into the site copies it onto the volume before what is in it expires.
    """

    url: str
    """URL of the cache in the region."""

    def __init__(self, name: str, args: CollateralCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if "@sha256:" not in args.image:
            problem = f"{args.image} can become another image"
            raise InputError(TYPE, "image", problem, f"{args.image}@sha256:<digest>")
        place = args.placement
        self.url = self.url_in(place)
        super().__init__(TYPE, name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        claim = core.v1.PersistentVolumeClaim(
            f"{name}-volume",
            metadata=place.metadata(_VOLUME, Segment.ENDPOINTS),
            spec=core.v1.PersistentVolumeClaimSpecArgs(
                access_modes=["ReadWriteMany"],
                storage_class_name=args.storage_class,
                resources=core.v1.VolumeResourceRequirementsArgs(requests={"storage": f"{args.size_gib}Gi"}),
            ),
            opts=child,
        )
        apps.v1.Deployment(
            f"{name}-server",
            metadata=place.metadata(ROLE, Segment.ENDPOINTS),
            spec=apps.v1.DeploymentSpecArgs(
                replicas=2,
                selector=meta.v1.LabelSelectorArgs(match_labels=selector(ROLE)),
                template=_pod(args, name_of(claim)),
            ),
            opts=child,
        )
        core.v1.Service(
            f"{name}-service",
            metadata=place.metadata(ROLE, Segment.ENDPOINTS),
            spec=core.v1.ServiceSpecArgs(
                selector=selector(ROLE), ports=[core.v1.ServicePortArgs(name="http", port=PORT, target_port="http")]
            ),
            opts=child,
        )
        self._open(name, place)
        self.register_outputs({"url": self.url})

    def _open(self, name: str, place: Placement) -> None:
        child = pulumi.ResourceOptions(parent=self)
        readers = [namespace_peer(place, segment) for segment in _READERS]
        flow(
            f"{name}-in",
            place,
            Segment.ENDPOINTS,
            "serve-collateral",
            pods=selector(ROLE),
            ingress=[networking.v1.NetworkPolicyIngressRuleArgs(from_=readers, ports=[tcp(PORT)])],
            opts=child,
        )
        for segment in _READERS:
            to_cache = networking.v1.NetworkPolicyEgressRuleArgs(
                to=[namespace_peer(place, Segment.ENDPOINTS)], ports=[tcp(PORT)]
            )
            flow(f"{name}-out-{segment}", place, segment, "fetch-collateral", egress=[to_cache], opts=child)

    @staticmethod
    def url_in(placement: Placement) -> str:
        """URL of the region's cache."""
        return f"http://{placement.service_host(Segment.ENDPOINTS, ROLE)}:{PORT}"


def _pod(args: CollateralCacheArgs, claim: pulumi.Input[str]) -> "core.v1.PodTemplateSpecArgs":
    source = core.v1.PersistentVolumeClaimVolumeSourceArgs(claim_name=claim, read_only=True)
    small = {"cpu": "100m", "memory": "64Mi"}
    return core.v1.PodTemplateSpecArgs(
        metadata=meta.v1.ObjectMetaArgs(labels={**args.placement.labels, **selector(ROLE)}),
        spec=core.v1.PodSpecArgs(
            service_account_name=args.identity_id,
            automount_service_account_token=False,
            enable_service_links=False,
            node_selector={REGION_LABEL: args.placement.location},
            security_context=core.v1.PodSecurityContextArgs(
                run_as_non_root=True,
                run_as_user=_USER,
                seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
            ),
            containers=[
                core.v1.ContainerArgs(
                    name="main",
                    image=args.image,
                    ports=[core.v1.ContainerPortArgs(name="http", container_port=PORT)],
                    resources=core.v1.ResourceRequirementsArgs(requests=small, limits=small),
                    security_context=restricted_container(),
                    volume_mounts=[core.v1.VolumeMountArgs(name=_VOLUME, mount_path=_MOUNT, read_only=True)],
                )
            ],
            volumes=[core.v1.VolumeArgs(name=_VOLUME, persistent_volume_claim=source)],
        ),
    )
