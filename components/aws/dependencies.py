"""The jurisdiction graph of a region in AWS, as the catalogue's facts have it."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.aws.collateral_cache import CollateralCache
from components.aws.key_vault import KeyVault
from components.aws.model_store import ModelStore
from components.aws.placement import Placement
from components.graph import Carries, Dependency, Kind
from components.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the parts of one region are reached."""

    placement: Placement
    domain: str
    """The region's private DNS domain."""
    verifier_url: str
    key_service: str
    """Key service, as the catalogue names it."""
    audit_account: str
    workspace: str
    machines: Sequence[tuple[str, str]]
    """Name and image id of each confidential machine or group."""
    clusters: Sequence[str]
    """Names of the clusters."""
    cached_collateral: bool
    """Whether the region keeps the vendors' collateral itself."""


def dependencies(endpoints: Endpoints) -> list[Dependency]:
    """Every dependency of the region that its resources have, and of those resources' own services."""
    place = endpoints.placement
    here = Surroundings(place.cloud, place.location)
    part, service = here.part, here.service
    bucket = place.endpoint("s3")
    edges = [
        part(Kind.NETWORK, place.name("tag", "vpc"), endpoints.domain, Carries.CONTENT),
        part(Kind.VERIFIER, "verifier", endpoints.verifier_url, Carries.KEYS),
        *(part(Kind.COMPUTE, name, name, Carries.CONTENT) for name, _ in endpoints.machines),
        *(
            part(Kind.IMAGES, image, f"AMI bailiwick-{image}", Carries.CONTENT)
            for image in sorted({image for _, image in endpoints.machines})
        ),
        *(service(Kind.COMPUTE, "eks", name, Carries.METADATA) for name in endpoints.clusters),
        service(Kind.KEYS, endpoints.key_service, KeyVault.uri_in(place), Carries.KEYS),
        service(Kind.MODELS, "s3", f"{bucket}/{ModelStore.account_name_in(place)}", Carries.CONTENT),
        service(Kind.AUDIT_LOG, "s3", f"{bucket}/{endpoints.audit_account}", Carries.EVIDENCE),
        service(Kind.AUDIT_LOG, "cloudtrail", place.endpoint("cloudtrail"), Carries.EVIDENCE),
        service(Kind.AUDIT_LOG, "logs", endpoints.workspace, Carries.EVIDENCE),
        service(Kind.IDENTITY, "iam", place.endpoint("iam"), Carries.METADATA),
        service(Kind.IDENTITY, "sts", place.endpoint("sts"), Carries.METADATA),
        service(Kind.DNS, "route53-private", here.host("route53-private", "resolver"), Carries.METADATA),
        service(Kind.CONTROL_PLANE, "ec2", place.endpoint("ec2"), Carries.METADATA),
    ]
    if endpoints.cached_collateral:
        edges.append(service(Kind.COLLATERAL, "s3", CollateralCache.url_in(place), Carries.EVIDENCE))
    return edges
