"""What the stand-in for NVIDIA publishes: RIMs of the emulated driver and VBIOS, and OCSP responses.

RIMs as NVIDIA's service serves them (SWID tags, ISO/IEC 19770-2, one enveloped XML signature), responses as its OCSP
responder gives them (RFC 6960), in the folder that a verifier keeps.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from lxml import etree

from sandbox.hardware.gpu import BOARD, DRIVER_INDEXES, DRIVER_VERSION, VBIOS_INDEXES, VBIOS_VERSION, measurement
from sandbox.hardware.identity import BACKDATED, Identity, sign_p384
from sandbox.hardware.nvidia_pki import CHIP, NOT_NVIDIA, NvidiaPki

DRIVER_RIM: Final = f"NV_GPU_DRIVER_{CHIP}_{DRIVER_VERSION}"
VBIOS_RIM: Final = f"NV_GPU_VBIOS_{'_'.join(BOARD)}_{VBIOS_VERSION.replace('.', '')}"

_RIMS: Final = ((DRIVER_RIM, DRIVER_VERSION, DRIVER_INDEXES), (VBIOS_RIM, VBIOS_VERSION, VBIOS_INDEXES))
_RESPONSE_LIFETIME: Final = timedelta(days=1)
_STALE_AFTER: Final = timedelta(hours=12)

_SWID: Final = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
_HASH: Final = "http://www.w3.org/2001/04/xmlenc#sha384"
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_DSIG_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_C14N11: Final = "http://www.w3.org/2006/12/xml-c14n11"


def publish(pki: NvidiaPki, directory: Path) -> None:
    """Put RIMs into `directory/rims` and responses into `directory/ocsp`, but for those that are fresh there."""
    for name, version, indexes in _RIMS:
        path = directory / "rims" / f"{name}.xml"
        if not path.exists():
            _write(path, rim(pki, version, indexes))
    for certified, issuer in known_certificates(pki):
        path = directory / "ocsp" / f"{certified.certificate.serial_number:x}.der"
        if not _is_fresh(path):
            _write(path, ocsp_response(certified, issuer, datetime.now(UTC)))


def published_rims(pki: NvidiaPki) -> dict[str, bytes]:
    """Every RIM by its id."""
    return {name: rim(pki, version, indexes) for name, version, indexes in _RIMS}


def ocsp_response(certified: Identity, issuer: Identity, at: datetime, nonce: x509.OCSPNonce | None = None) -> bytes:
    """DER of the responder's answer that a certificate is good, from an hour before `at` on; with the asker's nonce."""
    if not isinstance(issuer.key, ec.EllipticCurvePrivateKey):
        raise TypeError("NVIDIA's keys are EC keys")
    answer = ocsp.OCSPResponseBuilder().add_response(
        cert=certified.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA384(),
        cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=at - BACKDATED,
        next_update=at + _RESPONSE_LIFETIME,
        revocation_time=None,
        revocation_reason=None,
    )
    answer = answer.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    if nonce is not None:
        answer = answer.add_extension(nonce, critical=False)
    signed = answer.sign(issuer.key, hashes.SHA384())
    return signed.public_bytes(Encoding.DER)


def rim(pki: NvidiaPki, version: str, indexes: Iterable[int]) -> bytes:
    """The signed RIM of a driver or VBIOS that makes these measurements."""
    entries = "".join(
        f'<Resource type="Measurement" index="{index}" active="True" alternatives="1" '
        f'h:Hash0="{measurement(index).hex()}" name="Measurement_{index}" size="48"/>'
        for index in indexes
    )
    content = (
        f'<SoftwareIdentity xmlns="{_SWID}" xmlns:h="{_HASH}" name="{CHIP}" tagId="{CHIP}{version}" version="1.0">'
        f'<Entity name="{NOT_NVIDIA}" role="softwareCreator tagCreator"/>'
        f'<Meta colloquialVersion="{version}" edition="GPU" product="{CHIP}"/>'
        f"<Payload>{entries}</Payload></SoftwareIdentity>"
    )
    info = _signed_info(hashlib.sha384(_canonical(etree.fromstring(content))).digest())
    root = etree.fromstring(content.replace("</SoftwareIdentity>", f"{_signature(info, b'', ())}</SoftwareIdentity>"))
    signed_info = next(root.iter(f"{{{_DSIG}}}SignedInfo"))
    signer, *authorities = pki.rim_signers
    chain = (signer, *authorities, pki.rim_root)
    signature = _signature(info, sign_p384(signer, _canonical(signed_info)), chain)
    return content.replace("</SoftwareIdentity>", f"{signature}</SoftwareIdentity>").encode()


def _signed_info(digest: bytes) -> str:
    return (
        f'<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{_C14N11}"/>'
        f'<ds:SignatureMethod Algorithm="{_DSIG_MORE}ecdsa-sha384"/><ds:Reference URI=""><ds:Transforms>'
        f'<ds:Transform Algorithm="{_DSIG}enveloped-signature"/><ds:Transform Algorithm="{_C14N11}"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{_DSIG_MORE}sha384"/><ds:DigestValue>{_text(digest)}</ds:DigestValue>'
        "</ds:Reference></ds:SignedInfo>"
    )


def _signature(info: str, value: bytes, chain: Iterable[Identity]) -> str:
    certificates = "".join(f"<ds:X509Certificate>{_text(member.der)}</ds:X509Certificate>" for member in chain)
    return (
        f'<ds:Signature xmlns:ds="{_DSIG}">{info}<ds:SignatureValue>{_text(value)}</ds:SignatureValue>'
        f"<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>"
    )


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n")


def known_certificates(pki: NvidiaPki) -> Iterator[tuple[Identity, Identity]]:
    """Each certificate that a responder knows, with its issuer's; a leaf's issuer is the device itself."""
    provisioner, identity = pki.provisioning
    signer, lower, upper = pki.rim_signers
    yield from ((brom, provisioner) for brom in pki.devices())
    yield from ((provisioner, identity), (identity, pki.root))
    yield from ((signer, lower), (lower, upper), (upper, pki.rim_root))


def _is_fresh(path: Path) -> bool:
    try:
        return datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_mtime, UTC) < _STALE_AFTER
    except FileNotFoundError:
        return False


def _write(path: Path, content: bytes) -> None:
    """Let the file appear with its whole content: a verifier may be reading."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    draft.write_bytes(content)
    draft.replace(path)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
