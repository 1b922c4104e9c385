"""Certificates and CRLs in files that a person names: found by name, read as DER or PEM."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Final

from verifier.errors import MalformedEvidence, UnreadableInput

MAX_FILE_BYTES: Final = 2_097_152

_PEM: Final = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----\s+([A-Za-z0-9+/=\s]+?)-----END \1-----", re.ASCII)


def read(path: Path) -> bytes:
    """The DER value in a file; the first one if it is PEM."""
    return _values(path)[0]


def certificates_in(path: Path) -> list[bytes]:
    """Every certificate of a file, DER: at least one."""
    return _values(path)


def pem_values(text: bytes) -> list[bytes]:
    """DER of each certificate or CRL in PEM text; empty when there is none."""
    values = []
    for match in _PEM.finditer(text):
        try:
            values.append(base64.b64decode(b"".join(match[2].split()), validate=True))
        except binascii.Error:
            raise MalformedEvidence(match.start(2), "PEM: not base64") from None
    return values


def find(directory: Path, name: str, suffixes: tuple[str, ...]) -> Path | None:
    """The file called `name`, or else the first ending in `_name` or `-name`, with one of the suffixes."""
    candidates = sorted(path for path in directory.iterdir() if path.suffix.lower() in suffixes)
    exact = [path for path in candidates if path.stem.lower() == name]
    prefixed = [path for path in candidates if re.search(rf"[_-]{name}$", path.stem.lower())]
    return next(iter(exact + prefixed), None)


def read_bytes(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Content of a file of at most `limit` bytes; UnreadableInput says why it cannot be had."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UnreadableInput(f"{path}: {error.strerror or error}") from None
    if len(content) > limit:
        raise UnreadableInput(f"{path}: larger than {limit} bytes")
    return content


def _values(path: Path) -> list[bytes]:
    content = read_bytes(path)
    if content.lstrip().startswith(b"-----BEGIN "):
        values = pem_values(content)
        if not values:
            raise MalformedEvidence(0, f"{path}: PEM without a certificate or CRL")
        return values
    return [content]
