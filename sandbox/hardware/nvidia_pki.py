"""The sandbox's own stand-in for NVIDIA: the chain that certifies each GPU, and the chain that signs RIMs.

Shapes as in genuine evidence of Hopper GPUs: P-384 keys, ECDSA with SHA-384, five certificates from a GPU's firmware to
the root, four from the signer of a RIM. A GPU's identifier is the end of its BROM certificate's serial number, and its
leaf certificate states the firmware. Common names are NVIDIA's where devices are known by them; every organisation says
that it is not NVIDIA.
"""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.hardware import der
from sandbox.hardware.identity import LEAF_LIFETIME, Identity, authority, certificate, stored, subject, usage

NOT_NVIDIA: Final = "BAILIWICK SANDBOX - NOT NVIDIA"
CHIP: Final = "GH100"
FIRMWARE_ID: Final = hashlib.sha384(b"bailiwick sandbox GPU firmware").digest()
"""FWID: SHA-384 of the first mutable firmware."""

_COMPOSITE_DEVICE_ID: Final = x509.ObjectIdentifier("2.23.133.5.4.1")
_SHA384: Final = "2.16.840.1.101.3.4.2.2"
_PDI_BYTES: Final = 8


class NvidiaPki:
    """The endorsement keys of the emulated NVIDIA hardware, in `directory` (made on first use)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def root(self) -> Identity:
        """The self-signed root of devices: a trust anchor only where a configuration names it."""
        return stored(self._directory / "device-root.pem", lambda: _make_root("NVIDIA Device Identity CA"))

    @cached_property
    def rim_root(self) -> Identity:
        """The self-signed root of what signs RIMs: likewise."""
        return stored(self._directory / "rim-root.pem", lambda: _make_root("NVIDIA CoRIM signing Root CA"))

    @cached_property
    def provisioning(self) -> tuple[Identity, Identity]:
        """The CAs between a device and the root: provisioner and identity of the model."""
        root = self.root
        identity = stored(self._directory / "identity.pem", lambda: _make_authority(f"NVIDIA {CHIP} Identity", root, 2))
        provisioner = stored(
            self._directory / "provisioner.pem",
            lambda: _make_authority(f"NVIDIA {CHIP} Provisioner ICA 1", identity, 1),
        )
        return provisioner, identity

    @cached_property
    def rim_signers(self) -> tuple[Identity, Identity, Identity]:
        """The key that signs RIMs, and the CAs between it and their root."""
        root = self.rim_root
        upper = stored(self._directory / "rim-l2.pem", lambda: _make_authority("NVIDIA RIM L2 CA", root, 1))
        lower = stored(self._directory / "rim-l3.pem", lambda: _make_authority("NVIDIA RIM L3 CA", upper, 0))
        signer = stored(self._directory / "rim-signer.pem", lambda: _make_leaf("NVIDIA RIM L4 Signer", lower))
        return signer, lower, upper

    def device(self, host: str) -> tuple[Identity, Identity]:
        """The firmware's key of the GPU in `host`, and the device's own key, which certifies it."""
        folder, name = self._directory / "devices", pdi(host).hex()
        provisioner = self.provisioning[0]
        brom = stored(folder / f"{name}.brom.pem", lambda: _make_device(host, provisioner))
        return stored(folder / f"{name}.leaf.pem", lambda: _make_firmware(brom)), brom

    def devices(self) -> list[Identity]:
        """The devices' own keys, of every GPU that was ever asked."""
        paths = sorted((self._directory / "devices").glob("[!.]*.brom.pem"))
        return [stored(path, self._vanished) for path in paths]

    def chains(self) -> list[bytes]:
        """The certificates (PEM, leaf first) of every GPU that was ever asked."""
        above = b"".join(member.pem for member in (*self.provisioning, self.root))
        leaves = sorted((self._directory / "devices").glob("[!.]*.leaf.pem"))
        return [
            stored(leaf, self._vanished).pem
            + stored(leaf.with_name(leaf.name.replace(".leaf.", ".brom.")), self._vanished).pem
            + above
            for leaf in leaves
        ]

    @staticmethod
    def _vanished() -> Identity:
        raise FileNotFoundError("a device's key file was removed while it was read")


def pdi(host: str) -> bytes:
    """Per-device identifier of the GPU in `host`, 8 bytes: the same in every run."""
    return hashlib.sha256(f"bailiwick sandbox GPU\0{host}".encode()).digest()[:_PDI_BYTES]


def _make_root(common_name: str) -> Identity:
    key, name = _key(), subject(NOT_NVIDIA, f"{common_name} {NOT_NVIDIA}")
    return Identity(key, authority(name, key.public_key(), 4).issuer_name(name).sign(key, hashes.SHA384()))


def _make_authority(common_name: str, issuer: Identity, path_length: int, serial: int | None = None) -> Identity:
    key = _key()
    builder = authority(subject(NOT_NVIDIA, common_name), key.public_key(), path_length, serial)
    return Identity(key, _signed(builder, issuer))


def _make_device(host: str, provisioner: Identity) -> Identity:
    serial = int.from_bytes(b"\x41" + pdi(host), "big")
    return _make_authority(f"{CHIP} A01 GSP BROM", provisioner, 0, serial)


def _make_firmware(brom: Identity) -> Identity:
    """The leaf: a CompositeDeviceID names the device's key and the firmware (TCG, DICE Attestation Architecture)."""
    fwid = der.element(der.SEQUENCE, der.object_identifier(_SHA384), der.element(der.OCTET_STRING, FIRMWARE_ID))
    device_key = brom.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    value = der.element(der.SEQUENCE, der.integer(1), device_key, fwid)
    extension = x509.UnrecognizedExtension(_COMPOSITE_DEVICE_ID, value)
    return _make_leaf(f"{CHIP} A01 GSP FMC LF", brom, extension)


def _make_leaf(common_name: str, issuer: Identity, extension: x509.ExtensionType | None = None) -> Identity:
    key = _key()
    builder = (
        certificate(subject(NOT_NVIDIA, common_name), key.public_key(), LEAF_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
    )
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return Identity(key, _signed(builder, issuer))


def _signed(builder: x509.CertificateBuilder, issuer: Identity) -> x509.Certificate:
    return builder.issuer_name(issuer.certificate.subject).sign(issuer.key, hashes.SHA384())


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())
