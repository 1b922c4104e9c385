"""The jurisdiction graph of a region in a cluster: what it depends on, as the customer's facts have it."""

from collections.abc import Sequence
from dataclasses import dataclass

import catalog
from components.graph import Carries, Dependency, Kind
from components.kubernetes.placement import CLOUD
from components.kubernetes.site import LockedBucket
from components.surroundings import Surroundings

_VENDOR_SERVICES = {"snp": ("amd-kds",), "tdx": ("intel-pcs",)}


@dataclass(frozen=True, slots=True)
class Machine:
    """A confidential guest, as the graph shows it."""

    name: str
    image: str
    """`<name>-<version>`."""
    tee: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the parts of one region are reached."""

    location: str
    namespaces: Sequence[str]
    verifier_url: str
    token_uri: str
    key_service: str
    """Key service, as the site's facts name it."""
    registry: str
    model_store: str
    """Address range of the object store."""
    audit_claim: str
    bucket: LockedBucket | None
    """Bucket with object lock that the customer named."""
    collateral_url: str | None
    """URL of the collateral cache; None where the region has none."""
    cluster: str
    """Context of the cluster."""
    machines: Sequence[Machine]


def dependencies(endpoints: Endpoints) -> list[Dependency]:
    """Every dependency of the region that its objects have. The customer stated each fact, and the graph says so."""
    here = Surroundings(CLOUD, endpoints.location)
    part = here.part
    return [
        *(part(Kind.NETWORK, name, f"namespace {name}", Carries.CONTENT) for name in endpoints.namespaces),
        part(Kind.VERIFIER, "verifier", endpoints.verifier_url, Carries.KEYS),
        *(part(Kind.COMPUTE, machine.name, machine.name, Carries.CONTENT) for machine in endpoints.machines),
        *(
            part(Kind.IMAGES, image, f"{endpoints.registry} and the nodes", Carries.CONTENT)
            for image in sorted({machine.image for machine in endpoints.machines})
        ),
        here.service(Kind.KEYS, endpoints.key_service, endpoints.token_uri, Carries.KEYS),
        *_collateral(endpoints, here),
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


def _collateral(endpoints: Endpoints, here: Surroundings) -> list[Dependency]:
    """Where verification gets what a guest does not send along: the region's cache, else the vendors."""
    if endpoints.collateral_url is not None:
        return [here.part(Kind.COLLATERAL, "collateral cache", endpoints.collateral_url, Carries.EVIDENCE)]
    vendors = catalog.load().vendor_services
    return [
        here.service(Kind.COLLATERAL, id_, f"https://{next(iter(vendors[id_].endpoints.values()))}", Carries.EVIDENCE)
        for tee in sorted({machine.tee for machine in endpoints.machines})
        for id_ in _VENDOR_SERVICES[tee]
    ]
