"""The jurisdiction graph: everything that a region depends on, where it is, and whose law reaches it.

A region exports its graph as data (`as_records`). Policies, the evidence bundle and the drawing read the same records.
Two questions are asked of it. Which dependencies lie outside the jurisdiction (`leaving`)? And which lie inside while
another law can compel their operator (`reached_by_foreign_law`)? The first refuses a stack; the second is a fact that
the evidence states and that confidential computing answers: the operator has nothing to hand over in clear.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import catalog
from components.arguments import camel_case
from components.errors import InputError


class Kind(StrEnum):
    """What a region depends on something for."""

    COMPUTE = "compute"
    NETWORK = "network"
    DNS = "dns"
    KEYS = "keys"
    IDENTITY = "identity"
    VERIFIER = "verifier"
    COLLATERAL = "collateral"
    IMAGES = "images"
    MODELS = "models"
    AUDIT_LOG = "audit-log"
    CONTROL_PLANE = "control-plane"


class Carries(StrEnum):
    """The most sensitive thing that crosses the edge to a dependency, in clear or not."""

    CONTENT = "content"
    """Models, prompts, answers: the data that the jurisdiction is for."""
    KEYS = "keys"
    """Keys, wrapped or not, and the decisions to release them."""
    EVIDENCE = "evidence"
    """Attestation evidence, endorsements, results, logs of use."""
    METADATA = "metadata"
    """Names, sizes, settings and identities of resources; never data, keys or evidence."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """One dependency of a region: an edge from the stack to something that it cannot work, or cannot prove, without."""

    kind: Kind
    name: str
    """Name of the resource, or of the service where no resource of the stack stands for it."""
    endpoint: str
    """URL, host name or resource path by which it is reached; `offline` for what is only verified against."""
    location: str
    """Region as its operator names it, or `global`."""
    operator: str
    """Who runs it."""
    jurisdiction: str
    """Jurisdiction in whose territory it runs, as the catalogue names it."""
    legal_reach: tuple[str, ...]
    """Jurisdictions whose law can compel the operator, wherever the thing runs."""
    carries: Carries
    source: str
    """Where the location and the operator are stated."""


def leaving(graph: Iterable[Dependency], jurisdiction: str) -> list[Dependency]:
    """Dependencies that run outside `jurisdiction`, in the graph's order."""
    return [edge for edge in graph if not catalog.load().within(edge.jurisdiction, jurisdiction)]


def blocking(graph: Iterable[Dependency], jurisdiction: str) -> list[Dependency]:
    """Those that leave `jurisdiction` with content, keys or evidence: a stack that has one does not deploy."""
    return [edge for edge in leaving(graph, jurisdiction) if edge.carries is not Carries.METADATA]


def reached_by_foreign_law(graph: Iterable[Dependency], jurisdiction: str) -> list[Dependency]:
    """Dependencies whose operator answers to a law other than the jurisdiction's, wherever they run."""
    return [edge for edge in graph if not all(catalog.load().within(reach, jurisdiction) for reach in edge.legal_reach)]


def as_records(graph: Sequence[Dependency]) -> list[dict[str, Any]]:
    """The graph as JSON-ready records with camelCase names, ordered by kind and name."""
    ordered = sorted(graph, key=lambda edge: (edge.kind, edge.name, edge.endpoint))
    return [
        {camel_case(key): list(value) if isinstance(value, tuple) else value for key, value in asdict(edge).items()}
        for edge in ordered
    ]


def refuse_leaving(component: str, edges: Iterable[Dependency], jurisdiction: str) -> None:
    """Raise `InputError` in the name of a region's component when content, keys or evidence would leave."""
    if blocked := blocking(edges, jurisdiction):
        named = "; ".join(f"{edge.kind} {edge.name} is in {edge.jurisdiction}" for edge in blocked)
        raise InputError(component, "spec.location", f"content, keys or evidence would leave {jurisdiction}: {named}")


def outputs(edges: Sequence[Dependency], jurisdiction: str) -> dict[str, Any]:
    """The graph as a region exports it."""
    return {
        "jurisdictionGraph": as_records(edges),
        "edgesLeaving": as_records(leaving(edges, jurisdiction)),
        "foreignReach": sorted({edge.operator for edge in reached_by_foreign_law(edges, jurisdiction)}),
    }
