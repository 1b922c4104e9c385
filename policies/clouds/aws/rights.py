"""What the policies of one role, read together with those of keys, let it do with keys.

A policy that is known only after deployment is left out: KEY-08 blocks it where a program gives it to a role, and
judges it again when it is made where AWS fills it in or a key has it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.clouds.aws.access import ATTACHMENT, GRANT, ROLE, allowed, speaks_of, statements, texts
from policies.clouds.aws.keys import HAVE_POLICIES
from policies.release import aws as language
from policies.release.model import MalformedDocument
from policies.subject import Principal, Property, Resource, Stack
from policies.terms import KeyRight

_ROLE_POLICY: Final = "aws:iam:RolePolicy"
_POLICY: Final = "aws:iam:Policy"
_KEY_POLICY: Final = "aws:kms:KeyPolicy"
_NAME: Final = re.compile(r"arn:[a-z-]+:(?:iam::\d{12}:role/(?:.*/)?|sts::\d{12}:assumed-role/)([^/]+)(?:/[^/]*)?")
_ARN: Final = re.compile(r"arn:[^*?]+")


def key_rights(stack: Stack) -> Iterator[KeyRight]:
    """By role: what its own policies, those attached to it, keys' policies and grants let it do."""
    keys = [one for one in stack.resources if one.type in HAVE_POLICIES]
    arns = {arn.text or "": one.urn for one in keys for arn in _known(one.props.at("arn"))}
    for one in stack.resources:
        if one.type == ROLE:
            stated = one.props.at("inlinePolicies")
            for inline in stated.items() if not stated.unknown else ():
                yield from _of_identity(one, inline.at("policy"), _itself(one), arns)
        elif one.type in {_ROLE_POLICY, ATTACHMENT}:
            for policy in [one] if one.type == _ROLE_POLICY else _attached(stack, one):
                for role in _roles(stack, one, "role"):
                    yield from _of_identity(policy, policy.props.at("policy"), role, arns)
        elif one.type in HAVE_POLICIES:
            yield from _of_key(stack, one)
        elif one.type == GRANT:
            yield from _granted(stack, one)


def _known(name: Property) -> Iterator[Property]:
    if name.stated and not name.unknown:
        yield name


def _itself(role: Resource) -> Principal:
    return Principal(next((name.text for name in _known(role.props.at("name"))), None), frozenset({role.urn}))


def _roles(stack: Stack, resource: Resource, key: str) -> list[Principal]:
    """The roles that a top-level property names, by name or ARN, or comes from; raises `UnknownProperty`."""
    named = resource.props.at(key)
    own = [one for one in stack.references(resource, key) if one.type == ROLE]
    if named.unknown and own:
        return [_itself(one) for one in own]
    return [Principal(_name(named.text or ""), frozenset(one.urn for one in own))]


def _name(role: str) -> str:
    match = _NAME.fullmatch(role)
    return match.group(1) if match else role


def _attached(stack: Stack, attachment: Resource) -> list[Resource]:
    """The policy of the stack that is attached; raises `UnknownProperty` for one whose name only the deployment tells
    and that no policy of the stack gives it."""
    own = [one for one in stack.references(attachment, "policyArn") if one.type == _POLICY]
    if not own:
        attachment.props.at("policyArn").value  # noqa: B018 - raises `UnknownProperty`
    return own


def _of_identity(resource: Resource, policy: Property, role: Principal, arns: Mapping[str, str]) -> Iterator[KeyRight]:
    for path, statement in statements(policy) if any(_known(policy)) else ():
        keys = _keys(statement, path, arns)
        for action in allowed(path, statement):
            yield from _of_action(role, resource, action, keys)


def _of_action(role: Principal, resource: Resource, action: Property, keys: frozenset[str]) -> Iterator[KeyRight]:
    for names, governs in ((language.PLAINTEXT_ACTIONS, False), (language.GOVERNING_ACTIONS, True)):
        if speaks_of(action, names):
            yield KeyRight(role, resource, action, governs, keys)


def _keys(statement: Mapping[str, Any], path: str, arns: Mapping[str, str]) -> frozenset[str]:
    """The keys of a statement, by URN or ARN; none where it has patterns."""
    targets = texts(statement.get("Resource", "*"), f"{path}.Resource")
    return frozenset(arns.get(one, one) for one in targets) if all(map(_ARN.fullmatch, targets)) else frozenset()


def _of_key(stack: Stack, resource: Resource) -> Iterator[KeyRight]:
    policy = resource.props.at("policy")
    if not any(_known(policy)):
        return
    try:
        found = language.rights(policy.text or "")
    except MalformedDocument:
        return  # the rule for the resource refuses it
    attached = stack.references(resource, "keyId") if resource.type == _KEY_POLICY else (resource,)
    keys = frozenset(one.urn for one in attached)
    for callers, governs in ((found.users, False), (found.governors, True)):
        for caller, path in callers.items():
            if _NAME.fullmatch(caller):
                yield KeyRight(Principal(_name(caller)), resource, Property(f"policy.{path}", caller), governs, keys)


def _granted(stack: Stack, grant: Resource) -> Iterator[KeyRight]:
    """What a grant allows: operations, which are actions without the service's name."""
    keys = frozenset(one.urn for one in stack.references(grant, "keyId"))
    for operation in grant.props.at("operations").items():
        action = Property(operation.path, f"kms:{operation.text}")
        for role in _roles(stack, grant, "granteePrincipal"):
            yield from _of_action(role, grant, action, keys)
