"""Signed checkpoints: a tree's size and root in the format of c2sp.org/tlog-checkpoint, as a c2sp.org/signed-note.

    verifier.example.internal/log
    3
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — verifier.example.internal/log <base64 of key ID (4 bytes) ‖ signature>

The signature is raw ES384 (96 bytes). signed-note assigns no identifier to ECDSA with SHA-384, so the type is FF
followed by "ecdsa-p384-sha384"; the key ID is SHA-256(name ‖ 0A ‖ type ‖ SubjectPublicKeyInfo)[:4], as it recommends.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from verifier.log.merkle import HASH_BYTES
from verifier.signer import Signer, verifies

_SIGNATURE_TYPE = b"\xffecdsa-p384-sha384"
_KEY_ID_BYTES = 4
_MAX_BYTES = 16_384
_SIZE = re.compile("0|[1-9][0-9]{0,17}")


class CheckpointError(ValueError):
    """The text is not a checkpoint, or the expected key did not sign it."""


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: the log's name (origin), its number of entries and its root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The note text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"


def sign(checkpoint: Checkpoint, signer: Signer) -> str:
    """The signed note."""
    body = checkpoint.body()
    signature = _key_id(checkpoint.origin, signer.public_key) + signer.sign(body.encode("utf-8"))
    return f"{body}\n— {checkpoint.origin} {base64.b64encode(signature).decode('ascii')}\n"


def verify(note: str, public_key: ec.EllipticCurvePublicKey) -> Checkpoint:
    """Read a signed note and check `public_key`'s signature on it; CheckpointError says what does not hold."""
    if len(note) > _MAX_BYTES:
        raise CheckpointError(f"the checkpoint is longer than {_MAX_BYTES} characters")
    text, _, signatures = note.rpartition("\n\n")
    checkpoint = _parse(text + "\n")
    if not signatures.endswith("\n"):
        raise CheckpointError("the checkpoint is not signed")
    key_id = _key_id(checkpoint.origin, public_key)
    for line in signatures[:-1].split("\n"):
        name, _, encoded = line.removeprefix("— ").partition(" ")
        if not line.startswith("— "):
            raise CheckpointError("a signature line does not begin with an em dash")
        signature = _base64(encoded)
        if name != checkpoint.origin or signature[:_KEY_ID_BYTES] != key_id:
            continue
        if not verifies(public_key, checkpoint.body().encode("utf-8"), signature[_KEY_ID_BYTES:]):
            raise CheckpointError("the checkpoint's signature does not verify")
        return checkpoint
    raise CheckpointError("the checkpoint is not signed by the log's key")


def _parse(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) != 4 or not lines[0]:
        raise CheckpointError("a checkpoint has three lines: origin, size, root hash")
    if not _SIZE.fullmatch(lines[1]):
        raise CheckpointError(
            "the checkpoint's size is not a decimal number of at most 18 digits without leading zeros"
        )
    root = _base64(lines[2])
    if len(root) != HASH_BYTES:
        raise CheckpointError("the checkpoint's root is not a SHA-256 hash")
    return Checkpoint(lines[0], int(lines[1]), root)


def _key_id(name: str, public_key: ec.EllipticCurvePublicKey) -> bytes:
    info = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(name.encode("utf-8") + b"\n" + _SIGNATURE_TYPE + info).digest()[:_KEY_ID_BYTES]


def _base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CheckpointError("the checkpoint holds something that is not base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise CheckpointError("the checkpoint holds base64 that is not canonical")
    return data
