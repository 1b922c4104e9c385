"""Policy documents, as AWS takes them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

VERSION = "2012-10-17"
"""The policy language's version (IAM reference, Version)."""

Statement = Mapping[str, Any]


def document(statements: Iterable[Statement]) -> str:
    """A policy of these statements, as the same text every time."""
    return json.dumps({"Version": VERSION, "Statement": list(statements)}, sort_keys=True)


def document_output(statements: Iterable[Statement]) -> pulumi.Output[str]:
    """A policy with parts that are known only when other resources exist."""
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": list(statements)}, sort_keys=True)
