"""DSSE v1 envelopes (secure-systems-lab/dsse, envelope.md and protocol.md), signed with ES384.

The signature covers PAE(payloadType, payload), so neither can be exchanged. In the envelope a signature is
the base64 of a DER ECDSA-Sig-Value, which is what the in-toto and Sigstore tools write and read; `keyid` is
the SHA-256 of the signing key's SubjectPublicKeyInfo in hex, and is only a hint: `verify` tries every key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import canonical
from verifier.signer import Signer, der_to_raw, fingerprint, raw_to_der, verifies

IN_TOTO = "application/vnd.in-toto+json"
"""payloadType of an in-toto Statement (in-toto attestation framework v1, envelope.md)."""


class DsseError(ValueError):
    """The envelope is malformed, or no signature in it verifies with a trusted key."""


@dataclass(frozen=True)
class Verified:
    """What a verified envelope says.

    payload_type: the media type that was signed along with the payload.
    payload: the exact signed bytes.
    signers: fingerprints of the given keys that signed, in the order of the signatures.
    """

    payload_type: str
    payload: bytes
    signers: tuple[str, ...]

    def statement(self) -> dict[str, Any]:
        """The payload as an in-toto Statement v1; DsseError when it is something else."""
        if self.payload_type != IN_TOTO:
            raise DsseError(f"payloadType is {self.payload_type!r:.80}, {IN_TOTO!r} is expected")
        try:
            statement = canonical.parse_object(self.payload)
        except canonical.JsonError as error:
            raise DsseError(f"the payload is {error}") from None
        if statement.get("_type") != "https://in-toto.io/Statement/v1":
            raise DsseError("the payload is not an in-toto Statement v1")
        return statement


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding, protocol.md: "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload."""
    encoded_type = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(encoded_type), encoded_type, len(payload), payload)


def sign(payload_type: str, payload: bytes, signer: Signer) -> dict[str, Any]:
    """The JSON envelope with `signer`'s signature over `payload`."""
    signature = raw_to_der(signer.sign(pae(payload_type, payload)))
    return {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": payload_type,
        "signatures": [{"keyid": fingerprint(signer.public_key), "sig": base64.b64encode(signature).decode("ascii")}],
    }


def verify(envelope: Mapping[str, Any] | str | bytes, keys: Iterable[ec.EllipticCurvePublicKey]) -> Verified:
    """Check the envelope against the trusted `keys`; DsseError unless one of them made one of its signatures.

    Signatures by other keys are ignored, as protocol.md prescribes; malformed ones are refused.
    """
    if isinstance(envelope, str | bytes):
        try:
            envelope = canonical.parse_object(envelope)
        except canonical.JsonError as error:
            raise DsseError(f"the envelope is {error}") from None
    payload_type, payload, signatures = _read(envelope)
    message = pae(payload_type, payload)
    trusted = tuple(keys)
    signers = tuple(
        fingerprint(key) for signature in signatures for key in trusted if verifies(key, message, signature)
    )
    if not signers:
        raise DsseError(f"none of its {len(signatures)} signature(s) is by one of the {len(trusted)} trusted key(s)")
    return Verified(payload_type, payload, signers)


def _read(envelope: Mapping[str, Any]) -> tuple[str, bytes, list[bytes]]:
    """payloadType, payload bytes and raw signatures of a well-formed envelope."""
    payload_type, payload = envelope.get("payloadType"), envelope.get("payload")
    signatures = envelope.get("signatures")
    if not isinstance(payload_type, str) or not isinstance(payload, str):
        raise DsseError("the envelope needs the strings payload and payloadType")
    if not isinstance(signatures, list) or not signatures:
        raise DsseError("the envelope has no signatures")
    raw: list[bytes] = []
    for index, signature in enumerate(signatures):
        if not isinstance(signature, Mapping) or not isinstance(signature.get("sig"), str):
            raise DsseError(f"signatures[{index}] has no sig")
        der = decode_base64(signature["sig"], f"signatures[{index}].sig")
        try:
            raw.append(der_to_raw(der))
        except ValueError:
            raise DsseError(f"signatures[{index}].sig is not a P-384 signature in DER") from None
    return payload_type, decode_base64(payload, "payload"), raw


def decode_base64(text: str, where: str) -> bytes:
    """Decode standard base64 in its one canonical spelling, so that no byte of the text can change unseen.

    where: the member's name, for the DsseError when it is not.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise DsseError(f"{where} is not base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise DsseError(f"{where} is not canonical base64")
    return data
