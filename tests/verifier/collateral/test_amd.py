"""AMD's objects: only what holds under a pinned ARK, and is about its subject, is taken."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.verifier.fake_amd import CHIP, TCB, milan, other_key, vlek
from tests.verifier.fake_x509 import authority_extensions, ecdsa
from verifier.collateral import amd, needs, pem
from verifier.errors import VerificationFailed
from verifier.snp import parse
from verifier.trust import TrustStore

MILAN, VLEK = milan(), vlek()
TRUST = MILAN.trust()
ROOT, ASK, ASVK = TRUST.anchors[0].certificate, MILAN.intermediate, VLEK.intermediate
SUBJECT = f"{CHIP.hex()}-{TCB.hex()}"


def content(*members, root: bytes = ROOT.encoded) -> bytes:
    return pem.certificates(*(member.encode() for member in members), root)


def refused(inspect, subject: str, encoded: bytes, trust: TrustStore = TRUST) -> str:
    with pytest.raises(VerificationFailed) as failure:
        inspect(subject, encoded, trust)
    return failure.value.check


def test_genuine_objects_say_when_they_are_valid():
    vcek = content(MILAN.leaf, ASK)
    vlek_object = content(VLEK.leaf, ASVK)
    leaf = pem.only(vlek_object, *[pem.CERTIFICATE] * 3)[0]
    assert amd.inspect_vcek(SUBJECT, vcek, TRUST) == (MILAN.leaf.not_before, MILAN.leaf.not_after)
    subject = needs.vlek_subject(TCB, leaf)
    assert amd.inspect_vlek(subject, vlek_object, TRUST) == (VLEK.leaf.not_before, VLEK.leaf.not_after)
    for kind, intermediate in (("vcek", ASK), ("vlek", ASVK)):
        found = amd.inspect_chain(f"milan-{kind}", content(intermediate), TRUST)
        assert found == (ROOT.not_before, ROOT.not_after)
    crl = MILAN.crl()
    assert amd.inspect_crl("milan", crl.encode(), TRUST) == (crl.this_update, crl.next_update)


@pytest.mark.parametrize(
    ("inspect", "subject", "encoded"),
    [
        (amd.inspect_vcek, SUBJECT[:-1] + "0", content(MILAN.leaf, ASK)),
        (amd.inspect_vcek, f"{CHIP[:-1].hex()}00-{TCB.hex()}", content(MILAN.leaf, ASK)),
        (amd.inspect_vlek, f"{TCB.hex()}-{'0' * 16}", content(VLEK.leaf, ASVK)),
        (amd.inspect_chain, "milan-vlek", content(ASK)),
        (amd.inspect_chain, "genoa-vcek", content(ASK)),
        (amd.inspect_chain, "milan-vcek", content(replace(ASK, subject="SEV-Rome"))),
        (amd.inspect_chain, "milan-vcek", content(replace(ASK, subject="Milan"))),
        (amd.inspect_crl, "genoa", MILAN.crl().encode()),
    ],
)
def test_what_is_about_something_else(inspect, subject, encoded):
    assert refused(inspect, subject, encoded) == "subject"


@pytest.mark.parametrize(
    ("intermediate", "check"),
    [
        (replace(ASK, extensions=authority_extensions()[1:]), "chain.authority"),
        (replace(ASK, extensions=authority_extensions(0x02)), "chain.authority"),
        (replace(ASK, issuer="ARK-Genoa"), "chain.signature"),
        (replace(ASK, algorithm=ecdsa()), "chain.signature"),
        (replace(ASK, signer=other_key()), "chain.signature"),
    ],
)
def test_a_chain_that_is_none(intermediate, check):
    assert refused(amd.inspect_chain, "milan-vcek", content(intermediate)) == check


def test_a_chain_under_a_root_that_is_not_pinned():
    other = replace(MILAN.ark, serial_number=1).encode()
    assert refused(amd.inspect_chain, "milan-vcek", content(ASK, root=other)) == "chain.ark"


def test_a_list_of_an_issuer_that_is_not_pinned():
    assert refused(amd.inspect_crl, "milan", MILAN.crl().encode(), TrustStore([])) == "crl.issuer"
    assert refused(amd.inspect_crl, "milan", MILAN.crl(issuer="ARK-Rome").encode()) == "crl.issuer"


def test_a_pinned_root_of_no_product_has_no_list():
    world = replace(MILAN, ark=replace(MILAN.ark, subject="ARK-Rome", issuer="ARK-Rome"))
    assert refused(amd.inspect_crl, "rome", world.crl().encode(), world.trust()) == "subject"


def test_a_list_that_its_issuer_did_not_sign():
    forged = MILAN.crl(signer=other_key()).encode()
    assert refused(amd.inspect_crl, "milan", forged).startswith(("crl", "subject"))


def test_whose_key_signed_a_report():
    report = parse(VLEK.report())
    assert amd.signed(report, content(VLEK.leaf, ASVK))
    for key in (
        ec.generate_private_key(ec.SECP384R1()).public_key(),
        rsa.generate_private_key(65537, 2048).public_key(),
    ):
        assert not amd.signed(report, content(replace(VLEK.leaf, key=key), ASVK))
