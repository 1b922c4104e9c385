"""Fortanix DSM's groups of keys."""

from collections.abc import Iterator

from policies.subject import Property, Resource

_GROUP = "dsm:index:Group"


def quorums(resource: Resource) -> Iterator[Property]:
    """Who must agree before keys of a group are exported or its rules changed."""
    if resource.type == _GROUP:
        yield resource.props.at("approvalPolicy")
