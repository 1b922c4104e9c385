"""The jurisdiction graph of an Azure region: what it depends on, as the catalogue's facts have it."""

from collections.abc import Sequence
from dataclasses import dataclass

import catalog
from components.graph import Carries, Dependency, Kind

CLOUD = "azure"


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
    machines: Sequence[Machine]


def residence(service_id: str, location: str) -> str:
    """The narrowest jurisdiction in which a service, used from `location`, does its work.

    A service that falls back to the paired region is in what both regions have in common, or in the pair's jurisdiction
    where that is nothing. A service that names no place is where its operator is.
    """
    facts = catalog.load()
    service = facts.service(CLOUD, service_id)
    region = facts.region(CLOUD, location)
    if service.location == "global":
        return service.operator_jurisdiction
    if service.location != "pair" or region.paired_region is None:
        return region.jurisdiction
    pair = facts.region(CLOUD, region.paired_region)
    return next((area for area in region.jurisdictions if area in pair.jurisdictions), pair.jurisdiction)


def dependencies(endpoints: Endpoints) -> list[Dependency]:
    """Every dependency of the region that its resources have, and of those resources' own services."""
    facts = catalog.load()
    cloud = facts.cloud(CLOUD)
    region = facts.region(CLOUD, endpoints.location)

    def part(kind: Kind, name: str, endpoint: str, carries: Carries) -> Dependency:
        """Something that runs on a machine or a network of the region itself."""
        return Dependency(
            kind=kind,
            name=name,
            endpoint=endpoint,
            location=region.id,
            operator=cloud.operator,
            jurisdiction=region.jurisdiction,
            legal_reach=(cloud.operator_jurisdiction,),
            carries=carries,
            source=_cited(region),
        )

    def service(kind: Kind, id_: str, endpoint: str, carries: Carries) -> Dependency:
        """Something that a service of the cloud does."""
        fact = facts.service(CLOUD, id_)
        return Dependency(
            kind=kind,
            name=fact.name,
            endpoint=endpoint,
            location=fact.location if fact.location == "global" else region.id,
            operator=fact.operator,
            jurisdiction=residence(id_, region.id),
            legal_reach=(fact.operator_jurisdiction,),
            carries=carries,
            source=_cited(fact),
        )

    def host(id_: str, kind: str, name: str = "") -> str:
        return facts.service(CLOUD, id_).endpoints[kind].format(name=name, workspace=name)

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


def _cited(fact: catalog.Fact) -> str:
    """The fact's sources and the day they were read."""
    return f"{', '.join(source.id for source in fact.source)} ({fact.date.isoformat()})"
