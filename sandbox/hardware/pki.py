"""The sandbox's own stand-in for AMD: a root (ARK), an intermediate (ASK) and one VCEK per chip and TCB.

Shapes as in AMD 57230 ("VCEK Certificate and KDS Interface Specification"): ARK and ASK are RSA-4096, every
certificate is signed RSASSA-PSS with SHA-384, and the VCEK is a P-384 key whose certificate carries the chip
and its TCB in extensions. Every subject says that it is not AMD's. Real VCEKs have serial number 0, which
`cryptography` does not write; these have random ones. The stand-ins for Intel and NVIDIA are beside it (`intel_pki`,
`nvidia_pki`).
"""

from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.hardware import der
from sandbox.hardware.chip import PRODUCT_NAME, Chip
from sandbox.hardware.identity import LEAF_LIFETIME, Identity, authority, certificate, revocations, stored, subject
from sandbox.hardware.intel_pki import IntelPki
from sandbox.hardware.nvidia_pki import NvidiaPki

NOT_AMD: Final = "BAILIWICK SANDBOX - NOT AMD"

_AMD_OID: Final = "1.3.6.1.4.1.3704.1"
_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=hashes.SHA384.digest_size)


class SandboxPki:
    """The endorsement keys of the emulated hardware, in `directory` (made on first use)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def ark(self) -> Identity:
        """The self-signed root: a trust anchor only where a configuration names it."""
        return stored(self._directory / "ark.pem", _make_ark)

    @cached_property
    def ask(self) -> Identity:
        """The intermediate that signs the VCEKs."""
        ark = self.ark
        return stored(self._directory / "ask.pem", lambda: _make_ask(ark))

    @cached_property
    def intel(self) -> IntelPki:
        """The stand-in for Intel."""
        return IntelPki(self._directory / "intel")

    @cached_property
    def nvidia(self) -> NvidiaPki:
        """The stand-in for NVIDIA."""
        return NvidiaPki(self._directory / "nvidia")

    @property
    def roots(self) -> bytes:
        """The roots of all emulated vendors in PEM, and the ASK, which some evidence leaves to the verifier."""
        identities = (self.ark, self.ask, self.intel.root, self.nvidia.root, self.nvidia.rim_root)
        return b"".join(identity.pem for identity in identities)

    def vcek(self, chip: Chip) -> Identity:
        """The versioned chip endorsement key of `chip` at its TCB."""
        ask = self.ask
        return stored(self._vcek_file(chip.chip_id, chip.tcb.encode()), lambda: _make_vcek(chip, ask))

    def issued(self, chip_id: bytes, tcb: bytes) -> Identity | None:
        """The VCEK of a chip (64 bytes) at a TCB (8 bytes), if it was ever made."""
        path = self._vcek_file(chip_id, tcb)
        return stored(path, _vanished) if path.exists() else None

    def _vcek_file(self, chip_id: bytes, tcb: bytes) -> Path:
        return self._directory / "vcek" / f"{chip_id[:8].hex()}-{tcb.hex()}.pem"

    def revocation_list(self) -> bytes:
        """The root's CRL in DER, as of now: AMD publishes one for each product, and this one revokes nothing."""
        signed = revocations(self.ark).sign(self.ark.key, hashes.SHA384(), rsa_padding=_PSS)
        return signed.public_bytes(Encoding.DER)


def _vanished() -> Identity:
    raise FileNotFoundError("a VCEK's file was removed while it was read")


def _make_ark() -> Identity:
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    name = _name("ARK-Milan")
    return Identity(
        key,
        authority(name, key.public_key(), 1).issuer_name(name).sign(key, hashes.SHA384(), rsa_padding=_PSS),
    )


def _make_ask(ark: Identity) -> Identity:
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    builder = authority(_name("SEV-Milan"), key.public_key(), 0)
    return Identity(key, _signed(builder, ark))


def _make_vcek(chip: Chip, ask: Identity) -> Identity:
    key = ec.generate_private_key(ec.SECP384R1())
    builder = certificate(_name("SEV-VCEK"), key.public_key(), LEAF_LIFETIME)
    for suffix, value in _vcek_extensions(chip):
        oid = x509.ObjectIdentifier(f"{_AMD_OID}.{suffix}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return Identity(key, _signed(builder, ask))


def _vcek_extensions(chip: Chip) -> list[tuple[str, bytes]]:
    """AMD 57230, "VCEK certificate extensions": suffix of the OID and DER value; hwID is raw bytes."""
    tcb = chip.tcb
    versions = [tcb.bootloader, tcb.tee, tcb.snp, 0, 0, 0, 0, tcb.microcode]
    return [
        ("1", der.integer(0)),
        ("2", der.element(der.IA5_STRING, PRODUCT_NAME.encode("ascii"))),
        *((f"3.{number}", der.integer(version)) for number, version in enumerate(versions, start=1)),
        ("4", chip.chip_id),
    ]


def _name(common_name: str) -> x509.Name:
    return subject(NOT_AMD, f"{common_name} {NOT_AMD}")


def _signed(builder: x509.CertificateBuilder, issuer: Identity) -> x509.Certificate:
    """RSASSA-PSS with SHA-384 and a salt of 48 bytes, as AMD signs."""
    return builder.issuer_name(issuer.certificate.subject).sign(issuer.key, hashes.SHA384(), rsa_padding=_PSS)
