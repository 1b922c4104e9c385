"""The perimeter that a policy of a VPC endpoint draws: whose principals pass, and to whose resources.

AWS's own policy lets everybody pass: a guest that is handed the keys of another account takes data out through the
private path, past every rule for egress ("Building a data perimeter on AWS", network perimeter).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.clouds.aws.access import principals, statements, texts
from policies.conditions import Matching
from policies.subject import Property

NAMED: Final = Matching(
    r"[^*]+",
    "in each statement, principals or resources of named accounts (by their ARNs, or by a condition on"
    " aws:PrincipalAccount, aws:PrincipalOrgID, aws:ResourceAccount or aws:ResourceOrgID)",
)
_PRINCIPAL: Final = re.compile(r"AWS:(arn:[a-z-]+:(iam|sts)::)?\d{12}(:[^*?]+)?")
_RESOURCE: Final = re.compile(r"arn:[a-z-]+:(s3:::[^*?:/]+(/.*)?|[a-z0-9-]+:[a-z0-9-]*:\d{12}:.*)")
"""Of one account, or in a bucket of one name: buckets' ARNs have no account."""
_CONDITIONS: Final[Mapping[str, re.Pattern[str]]] = {
    "aws:principalaccount": re.compile(r"\d{12}"),
    "aws:resourceaccount": re.compile(r"\d{12}"),
    "aws:principalarn": re.compile(r"arn:[a-z-]+:(iam|sts)::\d{12}:.+"),
    "aws:principalorgid": re.compile(r"o-[a-z0-9]{10,32}"),
    "aws:resourceorgid": re.compile(r"o-[a-z0-9]{10,32}"),
}
"""By condition key, in small letters: a value that names whose they are."""
_OPERATORS: Final = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
"""Those that fail where the key is missing; with `IfExists` they pass."""


def parties(policy: Property) -> Iterator[Property]:
    """Whom each statement lets through: `*` for anybody, to anybody's resources."""
    for path, statement in statements(policy):
        yield Property(f"{path}.Principal", "named" if _named(statement, path) else "*")


def _named(statement: Mapping[str, Any], path: str) -> bool:
    callers = principals(statement)
    targets = texts(statement.get("Resource", "*"), f"{path}.Resource")
    return (
        (bool(callers) and all(map(_PRINCIPAL.fullmatch, callers)))
        or (bool(targets) and all(map(_RESOURCE.fullmatch, targets)))
        or any(_narrows(key, values) for key, values in _conditions(statement))
    )


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The keys that must be there and have one of these values."""
    condition = statement.get("Condition", {})
    for operator, keys in condition.items() if isinstance(condition, Mapping) else ():
        if operator.lower() in _OPERATORS and isinstance(keys, Mapping):
            yield from ((key.lower(), texts(values, key)) for key, values in keys.items())


def _narrows(key: str, values: list[str]) -> bool:
    return key in _CONDITIONS and bool(values) and all(map(_CONDITIONS[key].fullmatch, values))
