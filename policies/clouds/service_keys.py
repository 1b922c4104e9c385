"""Where the clouds' services are told whose key encrypts what they keep."""

from collections.abc import Iterator, Mapping

from policies.subject import Property, Resource

Paths = tuple[tuple[str, ...], ...]
"""Paths of which each must be stated; `*` goes through every element of a list, and asks nothing of an empty one."""


def stated_in(resource: Resource, services: Mapping[str, Paths]) -> Iterator[Property]:
    """The keys that `resource` states, or should, by its type in `services`."""
    for path in services.get(resource.type, ()):
        yield from _at(resource.props, path)


def _at(props: Property, path: tuple[str, ...]) -> Iterator[Property]:
    if "*" not in path:
        yield props.at(*path)
        return
    start = path.index("*")
    listed = props.at(*path[:start])
    for element in (listed,) if listed.unknown else listed.items():
        yield from _at(element, path[start + 1 :])
