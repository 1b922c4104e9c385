"""The jurisdiction graph of a region in a cluster: what it depends on, as the customer's facts have it."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.graph import Carries, Dependency, Kind
from components.kubernetes.placement import CLOUD
from components.kubernetes.site import LockedBucket
from components.surroundings import RegionEndpoints, Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints(RegionEndpoints):
    """Where the parts of one region are reached."""

    namespaces: Sequence[str]
    token_uri: str
    registry: str
    model_store: str
    """Address range of the object store."""
    audit_claim: str
    bucket: LockedBucket | None
    """Bucket with object lock that the customer named."""
    cluster: str
    """Context of the cluster."""


def dependencies(endpoints: Endpoints) -> list[Dependency]:
    """Every dependency of the region that its objects have. The customer stated each fact, and the graph says so."""
    here = Surroundings(CLOUD, endpoints.location)
    part, cache = here.part, endpoints.collateral_url
    return [
        *(part(Kind.NETWORK, name, f"namespace {name}", Carries.CONTENT) for name in endpoints.namespaces),
        *here.attested(endpoints.verifier_url, endpoints.guests, lambda _: f"{endpoints.registry} and the nodes"),
        here.service(Kind.KEYS, endpoints.key_service, endpoints.token_uri, Carries.KEYS),
        *(
            [part(Kind.COLLATERAL, "collateral cache", cache, Carries.EVIDENCE)]
            if cache
            else here.vendors(endpoints.hardware)
        ),
        part(Kind.MODELS, "object store", endpoints.model_store, Carries.CONTENT),
        part(Kind.AUDIT_LOG, endpoints.audit_claim, f"volume claim {endpoints.audit_claim}", Carries.EVIDENCE),
        *([_bucket(endpoints.bucket)] if endpoints.bucket else []),
        part(Kind.DNS, "cluster DNS", "kube-dns.kube-system", Carries.METADATA),
        part(Kind.CONTROL_PLANE, "API server", f"context {endpoints.cluster}", Carries.METADATA),
    ]


def _bucket(bucket: LockedBucket) -> Dependency:
    """What the customer states of a bucket of its own; its operator answers to the law of where it is."""
    return Dependency(
        kind=Kind.AUDIT_LOG,
        name="object-lock bucket",
        endpoint=bucket.url,
        location=bucket.jurisdiction,
        operator=bucket.operator,
        jurisdiction=bucket.jurisdiction,
        legal_reach=(bucket.jurisdiction,),
        carries=Carries.EVIDENCE,
        source="stated by the customer in the stack file",
    )
