"""The jurisdiction graph of a region in AWS, as the catalogue's facts have it."""

from dataclasses import dataclass

from components import external_manager
from components.aws.key_vault import KeyVault
from components.aws.model_store import ModelStore
from components.aws.placement import Placement
from components.graph import Carries, Dependency, Kind
from components.spec import ExternalManagerSpec
from components.surroundings import RegionEndpoints, Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints(RegionEndpoints):
    """Where the parts of one region are reached."""

    placement: Placement
    external_manager: ExternalManagerSpec | None
    """Where the keys are outside the cloud; None where they are in AWS KMS."""
    audit_account: str
    workspace: str


def dependencies(endpoints: Endpoints) -> list[Dependency]:
    """Every dependency of the region that its resources have, and of those resources' own services."""
    place = endpoints.placement
    here = Surroundings(place.cloud, place.location)
    part, service = here.part, here.service
    bucket = place.endpoint("s3")
    cache = endpoints.collateral_url
    return [
        part(Kind.NETWORK, place.name("tag", "vpc"), endpoints.domain, Carries.CONTENT),
        *here.attested(endpoints.verifier_url, endpoints.guests, lambda image: f"AMI bailiwick-{image}"),
        *(service(Kind.COMPUTE, "eks", name, Carries.METADATA) for name in endpoints.clusters),
        service(Kind.KEYS, endpoints.key_service, KeyVault.uri_in(place), Carries.KEYS),
        *([external_manager.dependency(endpoints.external_manager)] if endpoints.external_manager else []),
        *([service(Kind.COLLATERAL, "s3", cache, Carries.EVIDENCE)] if cache else here.vendors(endpoints.hardware)),
        service(Kind.MODELS, "s3", f"{bucket}/{ModelStore.account_name_in(place)}", Carries.CONTENT),
        service(Kind.AUDIT_LOG, "s3", f"{bucket}/{endpoints.audit_account}", Carries.EVIDENCE),
        service(Kind.AUDIT_LOG, "cloudtrail", place.endpoint("cloudtrail"), Carries.EVIDENCE),
        service(Kind.AUDIT_LOG, "logs", endpoints.workspace, Carries.EVIDENCE),
        service(Kind.IDENTITY, "iam", place.endpoint("iam"), Carries.METADATA),
        service(Kind.IDENTITY, "sts", place.endpoint("sts"), Carries.METADATA),
        service(Kind.DNS, "route53-private", here.host("route53-private", "resolver"), Carries.METADATA),
        service(Kind.CONTROL_PLANE, "ec2", place.endpoint("ec2"), Carries.METADATA),
    ]
