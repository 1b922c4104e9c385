"""For each check of the specification, a world in which only that check fails."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.verifier import fake_amd
from tests.verifier.fake_amd import ARC, CHIP, TCB, World, milan, turin, vlek
from tests.verifier.fake_x509 import authority_extensions, integer, oid, pss, tlv
from verifier.collateral import pem
from verifier.errors import MalformedEvidence, UnreadableInput, VerificationFailed
from verifier.snp import Endorsements, Revocation, SigningKey, parse, verify
from verifier.snp.verification import P384_ORDER

SECOND = timedelta(seconds=1)


def outcome(world: World, endorsements: Endorsements | None = None, **options):
    return verify(parse(world.report()), endorsements or world.endorsements(), world.trust(), world.at, **options)


def failed_check(world: World, endorsements: Endorsements | None = None, **options) -> str:
    with pytest.raises(VerificationFailed) as failure:
        outcome(world, endorsements, **options)
    return failure.value.check


def leaf(**changes) -> Callable[[], World]:
    def make() -> World:
        world = milan()
        return replace(world, leaf=replace(world.leaf, **changes))

    return make


def extension(dotted: str, value: bytes | None, world: Callable[[], World] = milan, **options) -> Callable[[], World]:
    def make() -> World:
        base = world()
        return replace(base, leaf=base.leaf.with_extension(dotted, value, **options))

    return make


def intermediate(**changes) -> Callable[[], World]:
    def make() -> World:
        world = milan()
        return replace(world, intermediate=replace(world.intermediate, **changes))

    return make


def fields(world: Callable[[], World] = milan, **changes) -> Callable[[], World]:
    return lambda: world().with_fields(**changes)


def at(member: str, end: str, offset: timedelta) -> Callable[[], World]:
    def make() -> World:
        world = milan()
        certificate = replace(getattr(world, member), **{end: world.at + offset})
        return replace(world, **{member: certificate})

    return make


def p256() -> World:
    key = ec.generate_private_key(ec.SECP256R1())
    return leaf(key=key.public_key())()


def rsa_leaf() -> World:
    return leaf(key=fake_amd.other_key().public_key())()


def ec_intermediate() -> World:
    return intermediate(key=fake_amd.leaf_key().public_key())()


def milan_in_turins_struct() -> World:
    kept = [it for it in fake_amd.turin_extensions() if it.oid not in {ARC + "2", ARC + "4"}]
    name, chip = (it for it in fake_amd.vcek_extensions() if it.oid in {ARC + "2", ARC + "4"})
    return leaf(extensions=(*kept, name, chip))().with_fields(reported_tcb=fake_amd.TURIN_TCB)


def unknown_critical(member: str) -> World:
    world = milan()
    certificate = getattr(world, member).with_extension("2.5.29.30", b"\x30\0", critical=True)
    return replace(world, **{member: certificate})


def tcbs(**changes: bytes) -> Callable[[], World]:
    return fields(**changes)


HIGHER = bytes([4, 0, 0, 0, 0, 0, 25, 219])
LOWER = bytes([4, 0, 0, 0, 0, 0, 23, 219])

CHECKS: list[tuple[str, Callable[[], World]]] = [
    ("signature.algorithm", fields(signature_algo=0)),
    ("signature.algorithm", fields(signature_algo=2)),
    ("signing-key", fields(key_info=7 << 2)),
    ("signing-key", fields(key_info=2 << 2)),
    ("signing-key", fields(key_info=1 << 1)),
    ("product", fields(cpuid=bytes([0x19, 0x11, 0x01]))),
    ("product", fields(cpuid=bytes([0x19, 0x20, 0x01]))),
    ("product", fields(cpuid=bytes([0x1A, 0x50, 0x00]))),
    ("product", extension(ARC + "2", tlv(0x16, b"Venice"))),
    ("chip-id", fields(chip_id=CHIP[:63] + b"\0")),
    ("chip-id", fields(turin, chip_id=CHIP[:7] + bytes(57))),
    ("chip-id", fields(turin, chip_id=CHIP)),
    ("chain.leaf.extensions", extension(ARC + "1", None)),
    ("chain.leaf.extensions", extension(ARC + "1", integer(1))),
    ("chain.leaf.extensions", lambda: milan_in_turins_struct()),
    ("chain.leaf.extensions", extension(ARC + "2", None)),
    ("chain.leaf.extensions", extension(ARC + "3.3", None)),
    ("chain.leaf.extensions", extension(ARC + "3.8", integer(256))),
    ("chain.leaf.extensions", extension(ARC + "3.8", integer(-37))),
    ("chain.leaf.extensions", extension(ARC + "3.9", integer(1))),
    ("chain.leaf.extensions", extension(ARC + "3.9", None, turin)),
    ("chain.leaf.extensions", extension(ARC + "3.4", integer(0), turin)),
    ("chain.leaf.extensions", extension(ARC + "4", CHIP[:8])),
    ("chain.leaf.extensions", extension(ARC + "4", CHIP, turin)),
    ("chain.leaf.extensions", extension("2.5.29.30", b"\x30\0", critical=True)),
    ("endorsement.kind", extension(ARC + "4", None)),
    ("endorsement.kind", extension(ARC + "5", tlv(0x16, b"CN=cc.example.org"))),
    ("endorsement.kind", extension(ARC + "4", CHIP, vlek)),
    ("endorsement.kind", extension(ARC + "5", None, vlek)),
    ("endorsement.kind", leaf(subject="SEV-VLEK")),
    ("chain.leaf.key", p256),
    ("chain.leaf.key", rsa_leaf),
    ("chain.leaf.key", leaf(spki=tlv(0x30, b"\x05\0"))),
    ("chain.leaf.authority", extension("2.5.29.19", tlv(0x30, tlv(0x01, b"\xff")), critical=True)),
    ("chain.leaf.signature", leaf(signer=fake_amd.other_key())),
    ("chain.leaf.signature", leaf(issuer="SEV-Genoa")),
    ("chain.leaf.algorithm", leaf(algorithm=pss(hash_oid="2.16.840.1.101.3.4.2.1"))),
    ("chain.leaf.algorithm", leaf(algorithm=pss(salt=20))),
    ("chain.leaf.algorithm", leaf(algorithm=tlv(0x30, oid("1.2.840.113549.1.1.12"), tlv(0x05)))),
    ("chain.leaf.validity", at("leaf", "not_before", SECOND)),
    ("chain.leaf.validity", at("leaf", "not_after", -SECOND)),
    ("chain.intermediate", intermediate(subject="SEV-VLEK-Milan")),
    ("chain.intermediate", intermediate(subject="SEV-Genoa")),
    ("chain.intermediate.signature", intermediate(signer=fake_amd.other_key())),
    ("chain.intermediate.algorithm", intermediate(algorithm=pss(salt=32))),
    ("chain.intermediate.authority", intermediate(extensions=authority_extensions()[1:])),
    ("chain.intermediate.authority", intermediate(extensions=authority_extensions(0x02))),
    ("chain.intermediate.authority", intermediate(extensions=authority_extensions()[:1])),
    ("chain.intermediate.key", ec_intermediate),
    ("chain.intermediate.extensions", lambda: unknown_critical("intermediate")),
    ("chain.intermediate.validity", at("intermediate", "not_before", SECOND)),
    ("chain.intermediate.validity", at("intermediate", "not_after", -SECOND)),
    ("chain.ark", intermediate(issuer="ARK-Genoa")),
    ("chain.ark", lambda: replace(milan(), scope=frozenset({"genoa"}))),
    ("chain.ark.validity", at("ark", "not_before", SECOND)),
    ("chain.ark.validity", at("ark", "not_after", -SECOND)),
    ("tcb.reported", fields(reported_tcb=LOWER)),
    ("tcb.reported", extension(ARC + "3.3", integer(23))),
    ("tcb.reported", extension(ARC + "3.4", integer(1))),
    ("tcb.reported", extension(ARC + "3.9", integer(0), turin)),
    ("tcb.order", tcbs(committed_tcb=HIGHER)),
    ("tcb.order", tcbs(current_tcb=LOWER, committed_tcb=LOWER)),
]


@pytest.mark.parametrize(("check", "make"), CHECKS, ids=[f"{n}-{check}" for n, (check, _) in enumerate(CHECKS)])
def test_only_this_check_fails(check, make):
    assert failed_check(make()) == check


@pytest.mark.parametrize("make", [milan, turin, vlek, lambda: milan("Genoa").with_fields(cpuid=b"\x19\x11\x01")])
def test_the_world_without_a_change_is_genuine(make):
    world = make()
    verified = outcome(world)
    assert verified.chain.anchor.name == "fake"
    assert verified.product.label == world.ark.subject.removeprefix("ARK-")


@pytest.mark.parametrize("model", [0xA0, 0xAF])
def test_bergamo_and_siena_are_endorsed_by_genoas_keys(model):
    verified = outcome(milan("Genoa").with_fields(cpuid=bytes([0x19, model, 0x02])))
    assert verified.product == "genoa"


@pytest.mark.parametrize(
    ("member", "end"),
    [(member, end) for member in ("leaf", "intermediate", "ark") for end in ("not_before", "not_after")],
)
def test_both_ends_of_a_validity_period_belong_to_it(member, end):
    assert outcome(at(member, end, timedelta())()).product == "milan"


def test_version_2_takes_the_product_from_the_certificate():
    world = milan("Genoa").with_fields(version=2, cpuid=bytes(3))
    assert outcome(world).product == "genoa"


def test_turins_tcb_is_read_in_its_own_layout():
    verified = outcome(turin())
    assert verified.reported == (1, 1, 1, 4, 81)


def test_a_masked_chip_id_is_genuine_and_said_to_be_masked():
    assert outcome(milan().with_fields(chip_id=bytes(64))).chip_id_masked
    assert not outcome(milan()).chip_id_masked


def test_a_chip_id_that_looks_like_der_is_compared_as_raw_bytes():
    chip = b"\x04\x3e" + CHIP[2:]
    world = milan().with_fields(chip_id=chip)
    assert outcome(replace(world, leaf=world.leaf.with_extension(ARC + "4", chip))).report.chip_id == chip


def test_a_vcek_offered_for_a_vlek_report_is_refused_and_the_reverse():
    for world, other in ((milan(), vlek()), (vlek(), milan())):
        assert failed_check(world, other.endorsements()) == "endorsement.kind"
        disguised = replace(other.endorsements(), kind=world.kind)
        assert failed_check(world, disguised) == "endorsement.kind"


def test_a_vcek_that_the_asvk_signed_is_refused():
    world = milan()
    other = vlek()
    crossed = replace(world, intermediate=other.intermediate, leaf=replace(world.leaf, issuer="SEV-VLEK-Milan"))
    assert failed_check(crossed) == "chain.intermediate"


def test_an_ark_that_is_given_must_be_a_pinned_one():
    world = milan()
    offered = world.endorsements()
    with_root = replace(offered, ark=world.ark.encode())
    trust = world.trust()
    pinned = trust.anchors[0].certificate.encoded
    assert verify(parse(world.report()), replace(offered, ark=pinned), trust, world.at).product == "milan"
    with pytest.raises(VerificationFailed, match=r"chain\.ark: the ARK given .* is not a pinned root"):
        outcome(world, with_root)


def test_without_an_intermediate_the_stores_own_is_used():
    assert failed_check(milan(), replace(milan().endorsements(), intermediate=None)) == "chain.intermediate"


def test_a_certificate_that_does_not_parse_is_malformed_and_named():
    for part, name in (("leaf", "VCEK"), ("intermediate", "ASK")):
        with pytest.raises(MalformedEvidence, match=f"{name} certificate"):
            outcome(milan(), replace(milan().endorsements(), **{part: b"\x30\x03\x02\x01"}))


class TestSignature:
    def test_another_key(self):
        other = ec.generate_private_key(ec.SECP384R1())
        assert failed_check(replace(milan(), leaf_key=other)) == "signature"

    def test_each_signed_byte_counts(self):
        world = milan()
        report = world.report()
        trust = world.trust()
        endorsements = world.endorsements()
        for offset in range(0x2A0):
            changed = report[:offset] + bytes([report[offset] ^ 0x01]) + report[offset + 1 :]
            with pytest.raises((VerificationFailed, MalformedEvidence)):
                verify(parse(changed), endorsements, trust, world.at)

    @pytest.mark.parametrize(
        ("r", "s"), [(0, None), (None, 0), (P384_ORDER, None), (None, P384_ORDER), (2**384 - 1, None)]
    )
    def test_r_and_s_are_in_range(self, r, s):
        world = milan()
        report = bytearray(world.report())
        for offset, number in ((0x2A0, r), (0x2E8, s)):
            if number is not None:
                report[offset : offset + 72] = number.to_bytes(72, "little")
        with pytest.raises(VerificationFailed) as failure:
            verify(parse(bytes(report)), world.endorsements(), world.trust(), world.at)
        assert failure.value.check == "signature.range"

    def test_r_and_s_are_little_endian(self):
        world = milan()
        report = bytearray(world.report())
        for offset in (0x2A0, 0x2E8):
            report[offset : offset + 48] = report[offset : offset + 48][::-1]
        with pytest.raises(VerificationFailed) as failure:
            verify(parse(bytes(report)), world.endorsements(), world.trust(), world.at)
        assert failure.value.check in {"signature", "signature.range"}


class TestRevocation:
    def test_no_list_is_said(self):
        assert outcome(milan()).revocation is Revocation.NO_LIST

    def test_a_list_without_the_intermediate_passes(self):
        world = milan()
        crl = world.crl(revoked=(0x10101, 7)).encode()
        assert outcome(world, crls=[crl]).revocation is Revocation.CHECKED

    @pytest.mark.parametrize(
        ("check", "changes"),
        [
            ("chain.intermediate.revoked", {"revoked": (5, 0x10001)}),
            ("chain.ark.revoked", {"revoked": (0x10000,)}),
            ("crl.signature", {"signer": fake_amd.other_key()}),
            ("crl.signature", {"algorithm": pss(salt=20)}),
            ("crl.validity", {"next_update": milan().at - SECOND}),
            ("crl.validity", {"this_update": milan().at + SECOND}),
            ("crl.extensions", {"extensions": (fake_amd.FakeExtension("2.5.29.27", integer(1), critical=True),)}),
        ],
    )
    def test_a_bad_list_never_counts_as_none(self, check, changes):
        world = milan()
        assert failed_check(world, crls=[world.crl(**changes).encode()]) == check

    def test_the_issuer_must_be_allowed_to_sign_lists(self):
        world = milan()
        world = replace(world, ark=replace(world.ark, extensions=authority_extensions(0x04)))
        assert failed_check(world, crls=[world.crl().encode()]) == "crl.authority"

    def test_the_newest_list_counts(self):
        world = milan()
        old = world.crl(this_update=world.at - timedelta(days=2)).encode()
        new = world.crl(revoked=(0x10001,)).encode()
        for order in ([old, new], [new, old]):
            assert failed_check(world, crls=order) == "chain.intermediate.revoked"

    def test_another_roots_list_says_nothing(self):
        world = milan()
        foreign = world.crl(issuer="ARK-Genoa", revoked=(0x10001,)).encode()
        assert outcome(world, crls=[foreign]).revocation is Revocation.NO_LIST

    def test_a_list_without_next_update_is_malformed(self):
        world = milan()
        with pytest.raises(MalformedEvidence, match=r"5\.1\.2\.5"):
            outcome(world, crls=[world.crl(next_update=None).encode()])


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (extension(ARC + "3.8", integer(TCB[7]) + b"\0"), r"security patch level 3\.8: 1 bytes too many"),
        (extension(ARC + "2", tlv(0x16, b"Milan-B0") + b"\0"), "productName: 1 bytes too many"),
    ],
)
def test_nothing_may_follow_the_value_of_an_extension(make, what):
    with pytest.raises(MalformedEvidence, match=what):
        outcome(make())


def test_the_subject_of_a_vlek_says_so():
    world = vlek()
    assert failed_check(replace(world, leaf=replace(world.leaf, subject="SEV-VCEK"))) == "endorsement.kind"


class TestFolder:
    """The endorsements that lie in a folder."""

    VCEK, CHAIN = milan().leaf.encode(), [milan().intermediate.encode(), milan().ark.encode()]

    def folder(self, tmp_path, **files: bytes) -> Endorsements:
        for name, content in files.items():
            (tmp_path / name.replace("_der", ".der").replace("_pem", ".pem")).write_bytes(content)
        return Endorsements.from_directory(tmp_path, SigningKey.VCEK)

    def test_a_chain_as_the_key_distribution_service_serves_it(self, tmp_path):
        found = self.folder(tmp_path, vcek_der=self.VCEK, cert_chain_pem=pem.certificates(*self.CHAIN))
        assert [found.leaf, found.intermediate, found.ark] == [self.VCEK, *self.CHAIN]

    def test_a_chain_has_two_certificates(self, tmp_path):
        with pytest.raises(MalformedEvidence, match="1 certificates, the ASK or ASVK and the ARK expected"):
            self.folder(tmp_path, vcek_der=self.VCEK, cert_chain_pem=pem.certificates(self.CHAIN[0]))

    def test_a_certificate_comes_before_the_table(self, tmp_path):
        assert self.folder(tmp_path, vcek_der=self.VCEK, auxblob=b"no table").leaf == self.VCEK

    def test_what_is_missing_is_named(self, tmp_path):
        with pytest.raises(VerificationFailed, match=r"endorsement\.missing: .* has no vcek\.der, only vlek\.der"):
            self.folder(tmp_path, vlek_der=self.VCEK)
        with pytest.raises(UnreadableInput, match=r"no such folder; it should hold vcek\.der or vlek\.der"):
            self.folder(tmp_path / "none")


def test_the_time_of_verification_has_a_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        outcome(replace(milan(), at=milan().at.replace(tzinfo=None)))


def test_the_tcb_that_counts_is_the_reported_one():
    """A cloud may report less than it runs (AWS: current DCh, committed DBh, reported D9h)."""
    world = milan().with_fields(current_tcb=HIGHER, committed_tcb=HIGHER)
    verified = outcome(world)
    assert (verified.reported.snp, verified.committed.snp, verified.current.snp) == (24, 25, 25)
    assert world.fields["reported_tcb"] == TCB


def test_a_chain_may_be_offered_as_vlek_only_with_its_asvk():
    world = vlek()
    assert outcome(world).chain.csp_id == "CN=cc.example.org"
    assert world.endorsements().kind is SigningKey.VLEK
