"""Intel's objects: only what holds under a pinned root, and is about its subject, is taken."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from tests.verifier.tdx.fake_intel import AT, DAY, FMSPC, ROOT, SIGNS_DATA, World, certificate, compact, crl, world
from tests.verifier.tdx.fake_intel import sign_raw as sign
from verifier.collateral import intel, needs, pem
from verifier.collateral.intel import signed_member
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate
from verifier.tdx import parse
from verifier.trust import TrustAnchor, TrustStore

WORLD = world()
TRUST = WORLD.trust()
WINDOW = (AT - DAY, AT + DAY)
PROCESSOR_CA = certificate("Intel SGX PCK Processor CA", ROOT, "processor-ca", "root", 5, WORLD.intermediate.extensions)

Inspect = Callable[[str, bytes, TrustStore], tuple[datetime, datetime]]


def answer(member: str, document: dict[str, object], made: World = WORLD, by: str = "signer") -> bytes:
    """An answer of Intel's service with its issuer chain."""
    signed = compact(document)
    body = b'{"%s":%s,"signature":"%s"}' % (member.encode(), signed, sign(by, signed).hex().encode())
    return pem.certificates(made.signer.encode(), made.root.encode()) + body


def info(made: World = WORLD, **options: str) -> bytes:
    return answer("tcbInfo", made.tcb_info, made, **options)


def identity(made: World = WORLD) -> bytes:
    return answer("enclaveIdentity", made.qe_identity, made)


def pck_list(authority: str = "ca", encoded: bytes | None = None) -> bytes:
    """The CRL of one of the CAs, with its chain."""
    ca = WORLD.intermediate if authority == "ca" else PROCESSOR_CA
    listed = encoded or crl(ca.subject, authority).encode()
    return pem.certificates(ca.encode(), WORLD.root.encode()) + pem.armour(pem.CRL, listed)


def refused(inspect: Inspect, subject: str, content: bytes, trust: TrustStore = TRUST) -> str:
    with pytest.raises(VerificationFailed) as failure:
        inspect(subject, content, trust)
    return failure.value.check


@pytest.mark.parametrize(
    ("inspect", "subject", "content"),
    [
        (intel.inspect_tcb_info, FMSPC, info()),
        (intel.inspect_tcb_info, f"{FMSPC}-early", info()),
        (intel.inspect_tcb_info, f"{FMSPC}-20", info()),
        (intel.inspect_qe_identity, "td", identity()),
        (intel.inspect_qe_identity, "td-20", identity()),
        (intel.inspect_pck_crl, "platform", pck_list()),
        (intel.inspect_pck_crl, "processor", pck_list("processor-ca")),
        (intel.inspect_root_crl, "root", WORLD.root_crl.encode()),
    ],
)
def test_a_genuine_object_says_when_it_is_valid(inspect: Inspect, subject: str, content: bytes) -> None:
    assert inspect(subject, content, TRUST) == WINDOW


@pytest.mark.parametrize(
    ("inspect", "subject", "content", "check"),
    [
        (intel.inspect_tcb_info, "00906ed50001", info(), "subject"),
        (intel.inspect_tcb_info, f"{FMSPC}-21", info(), "subject"),
        (intel.inspect_qe_identity, "qe", identity(), "subject"),
        (intel.inspect_qe_identity, "td-19", identity(), "subject"),
        (intel.inspect_pck_crl, "processor", pck_list(), "subject"),
        (intel.inspect_pck_crl, "platform", pck_list("processor-ca"), "subject"),
        (intel.inspect_pck_crl, "other", pck_list(), "subject"),
        (intel.inspect_root_crl, "other", WORLD.root_crl.encode(), "subject"),
        (intel.inspect_root_crl, "root", crl("Another Root", "root").encode(), "crl.root.issuer"),
        (intel.inspect_root_crl, "root", crl(ROOT, "other").encode(), "crl.root.signature"),
        (intel.inspect_pck_crl, "platform", pck_list(encoded=crl(ROOT, "ca").encode()), "crl.pck.issuer"),
        (intel.inspect_tcb_info, FMSPC, info(by="other"), "tcb-info.signature"),
    ],
)
def test_what_is_about_something_else_or_not_intel_s(
    inspect: Inspect, subject: str, content: bytes, check: str
) -> None:
    assert refused(inspect, subject, content) == check


def test_a_root_that_is_pinned_for_something_else_has_no_list() -> None:
    anchor = TrustAnchor("fake", frozenset({"snp"}), Certificate.parse(WORLD.root.encode()))
    assert refused(intel.inspect_root_crl, "root", WORLD.root_crl.encode(), TrustStore([anchor])) == "crl.root.issuer"


def test_the_root_whose_list_it_is_is_found_among_several() -> None:
    other = certificate("Another Root", "Another Root", "other", "other", 9, WORLD.root.extensions)
    first = TrustAnchor("other", frozenset({"tdx"}), Certificate.parse(other.encode()))
    store = TrustStore([first, *TRUST.anchors])
    assert intel.inspect_root_crl("root", WORLD.root_crl.encode(), store) == WINDOW


def test_documents_of_a_signer_that_the_root_did_not_issue() -> None:
    other = replace(WORLD, signer=certificate("Intel SGX TCB Signing", ROOT, "signer", "other", 4, (SIGNS_DATA,)))
    assert refused(intel.inspect_tcb_info, FMSPC, info(other)).startswith("chain.")


SIGNATURE = b'"signature":"' + b"ab" * 64 + b'"'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"tcbInfos":{},%s}' % SIGNATURE, 'an answer that starts with {"tcbInfo":'),
        (b'{"a":1,"tcbInfo":{},%s}' % SIGNATURE, 'an answer that starts with {"tcbInfo":'),
        (b'{"tcbInfo":{', "cut off, or not JSON in ASCII"),
        (b'{"tcbInfo":"\xc3\xa9",%s}' % SIGNATURE, "cut off, or not JSON in ASCII"),
        (b'{"tcbInfo":%s' % (b"[" * 100_000), "cut off, or not JSON in ASCII"),
        (b'{"tcbInfo":{}}', "not followed by a signature"),
        (b'{"tcbInfo":{},"more":1,%s}' % SIGNATURE, "not followed by a signature"),
        (b'{"tcbInfo":{},%s,"more":1}' % SIGNATURE, "not followed by a signature"),
        (b'{"tcbInfo":{},%s}x' % SIGNATURE, "not followed by a signature"),
        (b'{"tcbInfo":{},%s}' % SIGNATURE.replace(b"ab", b"a", 1), "not followed by a signature"),
    ],
)
def test_there_is_one_reading_of_what_is_signed(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedEvidence) as failure:
        signed_member(body, "tcbInfo")
    assert reason in failure.value.reason


def test_the_signed_bytes_are_cut_out_as_they_are() -> None:
    body = b' {"tcbInfo" : {"a": [1,  2]} , %s } ' % SIGNATURE.replace(b":", b" : ")
    assert signed_member(body, "tcbInfo") == (b'{"a": [1,  2]}', b"\xab" * 64)


class TestPem:
    """The blocks that an object consists of."""

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "no PEM block, a CERTIFICATE expected"),
            (pem.certificates(b"a") + b"x", "no PEM block, a X509 CRL expected"),
            (pem.certificates(b"a", b"b"), "a CERTIFICATE, a X509 CRL expected"),
            (pem.armour(pem.CRL, b"a"), "a X509 CRL, a CERTIFICATE expected"),
            (pem.certificates(b"a") + pem.armour(pem.CRL, b"b") * 2, "a X509 CRL, no more of them expected"),
            (pem.certificates(b"a") + pem.armour(pem.CRL, b"b") + b"\0", "1 bytes too many"),
            (pem.certificates(b"a").replace(b"YQ==", b"YQ=") + pem.armour(pem.CRL, b"b"), "CERTIFICATE: not base64"),
        ],
    )
    def test_other_blocks_are_refused(self, content: bytes, reason: str) -> None:
        with pytest.raises(MalformedEvidence) as failure:
            pem.only(content, pem.CERTIFICATE, pem.CRL)
        assert failure.value.reason == reason

    def test_lines_are_of_64_characters_and_read_again(self) -> None:
        content = pem.armour(pem.CRL, bytes(range(100)))
        assert {len(line) for line in content.splitlines()[1:-2]} == {64}
        assert pem.only(content, pem.CRL) == [bytes(range(100))]


class TestNeeds:
    """What a quote needs, by its PCK certificate."""

    def test_the_authority_that_issued_the_pck_says_whose_list(self) -> None:
        wanted = [need.name for need in needs.tdx(parse(WORLD.quote()))]
        assert wanted == [
            f"intel-tcb-info/{FMSPC}",
            "intel-qe-identity/td",
            "intel-root-crl/root",
            "intel-pck-crl/platform",
        ]
        other = replace(WORLD, pck=replace(WORLD.pck, issuer=PROCESSOR_CA.subject))
        assert needs.tdx(parse(other.quote()))[-1].name == "intel-pck-crl/processor"

    def test_a_pck_of_no_authority(self) -> None:
        other = replace(WORLD, pck=replace(WORLD.pck, issuer="Another CA"))
        with pytest.raises(VerificationFailed, match=r"chain\.intermediate: none of"):
            needs.tdx(parse(other.quote()))

    def test_a_quote_without_certificates(self) -> None:
        quote = WORLD.quote().replace(b"-----BEGIN CERTIFICATE-----", b"-----BEGIN CERTIFICATES----")
        with pytest.raises(VerificationFailed, match=r"chain\.length: PCK chain: no certificates"):
            needs.tdx(parse(quote))
