"""The firewall rules of a region's network: everything is denied, then each flow is let through by name."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import catalog
from components.addresses import Segment
from components.guest_configuration import VERIFIER_PORT

HTTPS_PORT = 443
_PROBES = "load-balancer-health-checks"
"""Whence Google Cloud asks backends whether they serve, as the catalogue names it."""
_LOWEST_PRIORITY = 65_534
"""The last place before the implied rules, which let everything out."""
_FLOW_PRIORITY = 1000

Direction = Literal["INGRESS", "EGRESS"]


@dataclass(frozen=True, slots=True)
class Flow:
    """One kind of traffic that the network lets through; whatever no flow names is denied."""

    name: str
    source: Segment | Sequence[str]
    """Segment, or ranges outside the network."""
    target: Segment
    port: int
    """TCP port at the target."""
    why: str


def flows(cloud: str) -> tuple[Flow, ...]:
    """Every flow of a region in `cloud`, as the catalogue names it."""
    probes = catalog.load().private_endpoint(cloud, _PROBES).addresses
    return (
        Flow("attest", Segment.WORKLOAD, Segment.VERIFIER, VERIFIER_PORT, "guests attest and ask for their keys"),
        Flow("probe", probes, Segment.VERIFIER, VERIFIER_PORT, "the load balancer asks who is healthy"),
        Flow("fetch", Segment.WORKLOAD, Segment.ENDPOINTS, HTTPS_PORT, "guests fetch encrypted models"),
        Flow("unwrap", Segment.VERIFIER, Segment.ENDPOINTS, HTTPS_PORT, "the broker has keys unwrapped in the HSM"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One firewall rule of the network."""

    name: str
    why: str
    direction: Direction
    sources: Sequence[str] | None = None
    targets: Sequence[str] | None = None
    protocol: str = "tcp"
    ports: Sequence[str] | None = None
    denies: bool = False
    priority: int = _FLOW_PRIORITY


def deny_rules() -> Iterator[Rule]:
    """Deny all in and deny all out, for whatever no flow names."""
    why = "whatever no flow names"
    everywhere = ["0.0.0.0/0"]
    yield Rule(
        name="deny-ingress", why=why, direction="INGRESS", sources=everywhere, denies=True, priority=_LOWEST_PRIORITY
    )
    yield Rule(
        name="deny-egress", why=why, direction="EGRESS", targets=everywhere, denies=True, priority=_LOWEST_PRIORITY
    )


def flow_rules(cloud: str, prefixes: Mapping[Segment, ipaddress.IPv4Network]) -> Iterator[Rule]:
    """Each flow at both of its ends, as far as they are in the network."""
    for flow in flows(cloud):
        inside = isinstance(flow.source, Segment)
        sources = [str(prefixes[flow.source])] if isinstance(flow.source, Segment) else list(flow.source)
        for direction in _both_ends(inside=inside):
            yield Rule(
                name=f"{flow.name}-{direction.lower()}",
                why=flow.why,
                direction=direction,
                sources=sources,
                targets=[str(prefixes[flow.target])],
                ports=[str(flow.port)],
            )


def cluster_rules(
    cluster: str, ranges: Sequence[str], prefixes: Mapping[Segment, ipaddress.IPv4Network], apis: str
) -> Iterator[Rule]:
    """What a cluster needs: its nodes and pods among themselves, the verifier, the endpoints, and Google's APIs."""
    for direction in _both_ends(inside=True):
        yield Rule(
            name=f"{cluster}-inside-{direction.lower()}",
            why=f"nodes, pods and control plane of {cluster}",
            direction=direction,
            sources=ranges,
            targets=ranges,
            protocol="all",
        )
        yield Rule(
            name=f"{cluster}-attest-{direction.lower()}",
            why=f"pods of {cluster} attest and ask for their keys",
            direction=direction,
            sources=ranges,
            targets=[str(prefixes[Segment.VERIFIER])],
            ports=[str(VERIFIER_PORT)],
        )
    yield Rule(
        name=f"{cluster}-apis-egress",
        why=f"nodes of {cluster} reach storage, registry and control plane privately",
        direction="EGRESS",
        sources=ranges,
        targets=[str(prefixes[Segment.ENDPOINTS]), f"{apis}/32"],
        ports=[str(HTTPS_PORT)],
    )


def _both_ends(*, inside: bool) -> tuple[Direction, ...]:
    return ("EGRESS", "INGRESS") if inside else ("INGRESS",)
