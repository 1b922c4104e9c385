"""The jurisdiction graph as rules read it: what the region component of a stack says that it depends on."""

from collections.abc import Iterator, Mapping
from functools import cache

import catalog
from policies import vocabulary
from policies.context import Declared
from policies.subject import Property, Resource, Stack
from policies.terms import region_id

GRAPH = "jurisdictionGraph"


def edges(stack: Stack, kind: str | None = None) -> Iterator[tuple[Resource, Property]]:
    """Each dependency with the region that states it; of one kind where `kind` is given (`components.graph.Kind`)."""
    for region in stack.resources:
        if vocabulary.is_region(region):
            yield from ((region, edge) for edge in of_kind(region.props.at(GRAPH), kind))


def of_kind(graph: Property, kind: str | None) -> Iterator[Property]:
    """The dependencies of `graph`, of one kind where that is given."""
    yield from (edge for edge in graph.items() if kind is None or edge.at("kind").text == kind)


@cache
def regions(cloud: str) -> Mapping[str, str]:
    """The narrowest jurisdiction of every region of the cloud, by its id."""
    return {one.id: one.jurisdiction for one in catalog.load().regions(cloud=cloud)}


@cache
def places(cloud: str) -> Mapping[str, str]:
    """The narrowest jurisdiction of every place that may be named: a region of the cloud, by its id, or where something
    is that is in no single region, a jurisdiction itself."""
    return {**{region_id(area): area for area in catalog.load().jurisdictions}, **regions(cloud)}


def inside(edge: Property, declared: Declared) -> bool:
    """Whether place and law of a dependency are inside the declared jurisdiction, as far as the catalogue knows."""
    location = region_id(edge.at("location").text or "")
    return location in declared.regions and declared.contains_known(edge.at("jurisdiction").text)
