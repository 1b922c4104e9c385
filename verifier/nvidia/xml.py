"""Signed XML, in the one profile that NVIDIA signs RIMs with (W3C XML Signature 1.1); anything else is refused.

The document is read without DTD, entities, comments, processing instructions, network or `xml:` attributes. There
is one Signature, the last child of the root; it covers the whole document but itself (Reference URI ""), transforms
enveloped-signature and Canonical XML 1.1, digest SHA-384, signature ECDSA-SHA384. What is handed on are the bytes
whose digest is signed, so that nothing can be read that was not signed.

Canonical XML 1.1 differs from 1.0, which is what libxml2 is asked for, only in `xml:` attributes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from verifier.errors import MalformedEvidence, VerificationFailed

MAX_DOCUMENT_BYTES: Final = 262_144
"""Ten times the largest RIM seen (25,698 bytes)."""

_DSIG: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_C14N11: Final = "http://www.w3.org/2006/12/xml-c14n11"
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_ECDSA_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#sha384"

_DECLARATION: Final = re.compile(rb"""<\?xml version=["']1\.0["'](?: encoding=["'](?i:utf-8)["'])? ?\?>\s*""")


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document whose digest is the stated one; the signature over that statement is still to be verified.

    content: canonical form of what is signed. signed_info: canonical form of SignedInfo, which states the digest of
    the content; signature: r ‖ s over it. certificates: DER, of the signer first.
    """

    content: bytes
    signed_info: bytes
    signature: bytes
    certificates: tuple[bytes, ...]


def parse_xml(encoded: bytes) -> etree._Element:
    """The root of a document in UTF-8 that has no markup declarations; MalformedEvidence for anything else."""
    if len(encoded) > MAX_DOCUMENT_BYTES:
        raise MalformedEvidence(MAX_DOCUMENT_BYTES, f"XML: {len(encoded)} bytes, at most {MAX_DOCUMENT_BYTES}")
    declaration = _DECLARATION.match(encoded)
    body = encoded[declaration.end() :] if declaration else encoded
    skipped = len(encoded) - len(body)
    for forbidden, what in ((b"<!", "DTD, comment or CDATA section"), (b"<?", "processing instruction")):
        offset = body.find(forbidden)
        if offset >= 0:
            raise MalformedEvidence(skipped + offset, f"XML: {what}, none is allowed")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, collect_ids=False
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        lines = body.split(b"\n")[: max(0, line - 1)]
        offset = skipped + sum(len(text) + 1 for text in lines) + max(0, column - 1)
        raise MalformedEvidence(min(offset, len(encoded)), f"XML: {error.msg}") from None


def signed_document(encoded: bytes, check: str) -> SignedDocument:
    """Read a document and check that the digest which its signature states is its own.

    VerificationFailed `<check>.profile` for any other way to sign, `<check>.digest` when the content was changed.
    """
    root = parse_xml(encoded)
    try:
        signature = _signature(root)
        signed_info, value, certificates = _signature_parts(signature)
        digest = _digest(signed_info)
        canonical_info = _canonical(signed_info)
        root.remove(signature)
        content = _canonical(root)
    except _NotOurProfileError as error:
        raise VerificationFailed(f"{check}.profile", str(error)) from None
    if not hmac.compare_digest(hashlib.sha384(content).digest(), digest):
        raise VerificationFailed(f"{check}.digest", "the content is not what was signed: its SHA-384 is another")
    return SignedDocument(content, canonical_info, value, certificates)


class _NotOurProfileError(Exception):
    """The signature is of another form than NVIDIA's; str() says in what."""


def _signature(root: etree._Element) -> etree._Element:
    """The one Signature, the root's last child."""
    for element in root.iter():
        name = next((str(name) for name in element.attrib if str(name).startswith(_XML)), None)
        if name is not None:
            raise _NotOurProfileError(f"attribute {name.replace(_XML, 'xml:')}")
    found = list(root.iter(f"{_DSIG}Signature"))
    if len(found) != 1 or len(root) == 0 or root[-1] is not found[0]:
        raise _NotOurProfileError(f"{len(found)} signatures; one, as the last child of the root, expected")
    if found[0].tail:
        raise _NotOurProfileError("text after the signature")
    return found[0]


def _signature_parts(signature: etree._Element) -> tuple[etree._Element, bytes, tuple[bytes, ...]]:
    """SignedInfo, the signature's value, and the certificates."""
    signed_info, value, key_info = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo")
    (data,) = _children(key_info, "X509Data")
    certificates = _children(data, *["X509Certificate"] * len(data))
    return signed_info, _base64(value), tuple(_base64(certificate) for certificate in certificates)


def _digest(signed_info: etree._Element) -> bytes:
    """The digest that SignedInfo states for the whole document."""
    method, algorithm, reference = _children(
        signed_info, "CanonicalizationMethod", "SignatureMethod", "Reference", attributes={}
    )
    transforms, digest_method, digest = _children(
        reference, "Transforms", "DigestMethod", "DigestValue", attributes={"URI": ""}
    )
    enveloped, canonical = _children(transforms, "Transform", "Transform", attributes={})
    for element, expected in (
        (method, _C14N11),
        (algorithm, _ECDSA_SHA384),
        (enveloped, _ENVELOPED),
        (canonical, _C14N11),
        (digest_method, _SHA384),
    ):
        _children(element, attributes={"Algorithm": expected})
    return _base64(digest)


def _children(
    element: etree._Element, *names: str, attributes: dict[str, str] | None = None
) -> tuple[etree._Element, ...]:
    """The children of an element, which must be exactly these, and its attributes likewise if they are given."""
    children = tuple(element)
    found = [str(child.tag).removeprefix(_DSIG) for child in children]
    what = str(element.tag).removeprefix(_DSIG)
    if found != list(names):
        raise _NotOurProfileError(
            f"{what} has {', '.join(found) or 'nothing'} in it, {', '.join(names) or 'nothing'} expected"
        )
    stated = {str(name): str(value) for name, value in element.attrib.items()}
    if stated != (attributes or {}):
        raise _NotOurProfileError(f"{what} has the attributes {stated}, {attributes or {}} expected")
    return children


def _base64(element: etree._Element) -> bytes:
    if len(element) or element.attrib:
        raise _NotOurProfileError(f"{str(element.tag).removeprefix(_DSIG)} is not plain base64")
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise _NotOurProfileError(f"{str(element.tag).removeprefix(_DSIG)} is not base64") from None


def _canonical(element: etree._Element) -> bytes:
    try:
        return etree.tostring(element, method="c14n", with_comments=False)
    except etree.C14NError as error:
        raise _NotOurProfileError(f"no canonical form: {error}") from None
