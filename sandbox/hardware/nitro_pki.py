"""The sandbox's own stand-in for AWS: the chain under which the Nitro System signs attestation documents.

Shapes as in genuine documents: P-384 keys, ECDSA with SHA-384; a self-signed root that lives for decades, below it
authorities of a region and a zone that live for days, and a key of the instance for hours. Common names are AWS's,
every organisation says that it is not AWS.
"""

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hardware.identity import Identity, authority, certificate, stored, subject, usage

NOT_AWS: Final = "BAILIWICK SANDBOX - NOT AWS"

_REGION_LIFETIME: Final = timedelta(days=20)
_ZONE_LIFETIME: Final = timedelta(days=1)
_INSTANCE_LIFETIME: Final = timedelta(hours=3)


class NitroPki:
    """The endorsement keys of the emulated Nitro System, in `directory` (made on first use): the root alone is kept."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def root(self) -> Identity:
        """The self-signed root: a trust anchor only where a configuration names it."""
        return stored(self._directory / "root.pem", _make_root)

    def signer(self, region: str, instance_id: str) -> tuple[Identity, ...]:
        """The key that signs for an instance now, and the authorities above it up to the root."""
        regional = _make_authority(f"{region}.aws.nitro-enclaves", self.root, 1, _REGION_LIFETIME)
        zonal = _make_authority(f"zonal.{region}.aws.nitro-enclaves", regional, 0, _ZONE_LIFETIME)
        return _make_instance(f"{instance_id}.{region}.aws", zonal), zonal, regional, self.root


def _make_root() -> Identity:
    key, name = _key(), subject(NOT_AWS, f"aws.nitro-enclaves {NOT_AWS}")
    return Identity(key, authority(name, key.public_key(), 2).issuer_name(name).sign(key, hashes.SHA384()))


def _make_authority(common_name: str, issuer: Identity, path_length: int, lifetime: timedelta) -> Identity:
    key = _key()
    builder = authority(subject(NOT_AWS, common_name), key.public_key(), path_length, lifetime=lifetime)
    return Identity(key, _signed(builder, issuer))


def _make_instance(common_name: str, issuer: Identity) -> Identity:
    key = _key()
    builder = (
        certificate(subject(NOT_AWS, common_name), key.public_key(), _INSTANCE_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
    )
    return Identity(key, _signed(builder, issuer))


def _signed(builder: x509.CertificateBuilder, issuer: Identity) -> x509.Certificate:
    return builder.issuer_name(issuer.certificate.subject).sign(issuer.key, hashes.SHA384())


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())
