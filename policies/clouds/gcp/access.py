"""Google Cloud's IAM: what roles let their holders do, and who has them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.conditions import Matching
from policies.release import documents
from policies.release.model import MalformedDocument
from policies.subject import MalformedProperty, Property, Resource, Stack
from policies.terms import KeyRight, Role, Setting

_ROLES: Final = frozenset({"gcp:projects:IAMCustomRole", "gcp:organizations:IAMCustomRole"})
_MEMBER_SUFFIX, _BINDING_SUFFIX, _POLICY_SUFFIX = "IAMMember", "IAMBinding", "IAMPolicy"
_KEY: Final = "gcp:kms:CryptoKey"
_MANAGING: Final = (".create", ".update", ".delete", ".destroy", ".restore", ".setIamPolicy", ".import")
_LABELLING: Final = (".setLabels", ".createTagBinding", ".deleteTagBinding")
_WORKLOADS: Final = Matching(
    r"serviceAccount:[^@\s]+@[^@\s]+|principalSet://[^\s]+/attribute\.[^/\s]+/\S+|principal://\S+",
    "a service account, or principals of a workload identity pool with an attribute",
)
# Google's own roles (cloud.google.com/kms/docs/reference/permissions-and-roles); the basic ones have every permission.
_USERS: Final = re.compile(
    r"roles/(owner|editor|cloudkms\.(crypto(Key(En|De|EncrypterDe)crypter(ViaDelegation)?|Operator)|signer\w*|expert\w+))"
)
_GOVERNORS: Final = re.compile(
    r"roles/(owner|editor|cloudkms\.(admin|importer)|iam\.securityAdmin|resourcemanager\.\w+IamAdmin)"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One member who has one role; `through` is the top-level property that states who."""

    role: Property
    member: Property
    through: str


def role(resource: Resource) -> Role | None:
    """`resource` as a role of one's own; permissions that use a key are those on data."""
    if resource.type not in _ROLES:
        return None
    permissions = resource.props.at("permissions").items()
    used = tuple(one for one in permissions if ".use" in (one.text or "") or (one.text or "").endswith(".get"))
    others = tuple(one for one in permissions if one not in used)
    managing = tuple(one for one in others if (one.text or "").endswith(_MANAGING))
    return Role(others, used, managing, tuple(one for one in others if (one.text or "").endswith(_LABELLING)))


def holder(resource: Resource) -> Setting | None:
    """Who gets a role by `resource`: the first member that no workload is."""
    if not resource.type.endswith((_MEMBER_SUFFIX, _BINDING_SUFFIX, _POLICY_SUFFIX)):
        return None
    members = [one.member for one in grants(resource)]
    outsiders = [one for one in members if one.unknown or not _WORKLOADS.holds(one.value)]
    return Setting((outsiders or members or [resource.props.at("members")])[0], _WORKLOADS)


def grants(resource: Resource) -> tuple[Grant, ...]:
    """Who has which role by `resource`: one member, several, or all that a policy lists."""
    props = resource.props
    if resource.type.endswith(_MEMBER_SUFFIX):
        return (Grant(props.at("role"), props.at("member"), "member"),)
    if resource.type.endswith(_BINDING_SUFFIX):
        listed = props.at("members")
        members = (listed,) if listed.unknown else listed.items()
        return tuple(Grant(props.at("role"), one, "members") for one in members)
    return tuple(_listed(props.at("policyData"))) if resource.type.endswith(_POLICY_SUFFIX) else ()


def _listed(policy: Property) -> Iterator[Grant]:
    """The bindings of a policy, in JSON; raises `MalformedProperty`."""
    if policy.unknown or not policy.stated:
        yield Grant(policy, policy, policy.path)
        return
    try:
        bindings = Property(policy.path, documents.load(policy.text or "")).at("bindings").items()
    except MalformedDocument:
        raise MalformedProperty(policy.path, "a policy of IAM, in JSON") from None
    for binding in bindings:
        yield from (Grant(binding.at("role"), one, policy.path) for one in binding.at("members").items())


def key_rights(stack: Stack) -> Iterator[KeyRight]:
    """By member: what all of its roles together let it do with keys."""
    for one in stack.resources:
        for grant in grants(one):
            for governs in sorted(_of_role(stack, one, grant.role)):
                keys = frozenset(key.urn for key in stack.references(one, "cryptoKeyId") if key.type == _KEY)
                holder = stack.principal(one, grant.member, grant.through)
                yield KeyRight(holder, one, grant.role, governs, keys)


def _of_role(stack: Stack, resource: Resource, name: Property) -> set[bool]:
    """Whether a role uses keys (False), governs them (True), both or neither."""
    own = [one for one in stack.references(resource, "role") if one.type in _ROLES]
    if own:
        return {governs for one in own for governs in _of_permissions(one)}
    return {governs for governs, form in ((False, _USERS), (True, _GOVERNORS)) if form.fullmatch(name.text or "")}


def _of_permissions(own: Resource) -> Iterator[bool]:
    for permission in own.props.at("permissions").items():
        text = permission.text or ""
        if text.startswith("cloudkms."):
            yield from (False,) if ".useTo" in text else (True,) if text.endswith(_MANAGING) else ()
        elif text.endswith("projects.setIamPolicy"):
            yield True
