"""The sandbox's own stand-in for AMD: a root (ARK), VCEKs under the ASK, clouds' VLEKs under the ASVK.

Shapes as in AMD 57230 ("VCEK Certificate and KDS Interface Specification"): the authorities are RSA-4096, every
certificate is signed RSASSA-PSS with SHA-384, and a leaf is a P-384 key whose certificate carries the TCB in
extensions, with the chip (VCEK) or the cloud (VLEK). Every subject says that it is not AMD's. Real leaves have serial
number 0, which `cryptography` does not write; these have random ones. The stand-ins for Intel, NVIDIA and AWS are
beside it (`intel_pki`, `nvidia_pki`, `nitro_pki`).
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.hardware import der
from sandbox.hardware.chip import PRODUCT_NAME, Chip, Tcb
from sandbox.hardware.identity import LEAF_LIFETIME, Identity, authority, certificate, revocations, stored, subject
from sandbox.hardware.intel_pki import IntelPki
from sandbox.hardware.nitro_pki import NitroPki
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
        return stored(self._directory / "ask.pem", lambda: _make_intermediate("SEV-Milan", ark))

    @cached_property
    def asvk(self) -> Identity:
        """The intermediate that signs the VLEKs."""
        ark = self.ark
        return stored(self._directory / "asvk.pem", lambda: _make_intermediate("SEV-VLEK-Milan", ark))

    @cached_property
    def intel(self) -> IntelPki:
        """The stand-in for Intel."""
        return IntelPki(self._directory / "intel")

    @cached_property
    def nvidia(self) -> NvidiaPki:
        """The stand-in for NVIDIA."""
        return NvidiaPki(self._directory / "nvidia")

    @cached_property
    def nitro(self) -> NitroPki:
        """The stand-in for AWS, where it signs attestation documents."""
        return NitroPki(self._directory / "nitro")

    @property
    def roots(self) -> bytes:
        """The roots of all emulated vendors in PEM, and the ASK, which some evidence leaves to the verifier."""
        identities = (self.ark, self.ask, self.intel.root, self.nvidia.root, self.nvidia.rim_root, self.nitro.root)
        return b"".join(identity.pem for identity in identities)

    def vcek(self, chip: Chip) -> Identity:
        """The versioned chip endorsement key of `chip` at its TCB."""
        ask = self.ask
        return stored(
            self._vcek_file(chip.chip_id, chip.tcb.encode()),
            lambda: _make_leaf("SEV-VCEK", _vcek_extensions(chip), ask),
        )

    def vlek(self, cloud: str, tcb: Tcb) -> Identity:
        """The versioned loaded endorsement key of a cloud, as its certificate names it, for hosts at a TCB."""
        asvk, name = self.asvk, hashlib.sha256(cloud.encode()).hexdigest()[:16]
        file = self._directory / "vlek" / f"{name}-{tcb.encode().hex()}.pem"
        return stored(file, lambda: _make_leaf("SEV-VLEK", _vlek_extensions(cloud, tcb), asvk))

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


def _make_intermediate(name: str, ark: Identity) -> Identity:
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    builder = authority(_name(name), key.public_key(), 0)
    return Identity(key, _signed(builder, ark))


def _make_leaf(name: str, extensions: Sequence[tuple[str, bytes]], issuer: Identity) -> Identity:
    key = ec.generate_private_key(ec.SECP384R1())
    builder = certificate(_name(name), key.public_key(), LEAF_LIFETIME)
    for suffix, value in extensions:
        oid = x509.ObjectIdentifier(f"{_AMD_OID}.{suffix}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return Identity(key, _signed(builder, issuer))


def _vcek_extensions(chip: Chip) -> list[tuple[str, bytes]]:
    """AMD 57230, "VCEK certificate extensions": suffix of the OID and DER value; hwID is raw bytes."""
    return [*_firmware_extensions(PRODUCT_NAME, chip.tcb), ("4", chip.chip_id)]


def _vlek_extensions(cloud: str, tcb: Tcb) -> list[tuple[str, bytes]]:
    """The same of a VLEK, which names the product without its stepping, and no chip but the cloud (cspID)."""
    return [*_firmware_extensions(PRODUCT_NAME.partition("-")[0], tcb), ("5", _ia5(cloud))]


def _firmware_extensions(product: str, tcb: Tcb) -> list[tuple[str, bytes]]:
    versions = [tcb.bootloader, tcb.tee, tcb.snp, 0, 0, 0, 0, tcb.microcode]
    numbered = [(f"3.{number}", der.integer(version)) for number, version in enumerate(versions, start=1)]
    return [("1", der.integer(0)), ("2", _ia5(product)), *numbered]


def _ia5(text: str) -> bytes:
    return der.element(der.IA5_STRING, text.encode("ascii"))


def _name(common_name: str) -> x509.Name:
    return subject(NOT_AMD, f"{common_name} {NOT_AMD}")


def _signed(builder: x509.CertificateBuilder, issuer: Identity) -> x509.Certificate:
    """RSASSA-PSS with SHA-384 and a salt of 48 bytes, as AMD signs."""
    return builder.issuer_name(issuer.certificate.subject).sign(issuer.key, hashes.SHA384(), rsa_padding=_PSS)
