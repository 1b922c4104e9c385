"""RIMs: only NVIDIA's way of signing XML is accepted, and nothing is read that was not signed."""

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.fake_x509 import authority_extensions, ecdsa
from tests.verifier.nvidia.fake_nvidia import (
    AT,
    C14N11,
    DRIVER_ID,
    DSIG,
    DSIG_MORE,
    RIM_ROOT,
    SWITCH_ID,
    VBIOS_ID,
    YEAR,
    FakeRim,
    golden,
    hopper,
    key,
    rim_certificates,
    switch,
    trust,
)
from tests.verifier.nvidia.genuine import GENUINE_RIMS, kinds, rim
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.nvidia import DeviceKind, RimKind, parse, verify_rim
from verifier.nvidia.device import device_chain
from verifier.nvidia.rim import rim_ids
from verifier.trust import TrustStore

BASE = FakeRim(golden=golden(7, 21))
SIGNED = BASE.encode().decode()


def verified(encoded: bytes, store: TrustStore | None = None):
    return verify_rim(encoded, RimKind.DRIVER, DeviceKind.GPU, store or trust())


def failed_check(encoded: bytes, store: TrustStore | None = None) -> str:
    with pytest.raises(VerificationFailed) as failure:
        verified(encoded, store)
    return failure.value.check


def swap(old: str, new: str) -> Callable[[str], str]:
    """Replace a text that must be there."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def edited(old: str, new: str) -> FakeRim:
    return replace(BASE, edit=swap(old, new))


def stated(old: str, new: str) -> FakeRim:
    return replace(BASE, info=swap(old, new))


def forged(old: str, new: str) -> FakeRim:
    return replace(BASE, forge=swap(old, new))


def signer(number: int, **changes) -> FakeRim:
    chain = list(rim_certificates())
    chain[number] = replace(chain[number], **changes)
    return replace(BASE, chain=tuple(chain))


SIGNATURE = SIGNED[SIGNED.index("<ds:Signature ") : SIGNED.index("</SoftwareIdentity>")]
INFO = SIGNED[SIGNED.index("<ds:SignedInfo>") : SIGNED.index("<ds:SignatureValue>")]
VALUE = re.search(r"<ds:SignatureValue>(.*?)</ds:SignatureValue>", SIGNED)[1]
END = "</SoftwareIdentity>"
HASH0 = 'ns2:Hash0="' + bytes(48).hex() + '"'

CHECKS: list[tuple[str, FakeRim]] = [
    ("digest", forged('colloquialVersion="580.95.05"', 'colloquialVersion="580.95.06"')),
    ("digest", forged('index="7" active="True"', 'index="7" active="False"')),
    ("digest", forged("<ns0:Entity", " <ns0:Entity")),
    ("signature", replace(BASE, signer="rim-l3")),
    ("signature", forged(VALUE, VALUE[:-8] + "AAAAAAAA")),
    ("signature", forged(VALUE, VALUE[: len(VALUE) // 2])),
    ("signature", forged(VALUE, "")),
    ("chain.length", replace(BASE, chain=rim_certificates()[:3])),
    ("chain.length", replace(BASE, chain=rim_certificates()[3:])),
    ("chain.length", replace(BASE, chain=())),
    ("chain.root", signer(3, subject="NVIDIA CoRIM L1 Root CA Debug Only")),
    ("chain.root", signer(3, key=key("other").public_key())),
    ("chain.l2.signature", signer(2, signer=key("other"))),
    ("chain.l2.authority", signer(2, extensions=authority_extensions(0x02))),
    ("chain.l3.signature", signer(1, issuer=RIM_ROOT)),
    ("chain.l3.algorithm", signer(1, algorithm=ecdsa())),
    ("chain.signer.signature", signer(0, signer=key("other"))),
    ("chain.signer.authority", signer(0, extensions=authority_extensions())),
    ("profile", stated(C14N11, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")),
    ("profile", stated(f"{DSIG_MORE}ecdsa-sha384", f"{DSIG_MORE}ecdsa-sha256")),
    ("profile", stated(f"{DSIG_MORE}ecdsa-sha384", f"{DSIG_MORE}hmac-sha384")),
    ("profile", stated(f"{DSIG_MORE}sha384", f"{DSIG}sha1")),
    ("profile", stated('URI=""', 'URI="#payload"')),
    ("profile", stated('URI=""', 'URI="https://example.org/other.xml"')),
    ("profile", stated('URI=""', 'URI="" Type="http://www.w3.org/2000/09/xmldsig#Object"')),
    ("profile", stated(' URI=""', "")),
    ("profile", stated(f'<ds:Transform Algorithm="{DSIG}enveloped-signature"/>', "")),
    ("profile", stated(f"{DSIG}enveloped-signature", "http://www.w3.org/TR/1999/REC-xpath-19991116")),
    ("profile", stated("</ds:Transforms>", '<ds:Transform Algorithm="x"/></ds:Transforms>')),
    ("profile", stated("</ds:SignedInfo>", '<ds:Reference URI=""/></ds:SignedInfo>')),
    ("profile", stated("<ds:DigestValue>", '<ds:DigestValue a="b">')),
    ("profile", stated("<ds:DigestValue>", "<ds:DigestValue>?")),
    ("profile", stated("</ds:DigestValue>", "<ds:Object/></ds:DigestValue>")),
    ("profile", forged(SIGNED, SIGNATURE)),
    ("profile", forged(SIGNED, f'<ds:Signature xmlns:ds="{DSIG}"/>')),
    ("profile", forged("<ns0:Payload>", '<ns0:Payload xmlns:relative="one">')),
    ("profile", forged("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>other</ds:KeyName>")),
    ("profile", forged("</ds:Signature>", "<ds:Object/></ds:Signature>")),
    ("profile", forged("<ds:Signature ", '<ds:Signature Id="s" ')),
    ("profile", forged(f"</ds:Signature>{END}", f"</ds:Signature>text{END}")),
    ("profile", forged(END, f"<ns0:Entity/>{END}")),
    ("profile", forged(END, f"{SIGNATURE}{END}")),
    ("profile", forged(SIGNATURE, "")),
    ("profile", forged(SIGNATURE, f"<ns0:Wrap>{SIGNATURE}</ns0:Wrap>")),
    ("profile", forged("<ns0:Payload>", '<ns0:Payload xml:base="https://example.org/">')),
    ("profile", forged("<ns0:Payload>", '<ns0:Payload xml:id="x">')),
    ("content", edited("SoftwareIdentity", "ns0:OtherIdentity")),
    ("content", edited('edition="GPU"', 'edition="SWITCH"')),
    ("content", edited('product="GH100"', "")),
    ("content", edited('colloquialVersion="580.95.05"', 'colloquialVersion=""')),
    ("content", edited('tagId="GH100580.95.05"', "")),
    ("content", edited("<ns0:Payload>", "<ns0:Payload/><ns0:Payload>")),
    ("content", edited("<ns0:Meta", "<ns0:Meta/><ns0:Meta")),
    ("content", edited('type="Measurement" index="7"', 'type="File" index="7"')),
    ("content", edited("<ns0:Payload>", "<ns0:Payload><ns0:Directory/>")),
    ("content", edited('<ns0:Resource type="Measurement" index="7"', '<ns0:File type="Measurement" index="7"')),
    ("content", edited('index="7"', 'index="21"')),
    ("content", edited('index="7"', 'index="62"')),
    ("content", edited('index="7"', 'index="254"')),
    ("content", edited('index="7"', 'index="-7"')),
    ("content", edited('index="7"', 'index="٧"')),
    ("content", edited('index="7" active="True"', 'index="7" active="yes"')),
    ("content", edited('index="7" active="True" alternatives="2"', 'index="7" active="True" alternatives="3"')),
    ("content", edited('index="7" active="True" alternatives="2"', 'index="7" active="True" alternatives="1"')),
    ("content", edited(f'alternatives="1" {HASH0}', 'alternatives="0"')),
    ("content", edited('size="48"', 'size="32"')),
    ("content", edited(HASH0, HASH0.replace("Hash0", "Hash2"))),
    ("content", edited(HASH0, HASH0.replace("00", "0g", 1))),
]


@pytest.mark.parametrize(("check", "fake"), CHECKS, ids=[f"{n}-{check}" for n, (check, _) in enumerate(CHECKS)])
def test_only_this_check_fails(check, fake):
    assert failed_check(fake.encode()) == f"rim.driver.{check}"


DEVICE, OPAQUE = device_chain(hopper().chain(), trust()), parse(hopper().report()).opaque


def test_a_device_needs_the_rims_of_what_it_states():
    assert rim_ids(DEVICE, OPAQUE) == {RimKind.DRIVER: DRIVER_ID, RimKind.VBIOS: VBIOS_ID}
    assert rim_ids(DEVICE, replace(OPAQUE, driver_version="")).keys() == {RimKind.VBIOS}


@pytest.mark.parametrize("missing", ["vbios_version", "project", "project_sku", "chip_sku"])
def test_a_vbios_that_is_not_stated_in_full_has_no_rim(missing):
    assert rim_ids(DEVICE, replace(OPAQUE, **{missing: ""})).keys() == {RimKind.DRIVER}


def test_a_switch_that_states_no_vbios_has_no_rim():
    device, opaque = device_chain(switch().chain(), trust()), parse(switch().report()).opaque
    assert rim_ids(device, opaque) == {RimKind.VBIOS: SWITCH_ID}
    assert rim_ids(device, replace(opaque, vbios_version="")) == {}


def test_the_rim_is_genuine():
    found = verified(SIGNED.encode())
    assert (found.product, found.version, sorted(found.golden)) == ("GH100", "580.95.05", [7, 21])
    assert len(found.golden[7]) == 2


@pytest.mark.parametrize("start", ["", '<?xml version="1.0"?>', "<?xml version='1.0' encoding='UTF-8'?>\n"])
def test_an_xml_declaration_in_utf_8_may_be_there(start):
    assert verified(start.encode() + SIGNED.encode()).version == "580.95.05"


def test_golden_values_are_read_from_the_signed_document_only():
    """Signature wrapping: a signed document moved aside, with one in front that was not signed."""
    evil = SIGNED.replace(SIGNATURE, "").replace('index="7"', 'index="8"')
    for wrapped in (
        evil.replace(END, f"<ns0:Old>{SIGNED}</ns0:Old>{END}"),
        evil.replace(END, f"<ns0:Old>{SIGNED.replace(SIGNATURE, '')}</ns0:Old>{SIGNATURE}{END}"),
        evil.replace("<ns0:Payload>", f"{SIGNATURE}<ns0:Payload>"),
        evil.replace(
            END, SIGNATURE.replace("</ds:Signature>", f"<ds:Object>{SIGNED}</ds:Object></ds:Signature>") + END
        ),
    ):
        assert failed_check(wrapped.encode()) in {"rim.driver.profile", "rim.driver.digest"}


def test_a_signature_of_another_rim_is_refused():
    other = replace(BASE, version="580.95.06").encode().decode()
    foreign = other[other.index("<ds:Signature ") : other.index(END)]
    assert failed_check(SIGNED.replace(SIGNATURE, foreign).encode()) == "rim.driver.digest"
    digest = re.search(r"<ds:DigestValue>.*?</ds:DigestValue>", SIGNED)[0]
    mixed = re.sub(r"<ds:DigestValue>.*?</ds:DigestValue>", lambda _: digest, foreign)
    assert failed_check(SIGNED.replace(SIGNATURE, mixed).encode()) == "rim.driver.signature"


def test_the_roots_for_gpus_and_for_switches_are_apart():
    anchors = trust().anchors
    for_gpus = replace(anchors[1], scope=frozenset({"nvidia-gpu-rim"}))
    store = TrustStore([anchors[0], for_gpus])
    assert verified(SIGNED.encode(), store).product == "GH100"
    switch = FakeRim("LS10", "96.10.55.00.01", "SWITCH", golden(0)).encode()
    with pytest.raises(VerificationFailed, match=r"rim\.vbios\.chain\.root"):
        verify_rim(switch, RimKind.VBIOS, DeviceKind.SWITCH, store)
    assert failed_check(SIGNED.encode(), TrustStore.production()) == "rim.driver.chain.root"


def test_when_the_signers_are_valid_is_stated_not_judged():
    found = verified(signer(0, not_before=AT - 3 * YEAR, not_after=AT - 2 * YEAR).encode())
    assert found.signers.start > found.signers.end
    found = verified(signer(0, not_after=AT - YEAR / 2).encode())
    assert found.signers.end == AT - YEAR / 2


BOMB = (
    "<!DOCTYPE a [<!ENTITY a0 'lol'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
    + "]><SoftwareIdentity>&a11;</SoftwareIdentity>"
)


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (b"", "XML"),
        (b"not XML", "XML"),
        (BOMB.encode(), "DTD"),
        (b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x.dtd'><a/>", "DTD"),
        (b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "DTD"),
        (b"<a>&x;</a>", "XML"),
        (b"<a><![CDATA[x]]></a>", "CDATA"),
        (b"<a><!-- x --></a>", "comment"),
        (b"<a><?x y?></a>", "processing instruction"),
        (b"<?xml version='1.0' encoding='UTF-16'?><a/>", "processing instruction"),
        (b"<?xml version='1.0' encoding='utf-7'?>+ADwAIQ-DOCTYPE a+AD4-<a/>", "processing instruction"),
        (b"<?xml-stylesheet href='http://127.0.0.1:1/'?><a/>", "processing instruction"),
        ("<a/>".encode("utf-16"), "XML"),
        (b"\xef\xbb\xbf<!DOCTYPE a><a/>", "DTD"),
        (b"<a>\xff\xfe</a>", "XML"),
        (b"<a>" * 5000, "XML"),
        (b"<a b='1' b='2'/>", "XML"),
        (SIGNED.encode()[:-1], "XML"),
        (SIGNED.encode() + b"<a/>", "XML"),
        (SIGNED.encode() + b" " * 300_000, "at most"),
    ],
)
def test_documents_that_are_not_read(encoded, reason):
    started = time.perf_counter()
    with pytest.raises(MalformedEvidence, match=reason) as failure:
        verified(encoded)
    assert 0 <= failure.value.offset <= len(encoded)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "encoded",
    [
        b"<a " + b" ".join(b"a%d='x'" % n for n in range(20_000)) + b"/>",
        b"<a " + b" ".join(b"xmlns:n%d='u%d'" % (n, n) for n in range(10_000)) + b"/>",
        b"<a>" + b"<b/>" * 60_000 + b"</a>",
        b"<a>" + b"<b xmlns:x='y'>" * 200 + b"</b>" * 200 + b"</a>",
    ],
)
def test_large_documents_are_refused_in_little_time(encoded):
    started = time.perf_counter()
    with pytest.raises((MalformedEvidence, VerificationFailed)):
        verified(encoded)
    assert time.perf_counter() - started < 5


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SIGNED) - 1), st.binary(min_size=1, max_size=6))
def test_any_change_is_refused_or_does_not_count(offset, value):
    encoded = SIGNED.encode()
    changed = encoded[:offset] + value + encoded[offset + len(value) :]
    try:
        found = verified(changed)
    except (MalformedEvidence, VerificationFailed):
        return
    assert found.golden == verified(encoded).golden


@pytest.mark.parametrize("entry", GENUINE_RIMS[::4], ids=lambda entry: entry["file"])
def test_signxml_agrees_on_genuine_rims(entry):
    """A second opinion, where it is installed, on what is signed and whether it is."""
    signxml = pytest.importorskip("signxml")
    from cryptography import x509
    from lxml import etree

    encoded = rim(entry["file"])
    found = verify_rim(encoded, *kinds(entry), TrustStore.production())
    leaf = x509.load_der_x509_certificate(found.signers.members[0].certificate.encoded)
    config = signxml.SignatureConfiguration(
        signature_methods=frozenset({signxml.SignatureMethod.ECDSA_SHA384}),
        digest_algorithms=frozenset({signxml.DigestAlgorithm.SHA384}),
        verification_time=found.signers.start,
    )
    result = signxml.XMLVerifier().verify(etree.fromstring(encoded), x509_cert=leaf, expect_config=config)
    actives = [int(it.get("index")) for it in result.signed_xml.iter("{*}Resource") if it.get("active") == "True"]
    assert sorted(actives) == sorted(found.golden)
