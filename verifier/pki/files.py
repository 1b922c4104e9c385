"""Certificates and CRLs in files that a person names: found by name, read as DER or PEM."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Final

from verifier.errors import MalformedEvidence, UnreadableInput

MAX_FILE_BYTES: Final = 2_097_152

_CERTIFICATE_SUFFIXES: Final = (".der", ".crt", ".cer", ".pem")

_PEM: Final = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----\s++([A-Za-z0-9+/=\s]++)-----END \1-----", re.ASCII)
"""Possessive, so that text which is no PEM in the end is read once and not once for each of its characters."""


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


def find(directory: Path, name: str) -> Path | None:
    """The certificate file called `name`, or else the first whose name ends in `_name` or `-name`."""
    candidates = [path for path in _files(directory) if path.suffix.lower() in _CERTIFICATE_SUFFIXES]
    exact = [path for path in candidates if path.stem.lower() == name]
    prefixed = [path for path in candidates if re.search(rf"[_-]{name}$", path.stem.lower())]
    return next(iter(exact + prefixed), None)


def find_revocation_lists(directory: Path) -> list[Path]:
    """Files that end in `.crl`, and those called `crl` or `<name>_crl` in DER or PEM."""
    return [
        path
        for path in _files(directory)
        if path.suffix.lower() == ".crl"
        or (path.suffix.lower() in _CERTIFICATE_SUFFIXES and re.search(r"(^|[_-])crl$", path.stem.lower()))
    ]


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


def _files(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError as error:
        raise UnreadableInput(f"{directory}: {error.strerror or error}") from None


def _values(path: Path) -> list[bytes]:
    content = read_bytes(path)
    if content.lstrip().startswith(b"-----BEGIN "):
        values = pem_values(content)
        if not values:
            raise MalformedEvidence(0, f"{path}: PEM without a certificate or CRL")
        return values
    return [content]
