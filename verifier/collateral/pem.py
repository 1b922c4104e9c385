"""Objects of several parts, as PEM (RFC 7468) one after the other, so that each object can be verified by itself."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from verifier.errors import MalformedEvidence

CERTIFICATE: Final = "CERTIFICATE"
CRL: Final = "X509 CRL"
OCSP_RESPONSE: Final = "OCSP RESPONSE"

_LINE: Final = 64
_BLOCK: Final = re.compile(
    rb"-----BEGIN (CERTIFICATE|X509 CRL|OCSP RESPONSE)-----\s++([A-Za-z0-9+/=\s]++)-----END \1-----\s*+", re.ASCII
)
"""Possessive, so that text which is no PEM in the end is read once and not once for each of its characters."""


def armour(label: str, der: bytes) -> bytes:
    """One PEM block."""
    text = base64.b64encode(der).decode("ascii")
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode("ascii")


def certificates(*encoded: bytes) -> bytes:
    """DER certificates as PEM."""
    return b"".join(armour(CERTIFICATE, der) for der in encoded)


def split(content: bytes, *labels: str) -> tuple[list[bytes], bytes]:
    """The DER of the PEM blocks that an object starts with, whose labels must be these, and what follows them."""
    found: list[bytes] = []
    at = 0
    while match := _BLOCK.match(content, at):
        label = match[1].decode("ascii")
        if len(found) == len(labels) or label != labels[len(found)]:
            raise MalformedEvidence(at, f"a {label}, {_expected(labels, len(found))} expected")
        try:
            found.append(base64.b64decode(b"".join(match[2].split()), validate=True))
        except binascii.Error:
            raise MalformedEvidence(at, f"{label}: not base64") from None
        at = match.end()
    if len(found) != len(labels):
        raise MalformedEvidence(at, f"no PEM block, {_expected(labels, len(found))} expected")
    return found, content[at:]


def only(content: bytes, *labels: str) -> list[bytes]:
    """The same for an object with nothing behind the blocks."""
    found, rest = split(content, *labels)
    if rest:
        raise MalformedEvidence(len(content) - len(rest), f"{len(rest)} bytes too many")
    return found


def _expected(labels: tuple[str, ...], number: int) -> str:
    return f"a {labels[number]}" if number < len(labels) else "no more of them"
