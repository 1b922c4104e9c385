"""Keys of the sandbox's hardware with their certificates, made once for a project.

A key and its certificate share one file of mode 0600; the file appears atomically and the first writer wins, so that
stacks which start at the same time agree on one root.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

CA_LIFETIME: Final = timedelta(days=25 * 365)
LEAF_LIFETIME: Final = timedelta(days=7 * 365)
CRL_LIFETIME: Final = timedelta(days=365)
BACKDATED: Final = timedelta(hours=1)
"""What was made this hour is valid for a verifier whose clock is behind."""

_P384_BYTES: Final = 48
"""Of each of the two numbers of a signature."""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


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


def stored(path: Path, make: Callable[[], Identity]) -> Identity:
    """The identity in `path`, made when it is not there."""
    if not path.exists():
        _publish(path, make())
    return _load(path)


def subject(organization: str, common_name: str) -> x509.Name:
    """The name of an emulated key: who it is not, and what it would be."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Emulated hardware"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def certificate(
    name: x509.Name, key: PublicKey, lifetime: timedelta, serial: int | None = None
) -> x509.CertificateBuilder:
    """A certificate, valid from now on, without issuer and extensions; serial: None is a random one."""
    start = datetime.now(UTC) - BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .serial_number(x509.random_serial_number() if serial is None else serial)
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
    )


def authority(
    name: x509.Name, key: PublicKey, path_length: int, serial: int | None = None, lifetime: timedelta = CA_LIFETIME
) -> x509.CertificateBuilder:
    """A certificate of a CA that may sign certificates and CRLs."""
    return (
        certificate(name, key, lifetime, serial)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """KeyUsage of a CA, or of a key that signs data."""
    return x509.KeyUsage(
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        digital_signature=not signs_certificates,
        content_commitment=not signs_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def sign_p384(identity: Identity, data: bytes) -> bytes:
    """ECDSA P-384 with SHA-384 as NVIDIA's reports, RIMs and COSE have it: r ‖ s, 48 bytes each, big-endian."""
    if not isinstance(identity.key, ec.EllipticCurvePrivateKey):
        raise TypeError("an EC key signs with ECDSA")
    numbers = decode_dss_signature(identity.key.sign(data, ec.ECDSA(hashes.SHA384())))
    return b"".join(number.to_bytes(_P384_BYTES, "big") for number in numbers)


def revocations(issuer: Identity) -> x509.CertificateRevocationListBuilder:
    """The CRL of `issuer` as of now; it revokes nothing."""
    start = datetime.now(UTC) - BACKDATED
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(start)
        .next_update(start + CRL_LIFETIME)
        .add_extension(x509.CRLNumber(int(start.timestamp())), critical=False)
    )


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
        found = x509.load_pem_x509_certificate(text)
    except ValueError as error:
        raise PkiError(
            f"{path}: not a key with its certificate ({error}); delete the directory and start over"
        ) from None
    if not isinstance(key, PrivateKey):
        raise PkiError(f"{path}: neither an RSA nor an EC key; delete the directory and start over")
    return Identity(key, found)
