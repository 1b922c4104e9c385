"""Init data of Confidential Containers: what a confidential pod's guest is told, bound to its evidence.

The annotation holds base64 of gzip of a TOML document (confidential-containers/trustee, `kbs/docs/initdata.md`):
`version`, `algorithm`, and under `[data]` one text for each file. The host puts the document's digest into the
evidence; here the emulated firmware binds the one file that a Bailiwick guest reads.
"""

import base64
import binascii
import gzip
import io
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from sandbox.values import Value

ANNOTATION: Final = "io.katacontainers.config.hypervisor.cc_init_data"
GUEST_FILE: Final = "bailiwick.json"
"""The file in the init data that configures a Bailiwick guest."""
_LARGEST_BYTES: Final = 4 * 1024 * 1024


class InitDataError(ValueError):
    """Init data that no guest can read; the message says what it should be."""


def read(annotation: str) -> dict[str, Any]:
    """The TOML document in the annotation."""
    try:
        packed = base64.b64decode(annotation, validate=True)
    except binascii.Error:
        raise InitDataError(f"annotation {ANNOTATION} is not base64") from None
    try:
        with gzip.open(io.BytesIO(packed)) as unpacked:
            text = unpacked.read(_LARGEST_BYTES + 1)
    except (OSError, EOFError):
        raise InitDataError(f"annotation {ANNOTATION} is not gzip inside base64") from None
    if len(text) > _LARGEST_BYTES:
        raise InitDataError(f"annotation {ANNOTATION} unpacks to more than {_LARGEST_BYTES} bytes")
    try:
        document = tomllib.loads(text.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InitDataError(f"annotation {ANNOTATION} holds no TOML: {error}") from None
    if document.get("version") is None or document.get("algorithm") not in ("sha256", "sha384", "sha512"):
        raise InitDataError(f"annotation {ANNOTATION}: init data needs version, and algorithm sha256, sha384 or sha512")
    if not isinstance(document.get("data"), dict):
        raise InitDataError(f"annotation {ANNOTATION}: init data needs a table [data]")
    return document


def guest_configuration(annotations: Mapping[str, Value]) -> bytes | None:
    """What a Bailiwick guest is told, or None for a guest that is told nothing."""
    annotation = annotations.get(ANNOTATION)
    if not isinstance(annotation, str):
        return None
    told = read(annotation)["data"].get(GUEST_FILE)
    return told.strip().encode() if isinstance(told, str) else None
