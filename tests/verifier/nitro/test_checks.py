"""Documents of a fake AWS: parsing is total, each check can be the only one that fails, and so can each claim."""

from dataclasses import replace
from datetime import timedelta

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.fake_x509 import FakeExtension, authority_extensions, ecdsa
from tests.verifier.nitro.fake_nitro import (
    AT,
    BASIC_CONSTRAINTS,
    HOUR,
    LEAF,
    NONCE,
    ROOT,
    World,
    certificate,
    constrained,
    default_payload,
)
from tests.verifier.nvidia.fake_nvidia import SIGNS_DATA, sign_raw
from verifier import nitro
from verifier.appraisal import AppraisalPolicy, Tier
from verifier.appraisal.nitro import appraise, rejected
from verifier.appraisal.nitro_policy import NitroPolicy
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.reference import NitroReferenceValues

WORLD = World()
PCRS = default_payload()["pcrs"]
POLICY = AppraisalPolicy(nitro=NitroPolicy(pcrs={0: {PCRS[0].hex()}}))


def failed_check(world: World, at=AT) -> str:
    with pytest.raises(VerificationFailed) as failure:
        world.verified(at)
    return failure.value.check


def refused(world: World) -> str:
    with pytest.raises(MalformedEvidence) as error:
        nitro.parse(world.document())
    return error.value.reason


def against(world: World, nonce: bytes | None = NONCE, policy=POLICY, **changes) -> list[str]:
    policy = policy.model_copy(update={"nitro": policy.nitro.model_copy(update=changes)})
    result = appraise(world.verified(), policy, nonce=nonce)
    return [claim.name for claim in result.submods["nitro"].claims if claim.tier > Tier.AFFIRMING]


class TestVerify:
    """Each check fails alone."""

    @pytest.mark.parametrize("tag", [None, 18])
    def test_a_genuine_document(self, tag):
        verified = replace(WORLD, tag=tag).verified()
        assert verified.document.instance_id == "i-0123456789abcdef0"
        assert verified.chain.anchor.name == "aws"
        assert verified.annotations()["nonce"] == NONCE.hex()

    def test_a_document_of_nitrotpm(self):
        payload = {name: value for name, value in default_payload().items() if name != "pcrs"}
        chain = {"certificate": WORLD.leaf.encode(), "cabundle": [it.encode() for it in (WORLD.root, WORLD.region)]}
        chain["cabundle"].append(WORLD.zone.encode())
        world = replace(WORLD, payload=cbor2.dumps(payload | chain | {"nitrotpm_pcrs": PCRS, "user_data": b"u" * 1024}))
        assert world.verified().document.kind is nitro.DocumentKind.NITROTPM

    def test_another_algorithm(self):
        assert failed_check(replace(WORLD, headers={1: -7})) == "cose.algorithm"

    def test_a_signature_by_another_key(self):
        assert failed_check(replace(WORLD, signer=ROOT)) == "cose.signature"

    def test_a_signature_over_something_else(self):
        assert failed_check(replace(WORLD, signature=sign_raw(LEAF, b"something else"))) == "cose.signature"

    def test_a_root_that_is_not_pinned(self):
        other = certificate(ROOT, "other", *authority_extensions())
        assert failed_check(replace(WORLD, root=replace(other, key=other.signer.public_key()))) == "chain.root"

    def test_a_root_that_is_pinned_for_something_else(self):
        world = replace(WORLD)
        anchor = world.trust.anchors[0]
        elsewhere = type(world.trust)([replace(anchor, scope=frozenset({"milan"}))])
        with pytest.raises(VerificationFailed, match=r"chain\.root"):
            nitro.verify(nitro.parse(world.document()), elsewhere, AT)

    @pytest.mark.parametrize("member", ["region", "zone", "leaf"])
    def test_a_member_that_its_issuer_did_not_sign(self, member):
        signer = replace(getattr(WORLD, member), signer=WORLD.leaf.signer if member != "leaf" else WORLD.root.signer)
        role = {"region": "intermediate1", "zone": "intermediate2", "leaf": "leaf"}[member]
        assert failed_check(replace(WORLD, **{member: signer})) == f"chain.{role}.signature"

    def test_a_member_signed_with_another_algorithm(self):
        assert failed_check(replace(WORLD, leaf=replace(WORLD.leaf, algorithm=ecdsa()))) == "chain.leaf.algorithm"

    def test_an_authority_that_may_not_sign_certificates(self):
        zone = replace(WORLD.zone, extensions=authority_extensions(usage=0x02))
        assert failed_check(replace(WORLD, zone=zone)) == "chain.intermediate2.authority"

    def test_a_path_that_is_too_long(self):
        allowed = WORLD.region.with_extension(BASIC_CONSTRAINTS, constrained(1), critical=True)
        short = WORLD.region.with_extension(BASIC_CONSTRAINTS, constrained(0), critical=True)
        assert replace(WORLD, region=allowed).verified()
        assert failed_check(replace(WORLD, region=short)) == "chain.intermediate1.path-length"

    def test_a_leaf_that_is_an_authority(self):
        leaf = replace(WORLD.leaf, extensions=authority_extensions())
        assert failed_check(replace(WORLD, leaf=leaf)) == "chain.leaf.authority"

    def test_a_leaf_that_may_not_sign_data(self):
        assert failed_check(replace(WORLD, leaf=replace(WORLD.leaf, extensions=()))) == "chain.leaf.usage"

    def test_a_critical_extension_that_nobody_knows(self):
        unknown = FakeExtension("1.2.3.4", b"", critical=True)
        leaf = replace(WORLD.leaf, extensions=(SIGNS_DATA, unknown))
        assert failed_check(replace(WORLD, leaf=leaf)) == "chain.leaf.extensions"

    @pytest.mark.parametrize(
        ("at", "role"),
        [
            (AT - HOUR - timedelta(seconds=1), "leaf"),
            (AT + HOUR + timedelta(seconds=1), "leaf"),
        ],
    )
    def test_a_time_outside_the_leaf_s_validity(self, at, role):
        assert failed_check(WORLD, at) == f"chain.{role}.validity"

    def test_an_authority_that_has_expired(self):
        zone = replace(WORLD.zone, not_after=AT - timedelta(seconds=1))
        assert failed_check(replace(WORLD, zone=zone)) == "chain.intermediate2.validity"

    @pytest.mark.parametrize("made_at", [AT - HOUR - timedelta(seconds=1), AT + HOUR + timedelta(seconds=1)])
    def test_a_timestamp_outside_the_certificate_s_validity(self, made_at):
        assert failed_check(WORLD.with_payload(timestamp=int(made_at.timestamp() * 1000))) == "timestamp"


class TestParse:
    """Bytes give a document or MalformedEvidence."""

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"module_id": ""}, "module_id"),
            ({"module_id": b"bytes"}, "module_id"),
            ({"digest": "SHA256"}, "digest"),
            ({"timestamp": 0}, "timestamp"),
            ({"timestamp": True}, "timestamp"),
            ({"timestamp": None}, "timestamp"),
            ({"timestamp": 1 << 63}, "timestamp"),
            ({"pcrs": {}}, "PCRs"),
            ({"pcrs": [b"\0" * 48]}, "PCRs"),
            ({"pcrs": {32: b"\0" * 48}}, "PCR 32"),
            ({"pcrs": {"0": b"\0" * 48}}, "PCR '0'"),
            ({"pcrs": {0: b"\0" * 32}}, "PCR 0 is not 48"),
            ({"pcrs": {0: "0" * 48}}, "PCR 0 is not 48"),
            ({"nitrotpm_pcrs": PCRS}, "one of pcrs and nitrotpm_pcrs"),
            ({"certificate": b""}, "certificate"),
            ({"certificate": bytes(1025)}, "certificate"),
            ({"cabundle": []}, "cabundle"),
            ({"cabundle": None}, "cabundle"),
            ({"cabundle": [b"x"] * 9}, "cabundle"),
            ({"cabundle": ["text"]}, "certificate"),
            ({"public_key": b""}, "public_key"),
            ({"public_key": bytes(1025)}, "public_key"),
            ({"user_data": bytes(513)}, "user_data"),
            ({"nonce": bytes(513)}, "nonce"),
            ({"nonce": "text"}, "nonce"),
        ],
    )
    def test_each_member_has_its_form(self, changes, reason):
        assert reason in refused(WORLD.with_payload(**changes))

    @pytest.mark.parametrize("size", [0, 512])
    def test_the_longest_and_the_shortest_data(self, size):
        assert len(nitro.parse(WORLD.with_payload(nonce=bytes(size)).document()).nonce) == size

    def test_a_payload_that_is_no_map(self):
        assert "not a map" in refused(replace(WORLD, payload=cbor2.dumps([1])))

    def test_a_document_that_is_too_large(self):
        with pytest.raises(MalformedEvidence, match="at most 65536"):
            nitro.parse(b"\x84" + bytes(65_536))

    def test_headers_that_must_be_understood(self):
        assert "crit" in refused(replace(WORLD, headers={1: -35, 2: [1]}))

    def test_it_is_told_from_other_evidence(self):
        assert nitro.is_document(WORLD.document())
        assert not nitro.is_document(b"\x04\x00\x02\x00")

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_any_change_of_any_byte_is_a_document_or_malformed(self, data):
        document = bytearray(DOCUMENT)
        for _ in range(data.draw(st.integers(1, 4))):
            document[data.draw(st.integers(0, len(document) - 1))] = data.draw(st.integers(0, 255))
        _read(bytes(document[: data.draw(st.integers(0, len(document)))]))
        _read(bytes(document))


DOCUMENT = WORLD.document()


def _read(document: bytes) -> None:
    try:
        nitro.verify(nitro.parse(document), WORLD.trust, AT)
    except (MalformedEvidence, VerificationFailed):
        return
    assert document == DOCUMENT


class TestAppraise:
    """Each claim is against the document alone."""

    def test_a_good_document(self):
        result = appraise(WORLD.verified(), POLICY, nonce=NONCE)
        assert result.status is Tier.AFFIRMING
        assert against(WORLD, instances={"i-0123456789abcdef0"}, maximum_age_seconds=60) == []

    @pytest.mark.parametrize("nonce", [None, b"another", NONCE + b"\0"])
    def test_another_nonce(self, nonce):
        assert against(WORLD, nonce) == ["nonce"]

    def test_a_document_without_a_nonce(self):
        assert against(WORLD.with_payload(nonce=None)) == ["nonce"]
        assert against(WORLD.with_payload(nonce=b""), b"") == ["nonce"]

    def test_a_debug_enclave(self):
        pcrs = PCRS | {index: bytes(48) for index in (0, 1, 2)}
        debug = WORLD.with_payload(pcrs=pcrs)
        accepted = {0: frozenset({bytes(48).hex()})}
        assert against(debug, pcrs=accepted) == ["debug"]
        strict = POLICY.model_copy(update={"nitro": NitroPolicy(pcrs=accepted)})
        assert appraise(debug.verified(), strict, nonce=NONCE).status is Tier.CONTRAINDICATED
        allowed = appraise(
            debug.verified(),
            POLICY.model_copy(update={"allow_debug": True, "nitro": NitroPolicy(pcrs=accepted)}),
            nonce=NONCE,
        )
        assert allowed.status is Tier.WARNING

    def test_a_nitrotpm_that_did_not_measure_the_boot(self):
        payload = {name: value for name, value in default_payload().items() if name != "pcrs"}
        chain = {
            "certificate": WORLD.leaf.encode(),
            "cabundle": [it.encode() for it in (WORLD.root, WORLD.region, WORLD.zone)],
        }
        pcrs = PCRS | {7: bytes(48)}
        world = replace(WORLD, payload=cbor2.dumps(payload | chain | {"nitrotpm_pcrs": pcrs}))
        allowing = POLICY.model_copy(update={"allow_debug": True})
        assert against(world, policy=allowing) == ["measured-boot"]
        assert appraise(world.verified(), allowing, nonce=NONCE).status is Tier.CONTRAINDICATED

    @pytest.mark.parametrize("register", [0, 31])
    def test_other_pcrs_or_missing_ones(self, register):
        assert against(WORLD, pcrs={register: frozenset({PCRS[1].hex()})}) == [f"pcr{register}"]

    def test_a_policy_without_pcrs(self):
        assert against(WORLD, pcrs=None) == ["pcrs"]
        lenient = POLICY.model_copy(update={"reference_values": "if-given"})
        assert against(WORLD, policy=lenient, pcrs=None) == []

    def test_another_instance(self):
        assert against(WORLD, instances=frozenset({"i-0123456789abcdef1"})) == ["instance-id"]

    def test_a_document_that_is_too_old(self):
        assert against(WORLD, maximum_age_seconds=59) == ["age"]

    def test_a_document_that_is_not_genuine(self):
        failure = VerificationFailed("cose.signature", "not signed")
        result = rejected(failure, POLICY, nitro.parse(DOCUMENT))
        assert result.status is Tier.CONTRAINDICATED
        assert result.submods["nitro"].claims[0].name == "cose.signature"


class TestSignedValues:
    """Signed values count beside what the policy lists, and are asked for where it names images."""

    VALUES = NitroReferenceValues(
        image={"name": "enclave", "version": "1.0.0"},
        built_at="2026-05-01T00:00:00Z",
        tee="nitro",
        attested="enclave",
        pcrs={"1": [PCRS[1].hex()]},
    )

    def claims(self, images=None, values=()) -> dict:
        policy = POLICY.model_copy(update={"images": images})
        result = appraise(WORLD.verified(), policy, nonce=NONCE, reference_values=values)
        return {claim.name: claim for claim in result.submods["nitro"].claims}

    def test_a_list_alone_is_enough_unless_images_are_named(self):
        assert "pcrs" not in self.claims()
        assert self.claims(images=frozenset({"enclave-1.0.0"}))["pcrs"].tier > Tier.AFFIRMING

    def test_values_that_are_given_count_beside_the_list(self):
        found = self.claims(values=[self.VALUES])
        assert (found["pcr0"].reference, found["pcrs"].reference) == (PCRS[0].hex(), "enclave-1.0.0")
