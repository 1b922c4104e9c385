"""The sandbox's own stand-in for AMD: a root (ARK), an intermediate (ASK) and one VCEK per chip and TCB.

Shapes as in AMD 57230 ("VCEK Certificate and KDS Interface Specification"): ARK and ASK are RSA-4096, every
certificate is signed RSASSA-PSS with SHA-384, and the VCEK is a P-384 key whose certificate carries the chip
and its TCB in extensions. Every subject says that it is not AMD's. Real VCEKs have serial number 0, which
`cryptography` does not write; these have random ones.

Keys are made once for a project. A key and its certificate share one file of mode 0600; the file appears
atomically and the first writer wins, so that stacks which start at the same time agree on one root.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from sandbox.hardware.chip import PRODUCT_NAME, Chip

NOT_AMD: Final = "BAILIWICK SANDBOX - NOT AMD"

_AMD_OID: Final = "1.3.6.1.4.1.3704.1"
_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=hashes.SHA384.digest_size)
_CA_LIFETIME: Final = timedelta(days=25 * 365)
_VCEK_LIFETIME: Final = timedelta(days=7 * 365)
_CRL_LIFETIME: Final = timedelta(days=365)
_BACKDATED: Final = timedelta(hours=1)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class PkiError(Exception):
    """A key file of the sandbox's hardware cannot be used; the message names the file and the way out."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key with the certificate of its public key."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)


class SandboxPki:
    """The endorsement keys of the emulated hardware, in `directory` (made on first use)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def ark(self) -> Identity:
        """The self-signed root: a trust anchor only where a configuration names it."""
        return self._stored(Path("ark.pem"), _make_ark)

    @cached_property
    def ask(self) -> Identity:
        """The intermediate that signs the VCEKs."""
        ark = self.ark
        return self._stored(Path("ask.pem"), lambda: _make_ask(ark))

    def vcek(self, chip: Chip) -> Identity:
        """The versioned chip endorsement key of `chip` at its TCB."""
        name = f"{chip.chip_id[:8].hex()}-{chip.tcb.encode().hex()}.pem"
        ask = self.ask
        return self._stored(Path("vcek") / name, lambda: _make_vcek(chip, ask))

    def revocation_list(self) -> bytes:
        """The root's CRL in DER, as of now: AMD publishes one for each product, and this one revokes nothing."""
        start = datetime.now(UTC) - _BACKDATED
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.ark.certificate.subject)
            .last_update(start)
            .next_update(start + _CRL_LIFETIME)
            .add_extension(x509.CRLNumber(int(start.timestamp())), critical=False)
        )
        signed = builder.sign(self.ark.key, hashes.SHA384(), rsa_padding=_PSS)
        return signed.public_bytes(Encoding.DER)

    def _stored(self, name: Path, make: Callable[[], Identity]) -> Identity:
        path = self._directory / name
        if not path.exists():
            _publish(path, make())
        return _load(path)


def _publish(path: Path, identity: Identity) -> None:
    """Let `path` appear with its whole content, unless another process was faster."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key + identity.pem)
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def _load(path: Path) -> Identity:
    text = path.read_bytes()
    try:
        key = load_pem_private_key(text, password=None)
        certificate = x509.load_pem_x509_certificate(text)
    except ValueError as error:
        raise PkiError(
            f"{path}: not a key with its certificate ({error}); delete the directory and start over"
        ) from None
    if not isinstance(key, PrivateKey):
        raise PkiError(f"{path}: neither an RSA nor an EC key; delete the directory and start over")
    return Identity(key, certificate)


def _make_ark() -> Identity:
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    name = _name("ARK-Milan")
    return Identity(
        key,
        _authority(name, key.public_key(), 1).issuer_name(name).sign(key, hashes.SHA384(), rsa_padding=_PSS),
    )


def _make_ask(ark: Identity) -> Identity:
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    builder = _authority(_name("SEV-Milan"), key.public_key(), 0)
    return Identity(key, _signed(builder, ark))


def _make_vcek(chip: Chip, ask: Identity) -> Identity:
    key = ec.generate_private_key(ec.SECP384R1())
    builder = _certificate(_name("SEV-VCEK"), key.public_key(), _VCEK_LIFETIME)
    for suffix, value in _vcek_extensions(chip):
        oid = x509.ObjectIdentifier(f"{_AMD_OID}.{suffix}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return Identity(key, _signed(builder, ask))


def _vcek_extensions(chip: Chip) -> list[tuple[str, bytes]]:
    """AMD 57230, "VCEK certificate extensions": suffix of the OID and DER value; hwID is raw bytes."""
    tcb = chip.tcb
    versions = [tcb.bootloader, tcb.tee, tcb.snp, 0, 0, 0, 0, tcb.microcode]
    return [
        ("1", _integer(0)),
        ("2", b"\x16" + bytes([len(PRODUCT_NAME)]) + PRODUCT_NAME.encode("ascii")),
        *((f"3.{number}", _integer(version)) for number, version in enumerate(versions, start=1)),
        ("4", chip.chip_id),
    ]


def _integer(value: int) -> bytes:
    """A DER INTEGER of 0-255 (X.690 section 8.3: a leading zero octet keeps values from 128 positive)."""
    content = value.to_bytes(2 if value > 127 else 1, "big")
    return b"\x02" + bytes([len(content)]) + content


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, NOT_AMD),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Emulated hardware"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{common_name} {NOT_AMD}"),
        ]
    )


def _certificate(
    subject: x509.Name, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, lifetime: timedelta
) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - _BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
    )


def _authority(subject: x509.Name, key: rsa.RSAPublicKey, path_length: int) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _certificate(subject, key, _CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, issuer: Identity) -> x509.Certificate:
    """RSASSA-PSS with SHA-384 and a salt of 48 bytes, as AMD signs."""
    return builder.issuer_name(issuer.certificate.subject).sign(issuer.key, hashes.SHA384(), rsa_padding=_PSS)
