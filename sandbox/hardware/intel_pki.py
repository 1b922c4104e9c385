"""The sandbox's own stand-in for Intel: root CA, PCK platform CA, TCB signing, and one PCK per platform and TCB.

Shapes as in Intel's "SGX PCK Certificate and Certificate Revocation List Profile": P-256 keys, ECDSA with SHA-256, and
an extension that describes the platform in its PCK certificate. The CA and the TCB signer are known by their common
names, which are Intel's for that reason; every subject's organisation says that it is not Intel's.
"""

from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.hardware import der
from sandbox.hardware.identity import (
    LEAF_LIFETIME,
    Identity,
    authority,
    certificate,
    revocations,
    stored,
    subject,
    usage,
)
from sandbox.hardware.platform import FMSPC, PCE_ID, Platform

NOT_INTEL: Final = "BAILIWICK SANDBOX - NOT INTEL"

_SGX_OID: Final = "1.2.840.113741.1.13.1"
_CPUSVN_MEMBER: Final = 18
_PCESVN_MEMBER: Final = 17
_SCALABLE: Final = 1
"""SGX type of processors with TDX."""
_COORDINATE_BYTES: Final = 32


class IntelPki:
    """The endorsement keys of the emulated Intel hardware, in `directory` (made on first use)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def root(self) -> Identity:
        """The self-signed root: a trust anchor only where a configuration names it."""
        return stored(self._directory / "root.pem", _make_root)

    @cached_property
    def platform_ca(self) -> Identity:
        """The CA that signs the PCK certificates."""
        root = self.root
        return stored(self._directory / "platform-ca.pem", lambda: _make_platform_ca(root))

    @cached_property
    def tcb_signing(self) -> Identity:
        """The key that signs TCB info and QE identity."""
        root = self.root
        return stored(self._directory / "tcb-signing.pem", lambda: _make_tcb_signing(root))

    def pck(self, platform: Platform) -> Identity:
        """The provisioning certification key of `platform` at its TCB."""
        tcb = platform.tcb
        name = f"{platform.ppid.hex()}-{tcb.components.hex()}-{tcb.pcesvn}.pem"
        issuer = self.platform_ca
        return stored(self._directory / "pck" / name, lambda: _make_pck(platform, issuer))

    def revocation_list(self, issuer: Identity) -> bytes:
        """The CRL of the root or of the platform CA in DER, as of now; it revokes nothing."""
        return revocations(issuer).sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def sign_raw(identity: Identity | ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """ECDSA P-256 with SHA-256 as quotes and collateral have it: r ‖ s, 32 bytes each."""
    key = identity.key if isinstance(identity, Identity) else identity
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("Intel's keys are EC keys")
    numbers = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return b"".join(number.to_bytes(_COORDINATE_BYTES, "big") for number in numbers)


def _make_root() -> Identity:
    key, name = _key(), subject(NOT_INTEL, f"Intel SGX Root CA {NOT_INTEL}")
    return Identity(key, authority(name, key.public_key(), 1).issuer_name(name).sign(key, hashes.SHA256()))


def _make_platform_ca(root: Identity) -> Identity:
    key, name = _key(), subject(NOT_INTEL, "Intel SGX PCK Platform CA")
    return Identity(key, _signed(authority(name, key.public_key(), 0), root))


def _make_tcb_signing(root: Identity) -> Identity:
    key = _key()
    return Identity(key, _signed(_leaf("Intel SGX TCB Signing", key), root))


def _make_pck(platform: Platform, issuer: Identity) -> Identity:
    key = _key()
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(_SGX_OID), _sgx_extension(platform))
    builder = _leaf(f"Intel SGX PCK Certificate {NOT_INTEL}", key).add_extension(extension, critical=False)
    return Identity(key, _signed(builder, issuer))


def _sgx_extension(platform: Platform) -> bytes:
    """Section 1.3.5: PPID, TCB, PCE-ID, FMSPC and SGX type, each under an identifier of its own."""
    tcb = platform.tcb
    versions = [
        *((number, der.integer(svn)) for number, svn in enumerate(tcb.components, start=1)),
        (_PCESVN_MEMBER, der.integer(tcb.pcesvn)),
        (_CPUSVN_MEMBER, der.element(der.OCTET_STRING, tcb.components)),
    ]
    return der.element(
        der.SEQUENCE,
        _member("1", der.element(der.OCTET_STRING, platform.ppid)),
        _member("2", der.element(der.SEQUENCE, *(_member(f"2.{number}", value) for number, value in versions))),
        _member("3", der.element(der.OCTET_STRING, PCE_ID)),
        _member("4", der.element(der.OCTET_STRING, FMSPC)),
        _member("5", der.element(der.ENUMERATED, bytes([_SCALABLE]))),
    )


def _member(suffix: str, value: bytes) -> bytes:
    return der.element(der.SEQUENCE, der.object_identifier(f"{_SGX_OID}.{suffix}"), value)


def _leaf(common_name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        certificate(subject(NOT_INTEL, common_name), key.public_key(), LEAF_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
    )


def _signed(builder: x509.CertificateBuilder, issuer: Identity) -> x509.Certificate:
    return builder.issuer_name(issuer.certificate.subject).sign(issuer.key, hashes.SHA256())


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
