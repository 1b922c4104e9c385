"""A TPM of our own, whose every quoted field a test can set, packed with offsets written here a second time."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

SHA1, SHA256, SHA384 = 0x0004, 0x000B, 0x000C
RSASSA, ECDSA = 0x0014, 0x0018
NAMES = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384"}
HASHES = {SHA1: hashes.SHA1(), SHA256: hashes.SHA256(), SHA384: hashes.SHA384()}


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def sized(data: bytes) -> bytes:
    return u16(len(data)) + data


def select(bank: int, registers: tuple[int, ...], size: int = 3) -> bytes:
    """A TPMS_PCR_SELECTION."""
    bits = sum(1 << register for register in registers)
    return u16(bank) + bytes([size]) + bits.to_bytes(size, "little")


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def default_pcrs() -> dict[int, dict[int, bytes]]:
    """24 PCRs of the SHA-256 bank, each its own."""
    return {SHA256: {register: hashlib.sha256(bytes([register])).digest() for register in range(24)}}


@dataclass(frozen=True)
class Tpm:
    """One quote with its signature. A test replaces the part it is about."""

    key: Any = field(default_factory=rsa_key)
    pcrs: dict[int, dict[int, bytes]] = field(default_factory=default_pcrs)
    selection: tuple[tuple[int, tuple[int, ...]], ...] = ((SHA256, tuple(range(24))),)
    nonce: bytes = b"challenge"
    hash_algorithm: int = SHA256
    changes: dict[str, bytes] = field(default_factory=dict)

    def with_parts(self, **changes: bytes) -> "Tpm":
        """The same TPM, with parts of the structure as given, signed anew."""
        return replace(self, changes=self.changes | changes)

    def quote(self) -> bytes:
        """The TPMS_ATTEST."""
        digest = hashlib.new(NAMES[self.hash_algorithm])
        for bank, registers in self.selection:
            for register in registers:
                digest.update(self.pcrs[bank][register])
        selections = b"".join(select(bank, registers) for bank, registers in self.selection)
        parts = {
            "magic": b"\xffTCG",
            "type": b"\x80\x18",
            "signer": sized(u16(SHA256) + bytes(32)),
            "extra": sized(self.nonce),
            "clock": (5).to_bytes(8, "big") + (6).to_bytes(4, "big") + (7).to_bytes(4, "big"),
            "safe": b"\x01",
            "firmware": (8).to_bytes(8, "big"),
            "select": len(self.selection).to_bytes(4, "big") + selections,
            "digest": sized(digest.digest()),
        }
        return b"".join((parts | self.changes).values())

    def signature(self) -> bytes:
        """The TPMT_SIGNATURE."""
        algorithm = HASHES[self.hash_algorithm]
        if isinstance(self.key, rsa.RSAPrivateKey):
            value = sized(self.key.sign(self.quote(), padding.PKCS1v15(), algorithm))
            return u16(RSASSA) + u16(self.hash_algorithm) + value
        r, s = decode_dss_signature(self.key.sign(self.quote(), ec.ECDSA(algorithm)))
        size = (self.key.key_size + 7) // 8
        halves = sized(r.to_bytes(size, "big")) + sized(s.to_bytes(size, "big"))
        return u16(ECDSA) + u16(self.hash_algorithm) + halves
