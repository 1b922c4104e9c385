"""For each check of a device's report, chain and revocation, a world in which only that check fails."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.verifier.fake_x509 import FakeExtension, authority_extensions, ecdsa, integer, oid, tlv
from tests.verifier.nested_der import nested
from tests.verifier.nvidia.fake_nvidia import (
    AT,
    AUTHORITY,
    COMPOSITE,
    DAY,
    DEVICE_ROOT,
    FWID,
    HELD,
    OCSP_SIGNING,
    REVOKED,
    REVOKED_WITHOUT_REASON,
    SIGNS_DATA,
    TCB_INFO,
    UNKNOWN_STATUS,
    FakeOcsp,
    World,
    blackwell,
    certificate,
    composite,
    device_certificates,
    fwid_entry,
    hopper,
    key,
    pem,
    spki,
    switch,
    tcb_info,
    trust,
)
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.nvidia import DeviceKind, OcspResponses, Revocation, parse, verify
from verifier.trust import TrustStore

SECOND = timedelta(seconds=1)
LEAF, BROM, PROVISIONER, IDENTITY, ROOT = range(5)
P256 = ec.generate_private_key(ec.SECP256R1()).public_key()
UNKNOWN = FakeExtension("2.5.29.30", b"\x30\0", critical=True)


def outcome(fake: World, store: TrustStore | None = None):
    return verify(parse(fake.report()), fake.chain(), fake.collateral(), store or trust(), fake.at)


def failed_check(fake: World, store: TrustStore | None = None) -> str:
    with pytest.raises(VerificationFailed) as failure:
        outcome(fake, store)
    return failure.value.check


def member(number: int, **changes) -> World:
    return hopper().with_certificate(number, **changes)


def extended(number: int, extension: FakeExtension) -> World:
    return member(number, extensions=(*hopper().certificates[number].extensions, extension))


def leaf(*extensions: FakeExtension) -> World:
    return member(LEAF, extensions=(SIGNS_DATA, *extensions))


def firmware(value: bytes, dotted: str = COMPOSITE) -> World:
    return leaf(FakeExtension(dotted, value))


RESPONDER = certificate(
    "OCSP Responder", hopper().certificates[PROVISIONER].subject, "responder", "provisioner", 31, (OCSP_SIGNING,)
)


def answer(number: int = BROM, **changes) -> FakeOcsp:
    """A response about a certificate, signed by a responder that the BROM's issuer appointed."""
    certificates = hopper().certificates
    base = FakeOcsp(certificates[number], certificates[number + 1], "responder", (RESPONDER,))
    if number != BROM:
        base = replace(
            base, signer=("leaf", "brom", "provisioner", "identity", "device-root")[number + 1], responders=()
        )
    return replace(base, **changes)


def asked(*responses: FakeOcsp) -> World:
    return replace(hopper(), ocsp=responses)


def responder(**changes) -> World:
    return asked(answer(responders=(replace(RESPONDER, **changes),)))


CHECKS: list[tuple[str, World]] = [
    ("report.signature", replace(hopper(), signer="brom")),
    ("report.fwid", hopper().with_opaque({20: FWID[:-1] + b"\0"})),
    ("report.fwid", blackwell().with_opaque({20: bytes(48)})),
    ("report.pdi", replace(switch(), opaque={**switch().opaque, 22: bytes(8)})),
    ("report.pdi", replace(switch(), opaque={**switch().opaque, 22: 2 * switch().opaque[22]})),
    ("chain.root", member(ROOT, subject="NVIDIA Device Identity CA 2")),
    ("chain.root", member(ROOT, key=key("other").public_key())),
    ("chain.identity.signature", member(IDENTITY, signer=key("other"))),
    ("chain.identity.signature", member(IDENTITY, issuer="NVIDIA CoRIM signing Root CA")),
    ("chain.identity.authority", member(IDENTITY, extensions=authority_extensions(0x02))),
    ("chain.identity.validity", member(IDENTITY, not_before=AT + SECOND)),
    ("chain.provisioner.signature", member(PROVISIONER, signer=key("other"))),
    ("chain.provisioner.authority", member(PROVISIONER, extensions=AUTHORITY[1:])),
    ("chain.provisioner.algorithm", member(PROVISIONER, algorithm=ecdsa())),
    ("chain.provisioner.validity", member(PROVISIONER, not_after=AT - SECOND)),
    ("chain.brom.signature", member(BROM, signer=key("other"))),
    ("chain.brom.authority", member(BROM, extensions=())),
    ("chain.brom.extensions", extended(BROM, UNKNOWN)),
    ("chain.brom.key", member(BROM, key=P256)),
    ("chain.brom.validity", member(BROM, not_after=AT - SECOND)),
    ("chain.leaf.signature", member(LEAF, signer=key("provisioner"))),
    ("chain.leaf.signature", member(LEAF, issuer="GH100 A02 GSP BROM")),
    ("chain.leaf.authority", extended(LEAF, AUTHORITY[0])),
    ("chain.leaf.extensions", extended(LEAF, UNKNOWN)),
    ("chain.leaf.algorithm", member(LEAF, algorithm=ecdsa())),
    ("chain.leaf.key", member(LEAF, key=P256)),
    ("chain.leaf.validity", member(LEAF, not_before=AT + SECOND)),
    ("chain.leaf.validity", member(LEAF, not_after=AT - SECOND)),
    ("chain.model", member(LEAF, subject="GB100 A01 GSP FMC LF")),
    ("chain.model", replace(hopper(), certificates=device_certificates("GPU"))),
    ("chain.model", replace(hopper(), certificates=device_certificates("LS_100"))),
    ("chain.leaf.fwid", leaf()),
    ("chain.leaf.fwid", firmware(composite(spki("brom"), fwid_entry(bytes(48))))),
    ("chain.leaf.fwid", firmware(composite(spki("brom"), fwid_entry(bytes(32))))),
    ("chain.leaf.fwid", firmware(composite(spki("brom"), fwid_entry(algorithm="2.16.840.1.101.3.4.2.1")))),
    ("chain.leaf.fwid", firmware(composite(spki("brom"), fwid_entry()) + b"\x05\0")),
    ("chain.leaf.fwid", firmware(tlv(0x30, integer(1), spki("brom"), fwid_entry(), b"\x05\0"))),
    ("chain.leaf.fwid", firmware(composite(spki("brom"), nested(fwid_entry())))),
    ("chain.leaf.fwid", firmware(tcb_info(fwid_entry()) + b"\x05\0", TCB_INFO)),
    ("chain.leaf.fwid", firmware(tcb_info(), TCB_INFO)),
    ("chain.leaf.fwid", firmware(tlv(0x30), TCB_INFO)),
    ("chain.leaf.device-key", firmware(composite(spki("other"), fwid_entry()))),
    ("chain.brom.revoked", asked(answer(status=REVOKED))),
    ("chain.brom.revoked", asked(answer(status=REVOKED_WITHOUT_REASON))),
    ("chain.brom.revoked", asked(answer(status=UNKNOWN_STATUS))),
    ("chain.provisioner.revoked", asked(answer(PROVISIONER, status=REVOKED))),
    ("chain.identity.revoked", asked(answer(IDENTITY, status=REVOKED))),
    ("chain.brom.ocsp.signature", asked(answer(signer="other"))),
    ("chain.brom.ocsp.signature", asked(answer(responders=()))),
    ("chain.brom.ocsp.algorithm", asked(answer(algorithm=ecdsa()))),
    ("chain.brom.ocsp.validity", asked(answer(this_update=AT + SECOND))),
    ("chain.brom.ocsp.validity", asked(answer(next_update=AT - SECOND))),
    ("chain.brom.ocsp.responder.signature", responder(signer=key("other"))),
    ("chain.brom.ocsp.responder.signature", responder(issuer=DEVICE_ROOT)),
    ("chain.brom.ocsp.responder.usage", responder(extensions=())),
    ("chain.brom.ocsp.responder.usage", responder(extensions=(FakeExtension("2.5.29.37", tlv(0x30)),))),
    ("chain.brom.ocsp.responder.extensions", responder(extensions=(OCSP_SIGNING, UNKNOWN))),
    ("chain.brom.ocsp.responder.algorithm", responder(algorithm=ecdsa())),
    ("chain.brom.ocsp.responder.validity", responder(not_before=AT + SECOND)),
    ("chain.brom.ocsp.responder.validity", responder(not_after=AT - SECOND)),
]


@pytest.mark.parametrize(("check", "fake"), CHECKS, ids=[f"{n}-{check}" for n, (check, _) in enumerate(CHECKS)])
def test_only_this_check_fails(check, fake):
    assert failed_check(fake) == check


@pytest.mark.parametrize(
    ("fake", "kind", "chip"),
    [(hopper(), "gpu", "GH100"), (blackwell(), "gpu", "GB100"), (switch(), "switch", "LS10")],
)
def test_the_worlds_are_genuine(fake, kind, chip):
    verified = outcome(fake)
    assert (verified.device.kind, verified.device.chip) == (DeviceKind(kind), chip)
    assert set(verified.rims) == set(verified.rim_ids)
    assert verified.device.chain.anchor.name == "fake"
    assert verified.annotations()["pdi"] == verified.device.pdi.hex()


def test_a_report_without_a_firmware_identifier_is_genuine():
    assert outcome(hopper().with_opaque({20: None})).report.opaque.fwid is None


@pytest.mark.parametrize("number", [LEAF, BROM, ROOT])
def test_both_ends_of_a_period_belong_to_it(number):
    assert outcome(member(number, not_before=AT, not_after=AT)).at == AT


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_chain_has_five_certificates(count):
    fake = hopper()
    for chain in (fake.certificates[:count], fake.certificates[5 - count :]):
        assert failed_check(replace(fake, certificates=chain)) == "chain.length"


def test_the_leaf_is_not_replaced_by_a_ca_of_the_chain():
    """Five certificates that link up, but whose first is a CA: the trap of a chain with its leaf cut off."""
    _, brom, provisioner, identity, root = hopper().certificates
    middle = certificate(identity.subject, DEVICE_ROOT, "identity", "device-root", 14, AUTHORITY)
    outer = certificate(DEVICE_ROOT, DEVICE_ROOT, "device-root", "device-root", 16, AUTHORITY)
    shifted = replace(hopper(), certificates=(brom, provisioner, middle, outer, root), signer="brom")
    assert failed_check(shifted) == "chain.leaf.authority"


def test_a_root_of_another_purpose_does_not_vouch_for_devices():
    store = trust()
    assert failed_check(hopper(), TrustStore(store.anchors[1:])) == "chain.root"
    assert failed_check(hopper(), TrustStore.production()) == "chain.root"


def test_a_certificate_that_does_not_parse_is_malformed():
    chain = 5 * pem(b"\x30\x03\x02\x01\x01")
    with pytest.raises(MalformedEvidence, match="chain, leaf certificate"):
        verify(parse(hopper().report()), chain, hopper().collateral(), trust(), AT)


def test_a_switch_need_not_state_its_identifier():
    stated = {kind: value for kind, value in switch().opaque.items() if kind != 22}
    assert outcome(replace(switch(), opaque=stated)).device.pdi == switch().opaque[22]


def test_the_time_needs_a_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        outcome(replace(hopper(), at=AT.replace(tzinfo=None)))


class TestRevocation:
    def test_without_responses_nothing_was_checked(self):
        states = outcome(hopper()).revocation
        assert states == dict.fromkeys(("brom", "provisioner", "identity"), Revocation.NOT_CHECKED)

    @pytest.mark.parametrize(("oid_", "name"), [("1.3.14.3.2.26", "sha1"), ("2.16.840.1.101.3.4.2.1", "sha256")])
    def test_good_by_any_hash_of_the_id(self, oid_, name):
        states = outcome(asked(answer(hash_oid=oid_, hash_name=name))).revocation
        assert states["brom"] is Revocation.GOOD
        assert states["identity"] is Revocation.NOT_CHECKED

    def test_good_for_the_whole_chain(self):
        verified = outcome(asked(answer(), answer(PROVISIONER), answer(IDENTITY)))
        assert set(verified.revocation.values()) == {Revocation.GOOD}

    @pytest.mark.parametrize("period", [{"this_update": AT}, {"next_update": AT}])
    def test_both_ends_of_a_responses_period_belong_to_it(self, period):
        assert outcome(asked(answer(**period))).revocation["brom"] is Revocation.GOOD

    def test_hold_is_stated(self):
        assert outcome(asked(answer(status=HELD))).revocation["brom"] is Revocation.HOLD

    def test_the_newest_response_counts(self):
        older = answer(status=REVOKED, this_update=AT - 2 * DAY)
        assert outcome(asked(older, answer())).revocation["brom"] is Revocation.GOOD
        assert failed_check(asked(answer(status=REVOKED), answer(this_update=AT - 2 * DAY))) == "chain.brom.revoked"

    def test_a_response_about_another_certificate_is_not_about_this_one(self):
        other = answer(certificate=replace(hopper().certificates[BROM], serial_number=99), status=REVOKED)
        assert outcome(asked(other)).revocation["brom"] is Revocation.NOT_CHECKED

    @pytest.mark.parametrize("changes", [{"subject": "Other"}, {"key": key("other").public_key()}])
    def test_a_response_about_another_issuer_is_not_about_this_one(self, changes):
        other = answer(issuer=replace(hopper().certificates[PROVISIONER], **changes), status=REVOKED)
        assert outcome(asked(other)).revocation["brom"] is Revocation.NOT_CHECKED

    def test_a_responder_with_a_key_of_another_kind_is_passed_over(self):
        both = answer(responders=(replace(RESPONDER, key=P256), RESPONDER))
        assert outcome(asked(both)).revocation["brom"] is Revocation.GOOD

    def test_the_issuer_itself_may_sign(self):
        direct = answer(signer="provisioner", responders=())
        assert outcome(asked(direct)).revocation["brom"] is Revocation.GOOD

    @pytest.mark.parametrize(
        ("encoded", "reason"),
        [
            (b"", "missing or cut off"),
            (b"\x30\x03\x0a\x01\x06", "error 06 of the responder"),
            (answer(next_update=None).encode(), "without nextUpdate"),
            (answer(response_status=2).encode(), "error 02"),
            (answer(hash_oid="1.2.3").encode(), "hash 1.2.3 is not known"),
            (answer().encode() + b"\0", "too many"),
            (answer().encode().replace(oid("1.3.6.1.5.5.7.48.1.1"), oid("1.3.6.1.5.5.7.48.1.2")), "not a basic"),
            (bytes(70_000), "at most"),
        ],
    )
    def test_malformed_responses(self, encoded, reason):
        with pytest.raises(MalformedEvidence, match=reason):
            OcspResponses([encoded])

    BASIC = (1, 0, 1)
    SINGLE = (*BASIC, 0, 0, 2, 0)

    @pytest.mark.parametrize(
        ("path", "what"),
        [
            ((), "OCSP response"),
            ((1,), "response bytes"),
            ((1, 0), "response bytes"),
            (BASIC, "basic response"),
            ((*BASIC, 0), "basic response"),
            ((*BASIC, 0, 0), "ResponseData"),
            ((*BASIC, 0, 3), "certificates"),
            (SINGLE, "single response"),
            ((*SINGLE, 0), "CertID"),
            ((*SINGLE, 3), "nextUpdate"),
        ],
    )
    def test_no_part_of_a_response_holds_more_than_is_specified(self, path, what):
        with pytest.raises(MalformedEvidence, match=f"{what}: 2 bytes too many"):
            OcspResponses([nested(answer().encode(), *path)])

    def test_a_version_and_extensions_are_passed_over(self):
        extended = nested(answer().encode(), *self.SINGLE, added=tlv(0xA1, tlv(0x30)))
        extended = nested(extended, *self.BASIC, 0, 0, added=tlv(0xA1, tlv(0x30)))
        assert OcspResponses([extended, answer(version=tlv(0xA0, integer(0))).encode()])

    def test_every_truncation_of_a_response_is_malformed(self):
        encoded = answer().encode()
        for size in range(len(encoded)):
            with pytest.raises(MalformedEvidence):
                OcspResponses([encoded[:size]])


class TestMemory:
    """What is remembered is what was verified, and never past its time."""

    def test_a_verified_chain_does_not_endorse_another_report(self):
        store = trust()
        outcome(hopper(), store)
        assert failed_check(replace(hopper(), signer="brom"), store) == "report.signature"
        assert failed_check(hopper().with_opaque({20: bytes(48)}), store) == "report.fwid"

    def test_a_remembered_chain_expires_and_can_be_revoked(self):
        store = trust()
        outcome(hopper(), store)
        assert failed_check(replace(hopper(), at=hopper().certificates[LEAF].not_after + SECOND), store).endswith(
            ".validity"
        )
        assert failed_check(asked(answer(status=REVOKED)), store) == "chain.brom.revoked"

    def test_a_remembered_response_and_its_responder_expire(self):
        store, fake = trust(), asked(answer(next_update=AT + 900 * DAY))
        outcome(fake, store)
        late = replace(fake, at=RESPONDER.not_after)
        assert outcome(late, store).revocation["brom"] is Revocation.GOOD
        short = asked(answer(next_update=AT + 900 * DAY, responders=(replace(RESPONDER, not_after=AT + DAY),)))
        outcome(short, store)
        assert failed_check(replace(short, at=AT + 2 * DAY), store) == "chain.brom.ocsp.responder.validity"
        assert failed_check(replace(asked(answer()), at=AT + DAY), store) == "chain.brom.ocsp.validity"

    def test_a_rim_is_verified_once_for_a_store(self, monkeypatch):
        from verifier.nvidia import rim

        calls = []
        real = rim.signed_document
        monkeypatch.setattr(rim, "signed_document", lambda *given: calls.append(given) or real(*given))
        store = trust()
        for _ in range(3):
            outcome(hopper(), store)
        assert len(calls) == 2
