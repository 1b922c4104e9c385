"""For each check of the specification, a world in which only that check fails."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.verifier import fake_amd
from tests.verifier.fake_x509 import authority_extensions, oid, pss, tlv
from tests.verifier.tdx import fake_intel
from tests.verifier.tdx.fake_intel import (
    DAY,
    PLATFORM_CA,
    ROOT,
    SGX,
    World,
    certificate,
    compact,
    key,
    level,
    member,
    pem,
    platform_tcb,
    point,
    sgx_extension,
    sign_raw,
    world,
    world_15,
)
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate
from verifier.tdx import TcbStatus, parse, verify
from verifier.trust import TrustAnchor, TrustStore

SECOND = timedelta(seconds=1)
FMSPC = bytes.fromhex(fake_intel.FMSPC)


def outcome(fake: World, trust: TrustStore | None = None, **collateral: bytes):
    return verify(parse(fake.quote()), fake.collateral(**collateral), trust or fake.trust(), fake.at)


def failed_check(fake: World, trust: TrustStore | None = None, **collateral: bytes) -> str:
    with pytest.raises(VerificationFailed) as failure:
        outcome(fake, trust, **collateral)
    return failure.value.check


def part(name: str, **changes) -> World:
    return replace(world(), **{name: replace(getattr(world(), name), **changes)})


def with_extension(name: str, dotted: str, value: bytes | None, **options) -> World:
    return replace(world(), **{name: getattr(world(), name).with_extension(dotted, value, **options)})


def sgx(value: bytes | None) -> World:
    return with_extension("pck", SGX, value)


def tcb(**changes) -> World:
    return world().with_tcb_info(**changes)


def module(**changes) -> World:
    info = world().tcb_info
    return tcb(tdxModuleIdentities=[{**info["tdxModuleIdentities"][0], **changes}])


def identity(**changes) -> World:
    return world().with_qe_identity(**changes)


def stamp(at) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def duplicate(member_name: str) -> Callable[[dict], bytes]:
    """Serialise with one member twice, the second with the value that passes every check."""

    def serialize(document: dict) -> bytes:
        text = compact(document).decode()
        return (text[:-1] + f',"{member_name}":{json.dumps(document[member_name])}}}').encode()

    return serialize


def shortened(name: str) -> dict:
    tcb_of_level = platform_tcb()
    return {**tcb_of_level, name: tcb_of_level[name][:15]}


AT = world().at
P384 = fake_amd.leaf_key().public_key()
RSA = fake_amd.other_key().public_key()
CA = tlv(0x30, tlv(0x01, b"\xff"))
UNKNOWN = ("2.5.29.30", b"\x30\0")

CHECKS: list[tuple[str, World]] = [
    ("quote.vendor", replace(world(), vendor=bytes(16))),
    ("quote.certification", replace(world(), certification_type=3)),
    ("quote.signature", replace(world(), quote_signer="other")),
    ("quote.attestation-key", replace(world(), attestation_key=b"\x01" * 64)),
    ("quote.attestation-key", replace(world(), attestation_key=bytes(64))),
    ("qe.signature", replace(world(), qe_signer="other")),
    ("qe.report-data", world().with_qe(report_data=bytes(64))),
    ("qe.report-data", replace(world(), binding_tail=bytes(31) + b"\x01")),
    ("qe.mrsigner", world().with_qe(mr_signer=bytes(32))),
    ("qe.isvprodid", world().with_qe(isv_prod_id=1)),
    ("qe.miscselect", world().with_qe(misc_select=1)),
    ("qe.attributes", world().with_qe(attributes=0x17)),
    ("qe.attributes", world().with_qe(attributes=0x14)),
    ("qe.isvsvn", world().with_qe(isv_svn=1)),
    ("chain.pck.authority", with_extension("pck", "2.5.29.19", CA, critical=True)),
    ("chain.pck.signature", part("pck", signer=key("other"))),
    ("chain.pck.signature", part("pck", issuer="Intel SGX PCK Processor CA")),
    ("chain.pck.algorithm", part("pck", algorithm=pss())),
    ("chain.pck.algorithm", part("pck", algorithm=tlv(0x30, oid("1.2.840.10045.4.3.3")))),
    ("chain.pck.extensions", with_extension("pck", *UNKNOWN, critical=True)),
    ("chain.pck.key", part("pck", key=P384)),
    ("chain.pck.key", part("pck", key=RSA)),
    ("chain.pck.validity", part("pck", not_before=AT + SECOND)),
    ("chain.pck.validity", part("pck", not_after=AT - SECOND)),
    ("chain.pck.revoked", part("pck_crl", revoked=(7, 3))),
    ("chain.pck.extension", sgx(None)),
    ("chain.pck.extension", sgx(tlv(0x30))),
    ("chain.pck.extension", sgx(sgx_extension(fmspc="00906ed5"))),
    ("chain.pck.extension", sgx(sgx_extension(pce_id=b"\0"))),
    ("chain.pck.extension", sgx(sgx_extension(pcesvn=65536))),
    ("chain.pck.extension", sgx(sgx_extension(pcesvn=-1))),
    ("chain.pck.extension", sgx(sgx_extension(components=bytes(15)))),
    ("chain.pck.extension", sgx(sgx_extension() + b"\x05\0")),
    ("chain.pck.extension", sgx(tlv(0x30, *[member(f"{SGX}.4", tlv(0x04, bytes(6)))] * 2))),
    ("chain.pck.extension", sgx(sgx_extension(extra=member(f"{SGX}.4", tlv(0x04, bytes(6)))))),
    ("chain.pck.extension", sgx(sgx_extension(tcb_tag=0x31))),
    ("chain.pck.extension", sgx(sgx_extension(extra=tlv(0x30, oid(f"{SGX}.7"), tlv(0x04), b"\x05\0")))),
    ("chain.pck.extension", sgx(sgx_extension().replace(b"\x04\x06" + FMSPC, b"\x0c\x06" + FMSPC))),
    ("chain.pck.extension", sgx(sgx_extension(svn_tag=0x04))),
    ("chain.intermediate", part("intermediate", subject="Intel SGX TCB Signing")),
    ("chain.intermediate.authority", part("intermediate", extensions=authority_extensions()[1:])),
    ("chain.intermediate.authority", part("intermediate", extensions=authority_extensions(0x02))),
    ("chain.intermediate.signature", part("intermediate", signer=key("other"))),
    ("chain.intermediate.algorithm", part("intermediate", algorithm=pss())),
    ("chain.intermediate.extensions", with_extension("intermediate", *UNKNOWN, critical=True)),
    ("chain.intermediate.key", part("intermediate", key=P384)),
    ("chain.intermediate.validity", part("intermediate", not_before=AT + SECOND)),
    ("chain.intermediate.validity", part("intermediate", not_after=AT - SECOND)),
    ("chain.intermediate.revoked", part("root_crl", revoked=(2,))),
    ("chain.root", part("root", subject="Intel SGX Root CA 2")),
    ("chain.root", part("root", key=key("other").public_key())),
    ("chain.tcb-signing", part("signer", subject="Intel SGX PCK Certificate")),
    ("chain.tcb-signing.authority", with_extension("signer", "2.5.29.19", CA, critical=True)),
    ("chain.tcb-signing.signature", part("signer", signer=key("ca"), issuer=PLATFORM_CA)),
    ("chain.tcb-signing.signature", part("signer", signer=key("other"))),
    ("chain.tcb-signing.algorithm", part("signer", algorithm=pss())),
    ("chain.tcb-signing.extensions", with_extension("signer", *UNKNOWN, critical=True)),
    ("chain.tcb-signing.key", part("signer", key=P384)),
    ("chain.tcb-signing.validity", part("signer", not_before=AT + SECOND)),
    ("chain.tcb-signing.validity", part("signer", not_after=AT - SECOND)),
    ("chain.tcb-signing.revoked", part("root_crl", revoked=(4,))),
    ("crl.root.issuer", part("root_crl", issuer=PLATFORM_CA, signer=key("ca"))),
    ("crl.root.signature", part("root_crl", signer=key("other"))),
    ("crl.root.signature", part("root_crl", algorithm=pss())),
    ("crl.root.extensions", part("root_crl", extensions=authority_extensions()[:1])),
    ("crl.root.validity", part("root_crl", this_update=AT + SECOND)),
    ("crl.root.validity", part("root_crl", next_update=AT - SECOND)),
    ("crl.pck.issuer", part("pck_crl", issuer="Intel SGX PCK Processor CA")),
    ("crl.pck.issuer", part("pck_crl", issuer=ROOT, signer=key("root"))),
    ("crl.pck.signature", part("pck_crl", signer=key("root"))),
    ("crl.pck.extensions", part("pck_crl", extensions=authority_extensions()[:1])),
    ("crl.pck.authority", part("intermediate", extensions=authority_extensions(0x04))),
    ("crl.pck.validity", part("pck_crl", this_update=AT + SECOND)),
    ("crl.pck.validity", part("pck_crl", next_update=AT - SECOND)),
    ("tcb-info.signature", replace(world(), document_signer="other")),
    ("tcb-info.signature", replace(world(), document_signer="pck")),
    ("tcb-info.id", tcb(id="SGX")),
    ("tcb-info.version", tcb(version=2)),
    ("tcb-info.version", tcb(version="3")),
    ("tcb-info.validity", tcb(issueDate=stamp(AT + SECOND))),
    ("tcb-info.validity", tcb(nextUpdate=stamp(AT - SECOND))),
    ("tcb-info.fmspc", tcb(fmspc="00906ED50001")),
    ("tcb-info.pceid", tcb(pceId="0100")),
    ("tcb-info.content", tcb(fmspc="00906ED5")),
    ("tcb-info.content", tcb(issueDate="2026-05-31T12:00:00")),
    ("tcb-info.content", tcb(tcbEvaluationDataNumber="20")),
    ("tcb-info.content", tcb(tcbLevels=None)),
    ("tcb-info.content", tcb(fmspc=5)),
    ("tcb-info.content", tcb(tcbLevels=[level(tcb=platform_tcb() | {"sgxtcbcomponents": 16})])),
    ("tcb-info.content", tcb(tcbLevels=[level(tcb=shortened("sgxtcbcomponents"))])),
    ("tcb-info.content", tcb(tcbLevels=[level(tcb=shortened("tdxtcbcomponents"))])),
    ("tcb-info.content", tcb(tcbLevels=[level(tcb=platform_tcb(sgx=256))])),
    ("tcb-info.content", tcb(tcbLevels=[level("TDRelaunchAdvised", tcb=world().tcb_info["tcbLevels"][0]["tcb"])])),
    ("tcb-info.content", tcb(tcbLevels=[level("Fine", tcb=world().tcb_info["tcbLevels"][0]["tcb"])])),
    ("tcb-info.content", module(tcbLevels=[level("SWHardeningNeeded", tcb={"isvsvn": 1})])),
    ("tcb-info.content", module(id="TDX_1")),
    ("tcb-info.content", tcb(tdxModuleIdentities=2 * world().tcb_info["tdxModuleIdentities"])),
    ("tcb-info.content", replace(world(), serialize=duplicate("issueDate"))),
    ("qe-identity.id", identity(id="QE")),
    ("qe-identity.version", identity(version=1)),
    ("qe-identity.validity", identity(issueDate=stamp(AT + SECOND))),
    ("qe-identity.validity", identity(nextUpdate=stamp(AT - SECOND))),
    ("qe-identity.content", identity(mrsigner="00")),
    ("module.identity", world().with_td(tee_tcb_svn=bytes([6, 2, 3]).ljust(16, b"\0"))),
    ("module.isvsvn", world().with_td(tee_tcb_svn=bytes([1, 1, 3]).ljust(16, b"\0"))),
    ("module.mrsigner", world().with_td(mr_signer_seam=b"\x01" * 48)),
    ("module.mrsigner", module(mrsigner="01" * 48)),
    ("module.attributes", world().with_td(seam_attributes=1)),
    ("module.mrsigner", world().with_td(tee_tcb_svn=bytes([6, 0, 3]).ljust(16, b"\0"), mr_signer_seam=b"\x01" * 48)),
    ("module.attributes", world().with_td(tee_tcb_svn=bytes([6, 0, 3]).ljust(16, b"\0"), seam_attributes=1 << 63)),
    ("tcb.level", world().with_td(tee_tcb_svn=bytes([6, 1, 1]).ljust(16, b"\0"))),
    ("tcb.level", sgx(sgx_extension(components=bytes([5] * 15 + [3])))),
    ("tcb.level", sgx(sgx_extension(pcesvn=10))),
    ("tcb.level", tcb(tcbLevels=[])),
    ("tcb.level", world_15(tee_tcb_svn_2=bytes([6, 1, 1]).ljust(16, b"\0"))),
]


@pytest.mark.parametrize(("check", "fake"), CHECKS, ids=[f"{n}-{check}" for n, (check, _) in enumerate(CHECKS)])
def test_only_this_check_fails(check, fake):
    assert failed_check(fake) == check


@pytest.mark.parametrize("fake", [world(), world_15()], ids=["td-1.0", "td-1.5"])
def test_the_worlds_are_genuine_and_up_to_date(fake):
    verified = outcome(fake)
    assert verified.tcb.status is TcbStatus.UP_TO_DATE
    assert verified.tcb.advisories == ()


@pytest.mark.parametrize(
    "fake",
    [
        part("pck", not_before=AT, not_after=AT),
        part("pck_crl", this_update=AT, next_update=AT),
        tcb(issueDate=stamp(AT), nextUpdate=stamp(AT)),
        identity(issueDate=stamp(AT), nextUpdate=stamp(AT)),
    ],
)
def test_both_ends_of_a_period_belong_to_it(fake):
    assert outcome(fake).tcb.status is TcbStatus.UP_TO_DATE


@pytest.mark.parametrize(
    ("count", "chain"),
    [
        (0, lambda fake: b""),
        (2, lambda fake: pem(fake.pck.encode()) + pem(fake.intermediate.encode())),
        (4, lambda fake: fake.__class__.pck_chain(world()) + pem(fake.root.encode())),
    ],
)
def test_a_pck_chain_has_three_certificates(count, chain, monkeypatch):
    monkeypatch.setattr(World, "pck_chain", chain if count != 4 else _four)
    assert failed_check(world()) == "chain.length"


def _four(fake: World) -> bytes:
    return b"".join(pem(it.encode()) for it in (fake.pck, fake.intermediate, fake.intermediate, fake.root))


def test_a_pck_chain_in_another_order_is_refused(monkeypatch):
    order = b"".join(pem(it.encode()) for it in (world().intermediate, world().pck, world().root))
    monkeypatch.setattr(World, "pck_chain", lambda fake: order)
    assert failed_check(world()) == "chain.intermediate"


def test_a_certificate_that_does_not_parse_is_malformed(monkeypatch):
    monkeypatch.setattr(World, "pck_chain", lambda fake: 3 * pem(b"\x30\x03\x02\x01\x01"))
    with pytest.raises(MalformedEvidence, match="PCK chain, PCK certificate"):
        outcome(world())


@pytest.mark.parametrize("name", ["root_crl", "pck_crl"])
def test_a_crl_that_does_not_parse_is_malformed(name):
    with pytest.raises(MalformedEvidence, match="CRL"):
        outcome(world(), **{name: b"\x30\0"})


def test_the_signing_chain_must_end_at_the_same_root():
    other = certificate(ROOT, ROOT, "other", "other", 1, authority_extensions())
    signer = replace(world().signer, signer=key("other"))
    assert failed_check(world(), tcb_signing_chain=pem(signer.encode()) + pem(other.encode())) == "chain.root"


@pytest.mark.parametrize("count", [1, 3])
def test_the_signing_chain_has_two_certificates(count):
    chain = count * pem(world().signer.encode())
    assert failed_check(world(), tcb_signing_chain=chain) == "chain.length"


def test_a_root_vouches_only_for_what_it_is_pinned_for():
    root = Certificate.parse(world().root.encode())
    assert failed_check(world(), TrustStore([TrustAnchor("intel", frozenset({"sgx"}), root)])) == "chain.root"


def test_a_root_of_amd_does_not_vouch_for_tdx():
    assert failed_check(world(), TrustStore.production()) == "chain.root"
    assert failed_check(world(), fake_amd.milan().trust()) == "chain.root"


class TestExactBytes:
    """The signature is over the bytes that were signed, not over what they mean."""

    def test_reserialised_documents_are_refused(self):
        spaced = json.dumps(world().tcb_info).encode()
        assert failed_check(world(), tcb_info=spaced) == "tcb-info.signature"
        spaced = json.dumps(world().qe_identity).encode()
        assert failed_check(world(), qe_identity=spaced) == "qe-identity.signature"

    def test_documents_of_each_other_are_refused(self):
        collateral = world().collateral()
        swapped = {"tcb_info": collateral.qe_identity, "tcb_info_signature": collateral.qe_identity_signature}
        assert failed_check(world(), **swapped) == "tcb-info.id"

    @pytest.mark.parametrize("size", [0, 63, 65, 71])
    def test_a_signature_has_64_bytes(self, size):
        assert failed_check(world(), tcb_info_signature=bytes(size)) == "tcb-info.signature"

    @pytest.mark.parametrize("zeroed", [slice(0, 32), slice(32, 64)])
    def test_r_or_s_of_zero_is_refused(self, zeroed):
        signature = bytearray(world().collateral().qe_identity_signature)
        signature[zeroed] = bytes(32)
        assert failed_check(world(), qe_identity_signature=bytes(signature)) == "qe-identity.signature"

    def test_text_that_is_no_json_is_refused(self):
        text = b'{"id":"TDX",'
        assert failed_check(world(), tcb_info=text, tcb_info_signature=sign_raw("signer", text)) == "tcb-info.content"

    def test_members_that_are_not_known_are_skipped(self):
        assert outcome(tcb(newer={"svn": 1})).tcb.status is TcbStatus.UP_TO_DATE


class TestMemory:
    """What is remembered is what was verified, and never past its time."""

    def test_a_verified_chain_does_not_endorse_another_quote(self):
        store = world().trust()
        outcome(world(), store)
        assert failed_check(replace(world(), quote_signer="other"), store) == "quote.signature"
        assert failed_check(world().with_qe(report_data=bytes(64)), store) == "qe.report-data"
        assert failed_check(replace(world(), qe_signer="other"), store) == "qe.signature"
        assert failed_check(replace(world(), attestation_key=point("other")), store) == "quote.signature"

    def test_remembered_collateral_expires(self):
        store, fake = world().trust(), world()
        quote, collateral = parse(fake.quote()), fake.collateral()
        verify(quote, collateral, store, AT)
        with pytest.raises(VerificationFailed) as failure:
            verify(quote, collateral, store, AT + DAY + SECOND)
        assert failure.value.check == "crl.root.validity"

    def test_collateral_that_revokes_is_not_overlooked(self):
        store = world().trust()
        outcome(world(), store)
        assert failed_check(part("pck_crl", revoked=(3,)), store) == "chain.pck.revoked"

    def test_another_quote_of_the_same_platform_adds_nothing(self):
        store, fake = world().trust(), world()
        quote, collateral, size = fake.quote(), fake.collateral(), len(fake.signed())
        verify(parse(quote), collateral, store, AT)
        before = len(store.verified)
        for n in range(5):
            signed = fake.with_td(report_data=bytes([n] * 64)).signed()
            again = signed + quote[size : size + 4] + sign_raw("attestation", signed) + quote[size + 68 :]
            assert verify(parse(again), collateral, store, AT).quote.report.report_data[0] == n
        assert len(store.verified) == before

    def test_what_failed_is_not_remembered(self):
        store = world().trust()
        failed_check(tcb(fmspc="00906ED50001"), store)
        failed_check(world().with_qe(report_data=bytes(64)), store)
        outcome(world(), store)
        assert failed_check(tcb(fmspc="00906ED50001"), store) == "tcb-info.fmspc"


def test_the_time_must_have_a_zone():
    fake = world()
    with pytest.raises(ValueError, match="time zone"):
        verify(parse(fake.quote()), fake.collateral(), fake.trust(), AT.replace(tzinfo=None))


def test_serial_numbers_of_another_issuers_crl_do_not_count():
    assert outcome(part("root_crl", revoked=(3,))).tcb.status is TcbStatus.UP_TO_DATE


def test_a_crl_entry_is_found_whatever_its_position():
    assert failed_check(part("pck_crl", revoked=tuple(reversed(range(3, 60))))) == "chain.pck.revoked"


def test_a_single_package_platform_has_no_instance_id():
    value = sgx_extension()
    instance = member(f"{SGX}.6", tlv(0x04, bytes(16)))
    body = value[value.index(b"\x30", 1) : -len(instance)]
    assert outcome(world()).endorsement.chain.platform.instance_id == bytes(16)
    assert outcome(sgx(tlv(0x30, body))).endorsement.chain.platform.instance_id is None
