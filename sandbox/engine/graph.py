"""Orders of resources: what something needs comes before it."""

from collections.abc import Sequence

from sandbox.engine.resource import ResourceState


def in_dependency_order(states: Sequence[ResourceState]) -> list[ResourceState]:
    """`states` with parents, providers and dependencies first, otherwise in the given order. Linear in the edges.

    Where one URN has two generations, a reference means the live one. A cycle cannot be registered; should a damaged
    state have one, it is cut where it was entered, so that nothing is lost.
    """
    by_urn: dict[str, ResourceState] = {}
    for state in states:
        if state.urn not in by_urn or not state.delete:
            by_urn[state.urn] = state
    ordered: list[ResourceState] = []
    entered: set[int] = set()
    for root in states:
        if id(root) in entered:
            continue
        entered.add(id(root))
        path = [(root, iter(sorted(root.needed_urns())))]
        while path:
            state, needed = path[-1]
            next_needed = next(
                (by_urn[urn] for urn in needed if urn in by_urn and id(by_urn[urn]) not in entered), None
            )
            if next_needed is None:
                ordered.append(state)
                path.pop()
            else:
                entered.add(id(next_needed))
                path.append((next_needed, iter(sorted(next_needed.needed_urns()))))
    return ordered
