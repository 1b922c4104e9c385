"""AWS's IAM: what policies let roles do, and who may take or be given a role.

A policy is JSON in a text (IAM reference, Grammar of the JSON policy language). Statements that deny never make it
weaker, and are left out.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from policies.conditions import Matching, OneOf
from policies.release import documents
from policies.release.aws import GOVERNING_ACTIONS, PLAINTEXT_ACTIONS
from policies.release.model import MalformedDocument
from policies.subject import MalformedProperty, Property, Resource
from policies.terms import Role, Setting

_OF_IDENTITIES: Final = {
    "aws:iam:GroupPolicy": "policy",
    "aws:iam:Policy": "policy",
    "aws:iam:RolePolicy": "policy",
    "aws:iam:UserPolicy": "policy",
    "aws:ssoadmin:PermissionSetInlinePolicy": "inlinePolicy",
}
"""By type: the property with the policy."""
ROLE: Final = "aws:iam:Role"
ATTACHMENT: Final = "aws:iam:RolePolicyAttachment"
GRANT: Final = "aws:kms:Grant"
_OF_PERSONS: Final = frozenset(
    {
        "aws:iam:AccessKey",
        "aws:iam:GroupMembership",
        "aws:iam:GroupPolicy",
        "aws:iam:GroupPolicyAttachment",
        "aws:iam:PolicyAttachment",
        "aws:iam:User",
        "aws:iam:UserLoginProfile",
        "aws:iam:UserPolicy",
        "aws:iam:UserPolicyAttachment",
        "aws:ssoadmin:AccountAssignment",
    }
)
"""What gives permissions to users and groups, who are persons, or hold keys that persons can carry away."""
_BROAD: Final = Matching(
    r"(?!.*/(AdministratorAccess|PowerUserAccess|IAMFullAccess|AWSKeyManagementServicePowerUser|[\w-]*FullAccess)$).*",
    "a policy that lists what it allows",
)
_TAGGING: Final = re.compile(r"(?i)[a-z0-9-]+:((un)?tag\w*|(create|delete)tags|(put|delete)\w*tagging)")
_WORKLOADS: Final = Matching(
    r"Service:[a-z0-9.-]+|Federated:arn:[a-z-]+:iam::\d{12}:oidc-provider/\S+"
    r"|AWS:arn:[a-z-]+:iam::\d{12}:role/(?!aws-reserved/sso)[^*?$]+",
    "a service that runs workloads, their identity provider, or one role",
)
_ONE_ROLE: Final = Matching(
    r"arn:[a-z-]+:(iam::\d{12}:role/(?!aws-reserved/sso)|sts::\d{12}:assumed-role/)[^*?$]+", "the ARN of one role"
)


def role(resource: Resource) -> Role | None:
    """What the policies in `resource` let the identity do that has them. KEY-08 reads a key's own policy besides, and
    the policy of the stack behind an attachment whose name is not known yet."""
    if resource.type == ATTACHMENT:
        policy = resource.props.at("policyArn")
        return Role((), ()) if policy.unknown else _attached(policy)
    if resource.type in _OF_IDENTITIES:
        policies: tuple[Property, ...] = (resource.props.at(_OF_IDENTITIES[resource.type]),)
    elif resource.type == ROLE:
        policies = tuple(one.at("policy") for one in resource.props.at("inlinePolicies").items())
    else:
        return None
    actions = tuple(action for policy in policies for one in statements(policy) for action in allowed(*one))
    using = tuple(one for one in actions if speaks_of(one, PLAINTEXT_ACTIONS))
    others = (*(one for one in actions if one not in using), *_broad(resource))
    managing = tuple(one for one in others if speaks_of(one, GOVERNING_ACTIONS))
    return Role(others, using, managing, tuple(one for one in others if _TAGGING.fullmatch(one.text or "")))


def _broad(role: Resource) -> Iterator[Property]:
    """AWS's own policies that a role attaches to itself and that allow whatever a service can do."""
    for policy in role.props.at("managedPolicyArns").items() if role.type == ROLE else ():
        yield from _attached(policy).actions


def _attached(policy: Property) -> Role:
    """One of AWS's own policies: by their names, those that allow whatever a service can do."""
    return Role(() if _BROAD.holds(policy.text or "") else (Property(policy.path, "*"),), ())


def speaks_of(action: Property, names: tuple[str, ...]) -> bool:
    """Whether `action`, which may be a pattern, is one of `names` or covers one."""
    return any(fnmatchcase(name.lower(), (action.text or "").lower()) for name in names)


def allowed(path: str, statement: Mapping[str, Any]) -> Iterator[Property]:
    """Every action that `statement` allows; one that excludes actions allows all others."""
    for index, action in enumerate(texts(statement.get("Action", []), f"{path}.Action")):
        yield Property(f"{path}.Action[{index}]", action)
    if "NotAction" in statement:
        yield Property(f"{path}.NotAction", "*")


def statements(policy: Property) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The statements that allow, each with its path; raises `MalformedProperty` for what is no policy."""
    try:
        document = documents.member(documents.load(policy.text or ""), "", ("Statement",))
        stated = document["Statement"]
        for index, statement in enumerate(stated if isinstance(stated, list) else [stated]):
            if documents.member(statement, "")["Effect"] != "Deny":
                yield f"{policy.path}.Statement[{index}]", statement
    except (MalformedDocument, KeyError):
        raise MalformedProperty(policy.path, "a policy of IAM, in JSON") from None


def principals(statement: Mapping[str, Any]) -> list[str]:
    """Who a statement is about, with the kind in front; what it excludes leaves everybody else."""
    if "NotPrincipal" in statement:
        return ["*"]
    named = statement.get("Principal", {})
    if isinstance(named, str):
        return [named]
    kinds = _object(named, "Principal")
    return [f"{kind}:{one}" for kind, values in kinds.items() for one in texts(values, "Principal")]


def _object(value: Any, path: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = documents.member(value, path)
    except MalformedDocument:
        raise MalformedProperty(path, "an object") from None
    return found


def texts(value: Any, path: str) -> list[str]:
    try:
        return documents.texts(value, path)
    except MalformedDocument:
        raise MalformedProperty(path, "a text or a list of texts") from None


def holder(resource: Resource) -> Setting | None:
    """Who takes a role, or is given one: the first of them that is no workload."""
    if resource.type in _OF_PERSONS:
        return Setting(Property("type", resource.type), OneOf((ROLE,)), (resource.type,))
    if resource.type == GRANT:
        return Setting(resource.props.at("granteePrincipal"), _ONE_ROLE)
    if resource.type != ROLE:
        return None
    trust = resource.props.at("assumeRolePolicy")
    takers = [
        Property(f"{path}.Principal", one) for path, statement in statements(trust) for one in principals(statement)
    ]
    others = [one for one in takers if not _WORKLOADS.holds(one.value)]
    return Setting((others or takers or [trust])[0], _WORKLOADS)


def public_statements(policy: Property) -> Iterator[Property]:
    """The statements of a resource's policy that allow everybody something, without a condition."""
    for path, statement in statements(policy):
        everybody = {"*", "AWS:*"} & set(principals(statement))
        if everybody and not statement.get("Condition"):
            yield Property(f"{path}.Principal", "*")
