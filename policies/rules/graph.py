"""RES, continued: what a region states about itself, and what goes on holding when this deployment is over.

The other RES rules judge resources. The jurisdiction graph also names what no resource stands for: the operator's
control plane, the source of collateral, the name service.
"""

from collections.abc import Iterator
from dataclasses import replace

from pulumi_policy import Severity

import catalog
from policies import examples, vocabulary
from policies.context import Declared
from policies.edges import GRAPH, places
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Property, Resource, Stack
from policies.terms import region_id
from policies.verdict import Finding, NotApplicable

GLOBAL = "global"
HARMLESS = "metadata"
"""What may leave: names, sizes and settings of resources, never data, keys or evidence."""


def _no_edge_leaves(stack: Stack, declared: Declared) -> Iterator[Finding]:
    regions = [one for one in stack.resources if vocabulary.is_region(one)]
    if not regions:
        raise NotApplicable("no component of the stack states a jurisdiction graph")
    for region in regions:
        edges = region.props.at(GRAPH).items()
        if not edges:
            yield Finding(GRAPH, "is empty", "every dependency of the region", region)
        for edge in edges:
            yield from _edge(region, edge, declared)


def _edge(region: Resource, edge: Property, declared: Declared) -> Iterator[Finding]:
    if edge.at("carries").text == HARMLESS:
        return
    allowed = f"a dependency inside {declared.area}, or one that carries {HARMLESS} only"
    location, jurisdiction = region_id(edge.at("location").text or ""), edge.at("jurisdiction").text or ""
    known = places(declared.cloud.id)
    if location not in known:
        where = "no place" if location == GLOBAL else "a place that the catalogue does not know"
        yield Finding(edge.at("location").path, f"is {where}, and content, keys or evidence go there", allowed, region)
    elif not declared.contains(known[location]):
        found = f"is '{location}' ({known[location]}), and content, keys or evidence go there"
        yield Finding(edge.at("location").path, found, allowed, region)
    elif jurisdiction not in catalog.load().jurisdictions:
        yield Finding(edge.at("jurisdiction").path, "is not in the catalogue", allowed, region)
    elif not declared.contains(jurisdiction):
        found = f"is {jurisdiction}, outside {declared.area}, and content, keys or evidence go there"
        yield Finding(edge.at("jurisdiction").path, found, allowed, region)


def _region(*edges: dict[str, str]) -> ExampleResource:
    return ExampleResource("bailiwick:index:AzureSovereignRegion", "region", {GRAPH: list(edges)})


_KEYS = {"kind": "keys", "location": examples.LOCATION, "jurisdiction": "DE", "carries": "keys"}
_CONTROL_PLANE = {"kind": "control-plane", "location": GLOBAL, "jurisdiction": "US", "carries": HARMLESS}

RES_11 = Rule(
    id="RES-11",
    title="No edge of the jurisdiction graph leaves the jurisdiction with content, keys or evidence",
    why="A region is as sovereign as the farthest thing that it needs in order to work, or to prove that it does.",
    severity=Severity.CRITICAL,
    remediation="replace the dependency by one inside the jurisdiction",
    check_stack=_no_edge_leaves,
    passing=Example(
        "Keys stay in Germany, in the cloud and at a trustee; the worldwide control plane sees names and settings.",
        (_region(_KEYS, {**_KEYS, "location": "DE"}, _CONTROL_PLANE),),
    ),
    failing=(
        Example("A trustee in America.", (_region({**_KEYS, "location": "US", "jurisdiction": "US"}),)),
        Example("Keys in Virginia.", (_region({**_KEYS, "location": "eastus", "jurisdiction": "US"}),)),
        Example(
            "A key service in Germany that falls back to the Netherlands.",
            (_region({**_KEYS, "jurisdiction": "EU"}),),
        ),
        Example(
            "Collateral from an address that is in no country.",
            (_region({**_KEYS, "kind": "collateral", "location": GLOBAL, "carries": "evidence"}),),
        ),
        Example("A region that states no dependency at all.", (_region(),)),
    ),
)


def _guarded(stack: Stack, _: Declared) -> Iterator[Finding]:
    regions = [one for one in stack.resources if vocabulary.is_region(one)]
    if not regions:
        raise NotApplicable("no component of the stack is a region that could be guarded")
    for region in regions:
        if not any(vocabulary.is_guard(one) for one in stack.inside(region)):
            found = "is missing: whoever deploys next may leave the jurisdiction, or make ordinary machines"
            yield Finding("residency guard", found, "a ResidencyGuard in the region", region)


def _guards_machines(resource: Resource, _: Declared) -> Iterator[Finding]:
    if not vocabulary.is_guard(resource):
        raise NotApplicable("guards nothing")
    weakness = vocabulary.weakness_of(resource, "plainMachinesAllowed")
    if weakness is not None:
        yield Finding(weakness.path, "lets in machines without confidential computing", "false")


_GUARD = ExampleResource("bailiwick:index:AzureResidencyGuard", "guard", {}, parent="region")

RES_12 = Rule(
    id="RES-12",
    title="The cloud itself holds residency when the deployment is over",
    why="These rules judge this program; the next tool, and the next person, meet only what the cloud enforces.",
    severity=Severity.MEDIUM,
    remediation="leave bailiwick:residencyGuard on, or waive this where an organisation's own policies do the same",
    confirm="that those who may change the cloud's policies are not those who deploy.",
    check=_guards_machines,
    check_stack=_guarded,
    passing=Example("A region with its guard.", (_region(_KEYS), _GUARD)),
    failing=(
        Example("A region without one.", (_region(_KEYS),)),
        Example(
            "A guard that lets ordinary machines in.",
            (_region(_KEYS), replace(_GUARD, props={"plainMachinesAllowed": True})),
        ),
        Example("A guard of another region.", (_region(_KEYS), replace(_GUARD, parent=None))),
    ),
)

RULES = (RES_11, RES_12)
