"""Reading the members of a guest's message: what is missing or not as it should be is a Refusal that names it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from verifier.broker.problem import Kind, Refusal


def object_member(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The JSON object at `name`."""
    value = message.get(name)
    if not isinstance(value, Mapping):
        raise Refusal(Kind.MALFORMED, "message", f"the message needs the object {name}")
    return value


def text_member(message: Mapping[str, Any], name: str) -> str:
    """The text at `name`."""
    value = message.get(name)
    if not isinstance(value, str):
        raise Refusal(Kind.MALFORMED, "message", f"the message needs the text {name}")
    return value


def decode(value: Any, what: str) -> bytes:
    """Base64 text, or a list of byte values as Rust's serde writes a Vec<u8>."""
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
        if isinstance(value, list):
            return bytes(value)
    except (binascii.Error, ValueError, TypeError):
        pass
    raise Refusal(Kind.ATTESTATION, "evidence.encoding", f"{what} is not base64")


def encode(data: bytes) -> str:
    """Base64, as `decode` reads it."""
    return base64.b64encode(data).decode("ascii")
