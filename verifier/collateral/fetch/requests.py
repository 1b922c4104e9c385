"""What each vendor's service is asked for each kind of object, and how its answer becomes an object of the store."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final
from urllib.parse import unquote_to_bytes

from verifier.collateral import needs, pem
from verifier.collateral.fetch.http import Answer, Client, NotFoundError
from verifier.collateral.fetch.origins import Origins, Vendor
from verifier.collateral.needs import Need
from verifier.collateral.record import CollateralError, Kind
from verifier.errors import MalformedEvidence
from verifier.pki import Certificate, der
from verifier.pki.files import pem_values
from verifier.snp import Product, Tcb

Fetched = tuple[bytes, str]
"""An object as the store keeps it, and the URL that it came from."""

_TCB_HEADER: Final = "tcb-info-issuer-chain"
_QE_HEADER: Final = "sgx-enclave-identity-issuer-chain"
_CRL_HEADER: Final = "sgx-pck-crl-issuer-chain"
_OCSP_REQUEST: Final = "application/ocsp-request"
_NONCE_BYTES: Final = 16
_NONCE_OID: Final = bytes.fromhex("2b0601050507300102")
"""id-pkix-ocsp-nonce, 1.3.6.1.5.5.7.48.1.2 (RFC 9654)."""


def fetch(need: Need, origins: Origins, client: Client) -> Fetched:
    """Ask for one object; CollateralError when it cannot be had. Whether it is genuine is for the caller to check."""
    try:
        return _REQUESTS[need.kind](need, origins, client)
    except MalformedEvidence as error:
        raise CollateralError(f"{need.name}: the answer is {error}") from None


def _vcek(need: Need, origins: Origins, client: Client) -> Fetched:
    """AMD 57230, "VCEK certificate request": the chip, and each part of the TCB in decimal."""
    chip, _, tcb = need.subject.partition("-")
    missing: NotFoundError | None = None
    for product in need.products:
        parts = Tcb.decode(bytes.fromhex(tcb), product)
        query = f"blSPL={parts.bootloader}&teeSPL={parts.tee}&snpSPL={parts.snp}&ucodeSPL={parts.microcode}"
        if product is Product.TURIN:
            query = f"fmcSPL={parts.fmc}&{query}"
        try:
            answer = _amd(f"vcek/v1/{product.label}/{chip}?{query}", origins, client)
        except NotFoundError as error:
            missing = error
            continue
        chain = _amd(f"vcek/v1/{product.label}/cert_chain", origins, client)
        return pem.certificates(_certificate(answer), *_pair(chain)), answer.url
    raise missing or CollateralError(f"{need.name}: the report does not say of which product its chip is")


def _amd_chain(need: Need, origins: Origins, client: Client) -> Fetched:
    product, _, key = need.subject.partition("-")
    answer = _amd(f"{key}/v1/{Product(product).label}/cert_chain", origins, client)
    return pem.certificates(*_pair(answer)), answer.url


def _amd_crl(need: Need, origins: Origins, client: Client) -> Fetched:
    answer = _amd(f"vcek/v1/{Product(need.subject).label}/crl", origins, client)
    return _der(answer), answer.url


def _amd(path: str, origins: Origins, client: Client) -> Answer:
    apart = origins.seconds_apart.get(Vendor.AMD, 0.0)
    return client.get(f"{origins.url(Vendor.AMD)}/{path}", seconds_apart=apart)


def _tcb_info(need: Need, origins: Origins, client: Client) -> Fetched:
    fmspc, update = needs.read_update(need.subject)
    return _document(f"tcb?fmspc={fmspc.upper()}&{_issue(update)}", _TCB_HEADER, origins, client)


def _qe_identity(need: Need, origins: Origins, client: Client) -> Fetched:
    return _document(f"qe/identity?{_issue(needs.read_update(need.subject)[1])}", _QE_HEADER, origins, client)


def _issue(update: str) -> str:
    return f"tcbEvaluationDataNumber={update}" if update.isdigit() else f"update={update}"


def _document(path: str, header: str, origins: Origins, client: Client) -> Fetched:
    answer = client.get(f"{origins.url(Vendor.INTEL)}/tdx/certification/v4/{path}")
    return _issuers(answer, header) + answer.content, answer.url


def _pck_crl(need: Need, origins: Origins, client: Client) -> Fetched:
    path = f"sgx/certification/v4/pckcrl?ca={need.subject}&encoding=der"
    answer = client.get(f"{origins.url(Vendor.INTEL)}/{path}")
    return _issuers(answer, _CRL_HEADER) + pem.armour(pem.CRL, _der(answer)), answer.url


def _root_crl(need: Need, origins: Origins, client: Client) -> Fetched:  # noqa: ARG001 - there is only one
    if Vendor.INTEL_ROOT in origins.urls:
        answer = client.get(f"{origins.url(Vendor.INTEL_ROOT)}/IntelSGXRootCA.der")
    else:
        answer = client.get(f"{origins.url(Vendor.INTEL)}/sgx/certification/v4/rootcacrl")
    return _der(answer), answer.url


def _issuers(answer: Answer, header: str) -> bytes:
    """The issuer chain that comes URL-encoded in a header."""
    certificates = pem_values(unquote_to_bytes(answer.headers.get(header, "")))
    if len(certificates) != 2:
        raise CollateralError(
            f"{answer.url}: {len(certificates)} certificates in the header {header}, the issuer and the root expected; "
            "a mirror must keep the service's headers"
        )
    return pem.certificates(*certificates)


def _rim(need: Need, origins: Origins, client: Client) -> Fetched:
    answer = client.get(f"{origins.url(Vendor.NVIDIA_RIM)}/v1/rim/{need.subject}")
    try:
        return base64.b64decode(json.loads(answer.content)["rim"], validate=True), answer.url
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CollateralError(f"{answer.url}: no JSON object with the member rim in base64") from None


def _ocsp(need: Need, origins: Origins, client: Client) -> Fetched:
    """Ask about the one certificate of the chain that the subject names, with a nonce if the responder echoes it."""
    chain = [Certificate.parse(encoded) for encoded in pem_values(need.chain)]
    serial = int(need.subject.partition("-")[0], 16)
    issuer = next(up for it, up in pairwise(chain) if needs.ocsp_subject(it, up) == need.subject)
    nonce = os.urandom(_NONCE_BYTES)
    answer = client.post(origins.url(Vendor.NVIDIA_OCSP) + "/", _ocsp_request(issuer, serial, nonce), _OCSP_REQUEST)
    if _NONCE_OID in answer.content and nonce not in answer.content:
        raise CollateralError(f"{answer.url}: the response about serial {serial:#x} is to another request")
    return need.chain + pem.armour(pem.OCSP_RESPONSE, answer.content), answer.url


def _ocsp_request(issuer: Certificate, serial: int, nonce: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import OCSPNonce, ocsp

    key = der.Reader(issuer.key).read(der.SEQUENCE, "key").inside()
    key.read(der.SEQUENCE, "key algorithm")
    bits = der.bit_string(key.read(der.BIT_STRING, "key"), "key")
    name_hash, key_hash = hashlib.sha384(issuer.subject).digest(), hashlib.sha384(bits).digest()
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name_hash, key_hash, serial, hashes.SHA384())
    return builder.add_extension(OCSPNonce(nonce), critical=False).build().public_bytes(Encoding.DER)


def _launch_endorsement(need: Need, origins: Origins, client: Client) -> Fetched:
    tee, _, measurement = need.subject.partition("-")
    folder = {"snp": "sevsnp"}.get(tee, tee)
    path = f"gce_tcb_integrity/ovmf_x64_csm/{folder}/{measurement}.binarypb"
    answer = client.get(f"{origins.url(Vendor.GOOGLE)}/{path}")
    return answer.content, answer.url


def _vlek(need: Need, origins: Origins, client: Client) -> Fetched:  # noqa: ARG001 - AMD gives VLEKs to clouds only
    raise CollateralError(
        f"{need.name}: AMD gives a VLEK's certificate to its cloud alone; put vlek.der beside the evidence"
    )


def _certificate(answer: Answer) -> bytes:
    encoded = _der(answer)
    Certificate.parse(encoded)
    return encoded


def _pair(answer: Answer) -> list[bytes]:
    found = pem_values(answer.content)
    if len(found) != 2:
        raise CollateralError(f"{answer.url}: {len(found)} certificates, the ASK or ASVK and the ARK expected")
    return found


def _der(answer: Answer) -> bytes:
    """DER of an answer in DER, in PEM, or, as PCCSs give CRLs, in hex."""
    content = answer.content.strip()
    if content.startswith(b"-----BEGIN"):
        found = pem_values(content)
        if len(found) != 1:
            raise CollateralError(f"{answer.url}: {len(found)} PEM blocks, one expected")
        return found[0]
    try:
        return binascii.unhexlify(content)
    except binascii.Error:
        return answer.content


_REQUESTS: Final[Mapping[Kind, Callable[[Need, Origins, Client], Fetched]]] = {
    Kind.VCEK: _vcek,
    Kind.VLEK: _vlek,
    Kind.AMD_CHAIN: _amd_chain,
    Kind.AMD_CRL: _amd_crl,
    Kind.TCB_INFO: _tcb_info,
    Kind.QE_IDENTITY: _qe_identity,
    Kind.PCK_CRL: _pck_crl,
    Kind.ROOT_CRL: _root_crl,
    Kind.RIM: _rim,
    Kind.OCSP: _ocsp,
    Kind.LAUNCH_ENDORSEMENT: _launch_endorsement,
}
