"""The emulated TPM 2.0 of a confidential VM: PCRs of the SHA-256 bank, and quotes by an attestation key of its own.

Structures are those of the TCG "TPM 2.0 Library", part 2, big-endian, written here field by field, on purpose without
the verifier's own tables. The key lives as long as the machine runs.
"""

import hashlib
import struct
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.hardware.pcrs import PcrBank

MAX_NONCE_BYTES: Final = 64

_KEY_BITS: Final = 2048
_GENERATED: Final = b"\xffTCG"
_ATTEST_QUOTE: Final = 0x8018
_SHA256: Final = 0x000B
_CLOCK: Final = struct.Struct(">QIIB")  # milliseconds, reset count, restart count, safe
_FIRMWARE_VERSION: Final = 0x2024_0101_0000_0001
_SELECTION: Final = struct.Struct(">IHB3s")  # one selection: bank, size of the bit map, all 24 PCRs


class Vtpm:
    """A TPM that was just started."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        self._pcrs = PcrBank("sha256")

    @property
    def attestation_key(self) -> rsa.RSAPublicKey:
        """The public half of the key that signs quotes, and nothing that the TPM did not make."""
        return self._key.public_key()

    @property
    def pcrs(self) -> tuple[bytes, ...]:
        """The PCRs as they are, 32 bytes each."""
        return self._pcrs.values

    def extend(self, register: int, digest: bytes) -> None:
        """TPM2_PCR_Extend: PCR = SHA-256(PCR ‖ digest)."""
        self._pcrs.extend(register, digest)

    def quote(self, nonce: bytes) -> bytes:
        """TPM2_Quote over all PCRs: a TPMS_ATTEST whose extraData is `nonce`, at most 64 bytes."""
        if len(nonce) > MAX_NONCE_BYTES:
            raise ValueError(f"a TPM quotes at most {MAX_NONCE_BYTES} bytes, not {len(nonce)}")
        return b"".join(
            (
                _GENERATED,
                struct.pack(">H", _ATTEST_QUOTE),
                _sized(self._qualified_name()),
                _sized(nonce),
                _CLOCK.pack(60_000, 1, 0, 1),
                struct.pack(">Q", _FIRMWARE_VERSION),
                _SELECTION.pack(1, _SHA256, 3, b"\xff" * 3),
                _sized(hashlib.sha256(b"".join(self.pcrs)).digest()),
            )
        )

    def signature(self, quote: bytes) -> bytes:
        """The attestation key's RSASSA-PKCS1-v1_5 SHA-256 signature over a quote, bare; the same each time."""
        if not quote.startswith(_GENERATED):
            raise ValueError("an attestation key signs nothing but what its TPM made")
        return self._key.sign(quote, padding.PKCS1v15(), hashes.SHA256())

    def _qualified_name(self) -> bytes:
        """Algorithm and digest of the key's public area, here of its SubjectPublicKeyInfo."""
        public = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return struct.pack(">H", _SHA256) + hashlib.sha256(public).digest()


def _sized(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data
