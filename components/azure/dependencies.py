"""The jurisdiction graph of an Azure region: what it depends on, as the catalogue's facts have it."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.azure import key_vault
from components.graph import Carries, Dependency, Kind
from components.surroundings import RegionEndpoints, Surroundings

CLOUD = "azure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints(RegionEndpoints):
    """Where the parts of one region are reached."""

    network: str
    """Name of the virtual network."""
    vault_uri: str
    cluster_vault_uri: str | None
    """The vault of the clusters' keys; None without clusters."""
    attestation_origins: Sequence[str]
    """The Azure Attestation providers that may vouch for an OS disk's machine."""
    model_account: str
    audit_account: str
    workspace: str


def dependencies(endpoints: Endpoints) -> list[Dependency]:
    """Every dependency of the region that its resources have, and of those resources' own services."""
    here = Surroundings(CLOUD, endpoints.location)
    part, service, host = here.part, here.service, here.host
    cache, cluster_keys = endpoints.collateral_url, endpoints.cluster_vault_uri
    return [
        part(Kind.NETWORK, endpoints.network, endpoints.domain, Carries.CONTENT),
        *here.attested(endpoints.verifier_url, endpoints.guests, lambda image: f"gallery image {image}"),
        *(service(Kind.COMPUTE, "aks", cluster, Carries.CONTENT) for cluster in endpoints.clusters),
        service(Kind.KEYS, endpoints.key_service, endpoints.vault_uri, Carries.KEYS),
        *([service(Kind.KEYS, key_vault.SERVICE, cluster_keys, Carries.KEYS)] if cluster_keys else ()),
        *(
            service(Kind.VERIFIER, "azure-attestation", origin, Carries.EVIDENCE)
            for origin in endpoints.attestation_origins
        ),
        service(Kind.COLLATERAL, "thim", f"http://{host('thim', 'vcek')}", Carries.EVIDENCE),
        *(
            [service(Kind.COLLATERAL, "blob-storage", cache, Carries.EVIDENCE)]
            if cache
            else here.vendors(endpoints.hardware)
        ),
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
