"""The jurisdiction graph of an Azure region: what it depends on, as the catalogue's facts have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.graph import Carries, Dependency, Kind
from components.surroundings import Surroundings

CLOUD = "azure"
_VENDOR_SERVICES: Mapping[str, Sequence[str]] = {
    "snp": ("amd-kds",),
    "tdx": ("intel-pcs",),
    "h100": ("nvidia-rim", "nvidia-ocsp"),
}
"""Where a verifier without a cache gets the collateral of each TEE and GPU."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A confidential VM, as the graph shows it."""

    name: str
    image: str
    """`<name>-<version>`."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the parts of one region are reached."""

    location: str
    network: str
    """Name of the virtual network."""
    domain: str
    """The region's private DNS domain."""
    verifier_url: str
    vault_uri: str
    key_service: str
    """Key service, as the catalogue names it."""
    attestation_origins: Sequence[str]
    """The Azure Attestation providers that may vouch for an OS disk's machine."""
    model_account: str
    audit_account: str
    workspace: str
    collateral_url: str | None
    """URL of the region's collateral cache; None where it has none."""
    hardware: Sequence[str]
    """TEEs and GPUs of the machines, as the catalogue names them."""
    machines: Sequence[Machine]


def dependencies(endpoints: Endpoints) -> list[Dependency]:
    """Every dependency of the region that its resources have, and of those resources' own services."""
    here = Surroundings(CLOUD, endpoints.location)
    part, service, host = here.part, here.service, here.host
    return [
        part(Kind.NETWORK, endpoints.network, endpoints.domain, Carries.CONTENT),
        part(Kind.VERIFIER, "verifier", endpoints.verifier_url, Carries.KEYS),
        *(part(Kind.COMPUTE, machine.name, machine.name, Carries.CONTENT) for machine in endpoints.machines),
        *(
            part(Kind.IMAGES, image, f"gallery image {image}", Carries.CONTENT)
            for image in sorted({machine.image for machine in endpoints.machines})
        ),
        service(Kind.KEYS, endpoints.key_service, endpoints.vault_uri, Carries.KEYS),
        *(
            service(Kind.VERIFIER, "azure-attestation", origin, Carries.EVIDENCE)
            for origin in endpoints.attestation_origins
        ),
        service(Kind.COLLATERAL, "thim", f"http://{host('thim', 'vcek')}", Carries.EVIDENCE),
        *_collateral(endpoints, here),
        service(
            Kind.MODELS,
            "blob-storage",
            f"https://{host('blob-storage', 'blob', endpoints.model_account)}",
            Carries.CONTENT,
        ),
        service(
            Kind.AUDIT_LOG,
            "blob-storage",
            f"https://{host('blob-storage', 'blob', endpoints.audit_account)}",
            Carries.EVIDENCE,
        ),
        service(Kind.AUDIT_LOG, "log-analytics", endpoints.workspace, Carries.EVIDENCE),
        service(Kind.IDENTITY, "entra-id", f"https://{host('entra-id', 'login')}", Carries.METADATA),
        service(Kind.DNS, "private-dns", host("private-dns", "resolver"), Carries.METADATA),
        service(Kind.CONTROL_PLANE, "resource-manager", f"https://{host('resource-manager', 'api')}", Carries.METADATA),
    ]


def _collateral(endpoints: Endpoints, here: Surroundings) -> list[Dependency]:
    """Where the verifier gets what a guest does not send along: the region's cache, else the vendors."""
    if endpoints.collateral_url is not None:
        return [here.service(Kind.COLLATERAL, "blob-storage", endpoints.collateral_url, Carries.EVIDENCE)]
    return [
        here.service(Kind.COLLATERAL, id_, f"https://{here.endpoints(id_)[0]}", Carries.EVIDENCE)
        for hardware in endpoints.hardware
        for id_ in _VENDOR_SERVICES[hardware]
    ]
