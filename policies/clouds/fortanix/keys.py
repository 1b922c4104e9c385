"""Fortanix DSM's groups of keys, and the apps that use them."""

from collections.abc import Iterator

from policies.release import dsm as language
from policies.release.model import Reading
from policies.subject import Property, Resource
from policies.terms import ReleaseDocument

_GROUP = "dsm:index:Group"
_APPS = frozenset({"dsm:index:App", "dsm:index:AppNonApiKey"})


def quorums(resource: Resource) -> Iterator[Property]:
    """Who must agree before keys of a group are exported or its rules changed."""
    if resource.type == _GROUP:
        yield resource.props.at("approvalPolicy")


def release_documents(resource: Resource) -> Iterator[ReleaseDocument]:
    """What an app may do in its groups. No app of the provider's proves by its credential what it is."""
    if resource.type in _APPS:
        props = resource.props
        yield ReleaseDocument(props.at("otherGroupPermissions"), lambda: _app(props))


def _app(props: Property) -> Reading:
    given = {
        group: permissions.at(group).text or ""
        for permissions in (props.at("otherGroupPermissions"), props.at("modGroupPermissions"))
        for group in permissions.names()
    }
    groups = [one.text or "" for one in (props.at("defaultGroup"), *props.at("otherGroups").items())]
    return language.analyse_app([*given.values(), *(None for group in groups if group not in given)])
