"""A small evaluator of KMS key policies, written from IAM's description of its evaluation logic and string operators.

An explicit denial wins over any allowance. Names of condition keys have no letter case. Several values of one key are
alternatives; of a negated operator none may match. A key that the request lacks satisfies no positive operator, and
every negated one (IAM User Guide, "IAM JSON policy elements: Condition operators").
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

_POSITIVE = {
    "StringEquals": lambda found, wanted: found == wanted,
    "StringEqualsIgnoreCase": lambda found, wanted: found.lower() == wanted.lower(),
    "StringLike": fnmatchcase,
}
_NEGATED = {"StringNotEquals": "StringEquals"}


def allows(policy: Mapping[str, Any], action: str, principal: str, context: Mapping[str, str]) -> bool:
    """Whether the key policy alone lets `principal` do `action` in a request with this context."""
    keys = {name.lower(): value for name, value in {**context, "aws:PrincipalArn": principal}.items()}
    effects = [one["Effect"] for one in policy["Statement"] if _applies(one, action, principal, keys)]
    return "Deny" not in effects and "Allow" in effects


def _applies(statement: Mapping[str, Any], action: str, principal: str, keys: Mapping[str, str]) -> bool:
    named = statement["Principal"]
    arns = [named] if isinstance(named, str) else _list(named["AWS"])
    return (
        any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _list(statement["Action"]))
        and any(arn in ("*", principal) for arn in arns)
        and all(
            _holds(operator, keys.get(key.lower()), _list(values))
            for operator, block in statement.get("Condition", {}).items()
            for key, values in block.items()
        )
    )


def _holds(operator: str, found: str | None, wanted: list[str]) -> bool:
    if positive := _NEGATED.get(operator):
        return found is None or not any(_POSITIVE[positive](found, value) for value in wanted)
    return found is not None and any(_POSITIVE[operator](found, value) for value in wanted)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
