"""A small evaluator of Azure's secure key release grammar 1.0.0, written from its description, to judge the compiler.

It knows what the grammar knows: authorities, `anyOf`, `allOf`, and conditions with one operator on one claim. A claim
that the token lacks satisfies no condition.
"""

import operator
from collections.abc import Mapping
from typing import Any

_OPERATORS = {
    "equals": operator.eq,
    "notEquals": operator.ne,
    "less": operator.lt,
    "lessOrEquals": operator.le,
    "greater": operator.gt,
    "greaterOrEquals": operator.ge,
}


def releases(document: Mapping[str, Any], *, issuer: str, claims: Mapping[str, Any]) -> bool:
    """Whether the document releases the key for a token of `issuer` with these claims."""
    if set(document) != {"version", "anyOf"} or document["version"] != "1.0.0":
        raise ValueError("not a document of grammar 1.0.0")
    return any(
        entry["authority"] == issuer and _holds({key: entry[key] for key in entry if key != "authority"}, claims)
        for entry in document["anyOf"]
    )


def _holds(condition: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    match condition:
        case {"allOf": [*parts], **rest} if parts and not rest:
            return all(_holds(part, claims) for part in parts)
        case {"anyOf": [*parts], **rest} if parts and not rest:
            return any(_holds(part, claims) for part in parts)
        case {"claim": str(claim), **rest} if len(rest) == 1:
            ((name, expected),) = rest.items()
            if claim not in claims:
                return False
            found = claims[claim]
            return type(found) is type(expected) and _OPERATORS[name](found, expected)
    raise ValueError(f"not a condition of grammar 1.0.0: {condition}")
