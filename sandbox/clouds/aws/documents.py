"""Policy documents: their grammar, as moto's IAM judges it, and the partition of every ARN in them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import BaseIAMPolicyValidator

from sandbox.clouds.aws import places
from sandbox.clouds.aws.resource import Call
from sandbox.clouds.resource import CloudError
from sandbox.values import Value

_ANYWHERE = ("arn:*:", "arn:${aws:Partition}:")


def well_formed(path: str, *, code: str = "MalformedPolicyDocument") -> Callable[[Call], None]:
    """A check that the document at `path`, where there is one, is a policy of the region's partition."""

    def judge(call: Call) -> None:
        text = call.inputs[path]
        if text is None:
            return
        document = parse(text, path, code)
        try:
            BaseIAMPolicyValidator(_without_principals(document)).validate()
        except MalformedPolicyDocument as error:
            raise CloudError(code, f"{path}: {error.message}") from None
        partition = places.place(call.region).partition
        for arn in _arns(document):
            if not arn.startswith((f"arn:{partition}:", *_ANYWHERE)):
                raise CloudError(code, f'{path}: Partition "{arn.split(":")[1]}" is not valid for resource "{arn}".')

    return judge


def parse(text: Value, path: str, code: str = "MalformedPolicyDocument") -> dict[str, Any]:
    """The policy document in a JSON text."""
    try:
        document = json.loads(text)
    except (TypeError, ValueError):
        raise CloudError(code, f"{path}: Syntax errors in policy.") from None
    if not isinstance(document, dict):
        raise CloudError(code, f"{path}: Syntax errors in policy.")
    return document


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a document, one or several."""
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def as_list(value: Value) -> list[Any]:
    """IAM writes a list of one as its element."""
    return [] if value is None else value if isinstance(value, list) else [value]


def _without_principals(document: dict[str, Any]) -> str:
    """moto's validator is for identity policies: who is meant is judged where the service knows principals."""
    trimmed = [
        {key: value for key, value in statement.items() if key not in ("Principal", "NotPrincipal")}
        for statement in statements(document)
    ]
    return json.dumps({**document, "Statement": trimmed})


def _arns(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith("arn:"):
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _arns(item)
    elif isinstance(value, list):
        for item in value:
            yield from _arns(item)
