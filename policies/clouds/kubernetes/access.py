"""Kubernetes' access control (RBAC): what roles allow, who holds them, and which of them lead into a pod."""

from collections.abc import Iterator
from typing import Final

from policies.conditions import Matching, OneOf
from policies.subject import Principal, Property, Resource, Stack
from policies.terms import KeyRight, Role, Setting, Unwanted

_GROUP: Final = "kubernetes:rbac.authorization.k8s.io:"
_ROLES: Final = frozenset({_GROUP + "Role", _GROUP + "ClusterRole"})
_BINDINGS: Final = frozenset({_GROUP + "RoleBinding", _GROUP + "ClusterRoleBinding"})
_INTO_PODS: Final = (
    "*",
    "nodes/proxy",
    "pods/*",
    "pods/attach",
    "pods/ephemeralcontainers",
    "pods/exec",
    "pods/portforward",
    "pods/proxy",
    "services/proxy",
)
_SECRETS: Final = "secrets"
_READING: Final = ("get", "list", "watch")
_GOVERNING: Final = ("bind", "escalate", "impersonate", "create", "update", "patch", "delete", "deletecollection")
_BUILT_IN: Final = Matching(r"(?!(cluster-admin|admin|edit)$).*", "a role that lists what it allows")


def role(resource: Resource) -> Role | None:
    """What `resource` allows: reading secrets is use of keys. Of the roles that every cluster has, a binding to one of
    those that allow whatever there is counts as a wildcard."""
    if resource.type in _BINDINGS:
        name = resource.props.at("roleRef", "name")
        return Role(() if _BUILT_IN.holds(name.text or "") else (Property(name.path, "*"),), ())
    if resource.type not in _ROLES:
        return None
    rules = resource.props.at("rules").items()
    words = (one for rule in rules for key in ("apiGroups", "resources", "verbs") for one in rule.at(key).items())
    using, managing = _verbs(rules, _READING), _verbs(rules, _GOVERNING)
    return Role(tuple(one for one in words if one not in using), using, managing)


def key_rights(stack: Stack) -> Iterator[KeyRight]:
    """By service account: what its roles together let it do with secrets, in which a cluster keeps keys."""
    for binding in (one for one in stack.resources if one.type in _BINDINGS):
        for subject in binding.props.at("subjects").items():
            holder = Principal("/".join(str(subject.at(key).value) for key in ("kind", "namespace", "name")))
            for own in (one for one in stack.resources if _is_bound(binding, one)):
                for rule in _on_secrets(own.props.at("rules").items()):
                    secrets = frozenset(str(one.value) for one in rule.at("resourceNames").items())
                    for verb in rule.at("verbs").items():
                        if verb.text in (*_READING, *_GOVERNING):
                            yield KeyRight(holder, own, verb, verb.text in _GOVERNING, secrets)


def _is_bound(binding: Resource, other: Resource) -> bool:
    """Whether `other` is the role of a binding: of that kind and name, and in its namespace where it is in one."""
    reference, meta = binding.props.at("roleRef"), other.props.at("metadata")
    if other.type not in _ROLES or reference.at("kind").value != other.type.rpartition(":")[2]:
        return False
    if reference.at("name").value != (meta.at("name").value or other.name):
        return False
    return (
        other.type.endswith("ClusterRole")
        or meta.at("namespace").value == binding.props.at("metadata", "namespace").value
    )


def _verbs(rules: tuple[Property, ...], verbs: tuple[str, ...]) -> tuple[Property, ...]:
    """Those of `verbs` that a rule on secrets allows."""
    return tuple(verb for rule in _on_secrets(rules) for verb in rule.at("verbs").items() if verb.text in verbs)


def _on_secrets(rules: tuple[Property, ...]) -> list[Property]:
    return [rule for rule in rules if any(one.text == _SECRETS for one in rule.at("resources").items())]


def holder(resource: Resource) -> Setting | None:
    """Who holds a role: service accounts; the first subject that is none."""
    if resource.type not in _BINDINGS:
        return None
    subjects = [one.at("kind") for one in resource.props.at("subjects").items()]
    others = [one for one in subjects if one.unknown or one.value != "ServiceAccount"]
    found = (others or subjects or [resource.props.at("subjects")])[0]
    return Setting(found, OneOf(("ServiceAccount",)), ("User", "Group"))


def ways_into_pods(resource: Resource) -> Iterator[Unwanted]:
    """What a role allows that lets its holder into a running pod."""
    if resource.type in _ROLES:
        for rule in resource.props.at("rules").items():
            for one in rule.at("resources").items():
                if one.text in _INTO_PODS:
                    yield Unwanted(one, "a way into running pods")
