"""The jurisdiction graph of a Google Cloud region: what it depends on, as the catalogue's facts have it."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.graph import Carries, Dependency, Kind
from components.surroundings import Surroundings

_VENDOR_SERVICES = {"snp": ("amd-kds",), "tdx": ("intel-pcs",), "h100": ("nvidia-rim", "nvidia-ocsp")}
"""Where the collateral of a TEE or a GPU comes from when the region has no cache of it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A confidential VM, as the graph shows it."""

    name: str
    image: str
    """`<name>-<version>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the parts of one region are reached."""

    cloud: str
    location: str
    network: str
    """Name of the network."""
    domain: str
    """The region's private DNS domain."""
    verifier_url: str
    vault_uri: str
    key_service: str
    """Key service, as the catalogue names it."""
    storage_host: str
    """Host of Cloud Storage's private endpoint in the region."""
    model_account: str
    audit_account: str
    workspace: str
    collateral_url: str | None
    """URL of the collateral cache; None where the region has none."""
    tees: Sequence[str]
    """TEEs and GPUs in use, whose collateral verification needs."""
    machines: Sequence[Machine]
    clusters: Sequence[str]
    """Names of the Kubernetes clusters."""


def dependencies(endpoints: Endpoints) -> list[Dependency]:
    """Every dependency of the region that its resources have, and of those resources' own services."""
    here = Surroundings(endpoints.cloud, endpoints.location)
    part, service, host = here.part, here.service, here.host
    return [
        part(Kind.NETWORK, endpoints.network, endpoints.domain, Carries.CONTENT),
        part(Kind.VERIFIER, "verifier", endpoints.verifier_url, Carries.KEYS),
        *(part(Kind.COMPUTE, machine.name, machine.name, Carries.CONTENT) for machine in endpoints.machines),
        *(service(Kind.COMPUTE, "gke", cluster, Carries.CONTENT) for cluster in endpoints.clusters),
        *(
            part(Kind.IMAGES, image, f"image {image}", Carries.CONTENT)
            for image in sorted({machine.image for machine in endpoints.machines})
        ),
        service(Kind.KEYS, endpoints.key_service, endpoints.vault_uri, Carries.KEYS),
        *_collateral(endpoints, here),
        service(
            Kind.MODELS,
            "cloud-storage",
            f"https://{endpoints.storage_host}/{endpoints.model_account}",
            Carries.CONTENT,
        ),
        service(
            Kind.AUDIT_LOG,
            "cloud-storage",
            f"https://{endpoints.storage_host}/{endpoints.audit_account}",
            Carries.EVIDENCE,
        ),
        service(Kind.AUDIT_LOG, "cloud-logging", endpoints.workspace, Carries.EVIDENCE),
        service(Kind.IDENTITY, "iam", f"https://{host('iam', 'iam')}", Carries.METADATA),
        service(Kind.DNS, "cloud-dns", host("cloud-dns", "resolver"), Carries.METADATA),
        service(Kind.CONTROL_PLANE, "compute-engine", f"https://{host('compute-engine', 'api')}", Carries.METADATA),
        service(Kind.CONTROL_PLANE, "resource-manager", f"https://{host('resource-manager', 'api')}", Carries.METADATA),
    ]


def _collateral(endpoints: Endpoints, here: Surroundings) -> list[Dependency]:
    if endpoints.collateral_url is not None:
        return [here.service(Kind.COLLATERAL, "cloud-storage", endpoints.collateral_url, Carries.EVIDENCE)]
    return [
        here.service(Kind.COLLATERAL, id_, f"https://{next(iter(here.endpoints(id_)))}", Carries.EVIDENCE)
        for tee in endpoints.tees
        for id_ in _VENDOR_SERVICES[tee]
    ]
