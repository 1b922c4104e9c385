"""The jurisdiction graph of a Google Cloud region: what it depends on, as the catalogue's facts have it."""

from dataclasses import dataclass

from components import external_manager
from components.graph import Carries, Dependency, Kind
from components.spec import ExternalManagerSpec
from components.surroundings import RegionEndpoints, Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints(RegionEndpoints):
    """Where the parts of one region are reached."""

    cloud: str
    network: str
    """Name of the network."""
    vault_uri: str
    external_manager: ExternalManagerSpec | None
    """Where the keys are outside the cloud; None where they are in its HSM."""
    storage_host: str
    """Host of Cloud Storage's private endpoint in the region."""
    model_account: str
    audit_account: str
    workspace: str


def dependencies(endpoints: Endpoints) -> list[Dependency]:
    """Every dependency of the region that its resources have, and of those resources' own services."""
    here = Surroundings(endpoints.cloud, endpoints.location)
    part, service, host = here.part, here.service, here.host
    cache = endpoints.collateral_url
    return [
        part(Kind.NETWORK, endpoints.network, endpoints.domain, Carries.CONTENT),
        *here.attested(endpoints.verifier_url, endpoints.guests, lambda image: f"image {image}"),
        *(service(Kind.COMPUTE, "gke", cluster, Carries.CONTENT) for cluster in endpoints.clusters),
        service(Kind.KEYS, endpoints.key_service, endpoints.vault_uri, Carries.KEYS),
        *([external_manager.dependency(endpoints.external_manager)] if endpoints.external_manager else []),
        *(
            [service(Kind.COLLATERAL, "cloud-storage", cache, Carries.EVIDENCE)]
            if cache
            else here.vendors(endpoints.hardware)
        ),
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
