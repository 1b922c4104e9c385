"""Signatures by attestation keys: RSASSA-PKCS1-v1_5 and ECDSA (TCG, "TPM 2.0 Library", part 2, 11.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.tpm import layout
from verifier.tpm.reader import Reader

AttestationKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_HASHES: Final[dict[int, hashes.HashAlgorithm]] = {
    layout.SHA256: hashes.SHA256(),
    layout.SHA384: hashes.SHA384(),
    layout.SHA512: hashes.SHA512(),
}
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})


@dataclass(frozen=True, slots=True)
class TpmSignature:
    """A TPMT_SIGNATURE. scheme: RSASSA or ECDSA; hash_algorithm: of the scheme; parts: (signature,) or (r, s)."""

    scheme: int
    hash_algorithm: int
    parts: tuple[bytes, ...]


def parse_signature(data: bytes) -> TpmSignature:
    """Read a TPMT_SIGNATURE (11.3.4), and nothing after it; MalformedEvidence for any other scheme."""
    reader = Reader(bytes(data), "TPM signature")
    scheme = reader.number(2, "scheme")
    if scheme not in {layout.RSASSA, layout.ECDSA}:
        raise MalformedEvidence(0, f"signature scheme {scheme:#06x}; RSASSA (0x0014) and ECDSA (0x0018) are known")
    algorithm = reader.number(2, "hash algorithm")
    if algorithm not in layout.HASH_NAMES:
        raise MalformedEvidence(2, f"hash algorithm {algorithm:#06x} is not known")
    names = ("signature",) if scheme == layout.RSASSA else ("r", "s")
    parts = tuple(reader.sized(layout.MAX_SIGNATURE_BYTES, name) for name in names)
    reader.finish()
    return TpmSignature(scheme, algorithm, parts)


def rsassa_sha256(signature: bytes) -> TpmSignature:
    """A bare RSASSA-PKCS1-v1_5 SHA-256 signature, as Azure's and other agents cut it out."""
    if not 0 < len(signature) <= layout.MAX_SIGNATURE_BYTES:
        raise MalformedEvidence(
            0, f"TPM signature: {len(signature)} bytes given, 1 to {layout.MAX_SIGNATURE_BYTES} expected"
        )
    return TpmSignature(layout.RSASSA, layout.SHA256, (bytes(signature),))


def check_signature(signed: bytes, signature: TpmSignature, key: AttestationKey) -> None:
    """VerificationFailed unless `key`, of the scheme's kind and strong enough, made `signature` over `signed`."""
    algorithm = _HASHES.get(signature.hash_algorithm)
    if algorithm is None:
        name = layout.HASH_NAMES[signature.hash_algorithm]
        raise VerificationFailed("tpm.algorithm", f"the quote is signed with {name}, SHA-256 or stronger expected")
    try:
        if isinstance(key, rsa.RSAPublicKey):
            _check_rsa(signed, signature, key, algorithm)
        else:
            _check_ecdsa(signed, signature, key, algorithm)
    except InvalidSignature:
        raise VerificationFailed("tpm.signature", "the attestation key did not sign the quote") from None


def _check_rsa(signed: bytes, signature: TpmSignature, key: rsa.RSAPublicKey, algorithm: hashes.HashAlgorithm) -> None:
    if signature.scheme != layout.RSASSA:
        raise VerificationFailed("tpm.algorithm", "an ECDSA signature is offered for an RSA attestation key")
    if key.key_size < layout.MIN_RSA_BITS:
        raise VerificationFailed(
            "tpm.key", f"the attestation key has {key.key_size} bits, at least {layout.MIN_RSA_BITS} expected"
        )
    key.verify(signature.parts[0], signed, padding.PKCS1v15(), algorithm)


def _check_ecdsa(
    signed: bytes, signature: TpmSignature, key: ec.EllipticCurvePublicKey, algorithm: hashes.HashAlgorithm
) -> None:
    if signature.scheme != layout.ECDSA:
        raise VerificationFailed("tpm.algorithm", "an RSA signature is offered for an elliptic-curve attestation key")
    if key.curve.name not in _CURVES:
        raise VerificationFailed("tpm.key", f"the attestation key is on {key.curve.name}, a NIST prime curve expected")
    r, s = (int.from_bytes(part, "big") for part in signature.parts)
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(algorithm))
