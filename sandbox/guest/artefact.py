"""Encrypted model artefacts: the file that a publisher stores and that only an attested guest can read.

Layout, integers big-endian:

    8 bytes   magic `BWMODEL1`
    4 bytes   length of the header
    n bytes   header, canonical JSON: model; sha256 and bytes of the plaintext; chunk_bytes; nonce_prefix (hex)
    chunks    AES-256-GCM of up to chunk_bytes of plaintext each, 16 bytes of tag after each

The nonce of chunk i is nonce_prefix (7 bytes) ‖ i (4 bytes) ‖ 1 for the last chunk, else 0 (1 byte): the
STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár (CRYPTO 2015), in which chunks can be neither
reordered nor cut off. The additional data of every chunk is the header, so that it is authenticated too.
"""

import hashlib
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from verifier import canonical

DEK_BYTES: Final = 32

_MAGIC: Final = b"BWMODEL1"
_CHUNK_BYTES: Final = 64 * 1024
_TAG_BYTES: Final = 16
_PREFIX_BYTES: Final = 7
_MAX_HEADER_BYTES: Final = 4096
_LENGTH: Final = struct.Struct(">I")
_NONCE: Final = struct.Struct(f">{_PREFIX_BYTES}sI?")


class ArtefactError(Exception):
    """The file is not an artefact, or not this key's, or was changed; the message says which."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A decrypted model. sha256: hex digest of `plaintext`, stated in the header and checked."""

    model: str
    plaintext: bytes
    sha256: str


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    sha256: str
    bytes: int = Field(ge=0)
    chunk_bytes: int = Field(gt=0, le=16 * 1024 * 1024)
    nonce_prefix: str = Field(pattern=f"^[0-9a-f]{{{2 * _PREFIX_BYTES}}}$")


def encrypt(model: str, plaintext: bytes, dek: bytes) -> bytes:
    """The artefact of `model` under the data key `dek` (32 bytes), which must be new: one key, one artefact."""
    header = _Header(
        model=model,
        sha256=hashlib.sha256(plaintext).hexdigest(),
        bytes=len(plaintext),
        chunk_bytes=_CHUNK_BYTES,
        nonce_prefix=secrets.token_hex(_PREFIX_BYTES),
    )
    encoded = canonical.encode(header.model_dump())
    cipher = AESGCM(dek)
    chunks = (
        cipher.encrypt(nonce, plaintext[start : start + header.chunk_bytes], encoded)
        for start, nonce in _positions(header)
    )
    return b"".join((_MAGIC, _LENGTH.pack(len(encoded)), encoded, *chunks))


def decrypt(data: bytes, dek: bytes) -> Artefact:
    """Open an artefact with its data key; ArtefactError when any byte is not what the publisher wrote."""
    header, encoded, position = _read_header(data)
    cipher = AESGCM(dek)
    plaintext = bytearray()
    for start, nonce in _positions(header):
        size = min(header.chunk_bytes, header.bytes - start) + _TAG_BYTES
        try:
            plaintext += cipher.decrypt(nonce, data[position : position + size], encoded)
        except InvalidTag:
            raise ArtefactError(f"the chunk at byte {position} was changed, or the key is another one") from None
        position += size
    if position != len(data):
        raise ArtefactError(f"{len(data) - position} bytes follow the last chunk")
    sha256 = hashlib.sha256(plaintext).hexdigest()
    if sha256 != header.sha256:
        raise ArtefactError(f"SHA-256 of the plaintext is {sha256}, the header says {header.sha256}")
    return Artefact(header.model, bytes(plaintext), sha256)


def _read_header(data: bytes) -> tuple[_Header, bytes, int]:
    """The header, its exact bytes, and where the first chunk starts."""
    start = len(_MAGIC) + _LENGTH.size
    if len(data) < start or not data.startswith(_MAGIC):
        raise ArtefactError(f"not an encrypted model: it does not start with {_MAGIC.decode('ascii')}")
    (length,) = _LENGTH.unpack_from(data, len(_MAGIC))
    if length > min(_MAX_HEADER_BYTES, len(data) - start):
        raise ArtefactError(f"the header claims {length} bytes")
    encoded = data[start : start + length]
    try:
        header = _Header.model_validate_json(encoded)
    except ValidationError as error:
        raise ArtefactError(f"the header has {error.error_count()} invalid fields") from None
    return header, encoded, start + length


def _positions(header: _Header) -> Iterator[tuple[int, bytes]]:
    """Start in the plaintext and nonce of every chunk; an empty plaintext is one empty chunk."""
    prefix = bytes.fromhex(header.nonce_prefix)
    last = max(0, header.bytes - 1) // header.chunk_bytes
    for index in range(last + 1):
        yield index * header.chunk_bytes, _NONCE.pack(prefix, index, index == last)
