"""Appraisal: for each demand of a policy, evidence of which only that claim is not affirmed."""

from datetime import UTC, datetime

import pytest

from tests.verifier.fake_amd import CHIP, World, milan, turin, vlek
from tests.verifier.genuine import CASES, genuine
from verifier.appraisal import AppraisalPolicy, Component, Tier, appraise, rejected
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.appraisal.vector import tier_of
from verifier.errors import VerificationFailed
from verifier.reference import ReferenceValues, TdxReferenceValues
from verifier.snp import VerifiedReport, parse, verify
from verifier.trust import TrustStore

MEASUREMENT = bytes(range(100, 148)).hex()
REPORT_DATA = bytes(range(64))
AT = datetime(2026, 5, 1, tzinfo=UTC)
OLD_TCB = bytes([4, 0, 0, 0, 0, 0, 23, 219])


def verified(world: World, crls: tuple[bytes, ...] = ()) -> VerifiedReport:
    return verify(parse(world.report()), world.endorsements(), world.trust(), world.at, crls=crls)


def image(name: str = "guest", measurement: str = MEASUREMENT, **predicate) -> ReferenceValues:
    return ReferenceValues.model_validate(
        {
            "image": {"name": name, "version": "1.0.0"},
            "tee": "snp",
            "product": "milan",
            "launch_measurements": [measurement],
            "minimum_tcb": {"snp": 24},
            "guest_policy": {"debug": False, "migrate_ma": False},
            "built_at": "2026-05-01T00:00:00Z",
            **predicate,
        }
    )


def outcome(world: World, policy: dict | None = None, *, crls=(), values=None, report_data=REPORT_DATA):
    return appraise(
        verified(world, crls),
        AppraisalPolicy.model_validate(policy or {}),
        report_data=report_data,
        reference_values=[image()] if values is None else values,
    )


def against(result) -> list[tuple[str, str, int]]:
    return [(str(claim.component), claim.name, claim.score) for claim in result.submods["cpu"].against()]


def test_a_known_image_on_current_hardware_with_our_nonce_is_affirmed():
    result = outcome(milan())
    assert result.status is Tier.AFFIRMING
    assert result.submods["cpu"].vector == {
        Component.INSTANCE_IDENTITY: 2,
        Component.HARDWARE: 2,
        Component.CONFIGURATION: 2,
        Component.EXECUTABLES: 3,
        Component.RUNTIME_OPAQUE: 2,
    }
    measured = next(claim for claim in result.submods["cpu"].claims if claim.name == "measurement")
    assert (measured.value, measured.reference) == (MEASUREMENT, "guest-1.0.0")


DEBUG, MIGRATE, SINGLE, CXL, UNKNOWN = 1 << 19, 1 << 18, 1 << 20, 1 << 21, 1 << 26
XTS, RAPL, HIDING, SWAP = 1 << 22, 1 << 23, 1 << 24, 1 << 25
AGENT, ANOTHER = "22" * 32, "33" * 32
BASE = 0x3001F

ONE_CLAIM = [
    ("configuration", "policy.debug", 96, {"policy": BASE | DEBUG}, {}, {"guest_policy": {}}),
    ("configuration", "policy.debug", 32, {"policy": BASE | DEBUG}, {"allow_debug": True}, {"guest_policy": {}}),
    ("configuration", "policy.migration", 96, {"policy": BASE | MIGRATE}, {}, {"guest_policy": {}}),
    ("configuration", "policy.migration", 96, {"report_id_ma": bytes.fromhex(AGENT)}, {}, {}),
    (
        "configuration",
        "policy.migration",
        96,
        {"report_id_ma": bytes.fromhex(AGENT)},
        {"migration_agents": [ANOTHER], "allow_migration": True},
        {},
    ),
    (
        "configuration",
        "policy.migration",
        96,
        {"policy": BASE | MIGRATE},
        {"migration_agents": [AGENT]},
        {"guest_policy": {}},
    ),
    ("configuration", "policy.smt", 96, {}, {"allow_smt": False}, {}),
    ("configuration", "policy.cxl", 96, {"policy": BASE | CXL}, {}, {}),
    ("configuration", "policy.unknown", 96, {"policy": BASE | UNKNOWN}, {}, {}),
    ("configuration", "policy.single-socket", 96, {}, {"require_single_socket": True}, {}),
    ("configuration", "policy.aes-256-xts", 96, {}, {"require_aes_256_xts": True}, {}),
    ("configuration", "policy.rapl-disabled", 96, {}, {"require_rapl_disabled": True}, {}),
    ("configuration", "policy.ciphertext-hiding", 96, {}, {"require_ciphertext_hiding": True}, {}),
    ("configuration", "policy.page-swap-disable", 96, {}, {"require_page_swap_disabled": True}, {}),
    ("configuration", "policy.abi", 96, {}, {"minimum_abi": [0, 32]}, {}),
    ("configuration", "guest-svn", 96, {"guest_svn": 4}, {"minimum_guest_svn": 5}, {}),
    ("configuration", "host-data", 96, {}, {"host_data": ["11" * 32]}, {}),
    ("configuration", "policy.reference", 96, {}, {}, {"guest_policy": {"single_socket": True}}),
    ("configuration", "policy.reference", 96, {}, {}, {"guest_policy": {"smt": False}}),
    ("configuration", "policy.reference", 96, {}, {}, {"guest_policy": {"abi": [1, 0]}}),
    ("executables", "measurement", 33, {"measurement": bytes(48)}, {}, {}),
    ("executables", "measurement", 96, {}, {"images": ["other-1.0.0"]}, {}),
    ("executables", "id-key", 96, {}, {"id_key_digests": ["11" * 48]}, {}),
    ("executables", "author-key", 96, {}, {"author_key_digests": ["11" * 48]}, {}),
    ("executables", "family-id", 96, {}, {"family_ids": ["11" * 16]}, {}),
    ("executables", "image-id", 96, {}, {"image_ids": ["11" * 16]}, {}),
    ("hardware", "tcb.minimum", 32, {}, {"minimum_tcb": {"milan": {"microcode": 220}}}, {}),
    ("hardware", "tcb.minimum", 32, {"committed_tcb": OLD_TCB}, {}, {"minimum_tcb": {}}),
    ("hardware", "tcb.minimum", 32, {"launch_tcb": OLD_TCB}, {}, {"minimum_tcb": {}}),
    ("hardware", "tcb.minimum", 96, {}, {"minimum_tcb": {"genoa": {}}}, {}),
    ("hardware", "tcb.reference", 32, {}, {}, {"minimum_tcb": {"bootloader": 5}}),
    ("hardware", "firmware.minimum", 32, {}, {"minimum_firmware": [1, 55, 25]}, {}),
    (
        "hardware",
        "firmware.committed",
        32,
        {"current_firmware": bytes([25, 55, 1])},
        {"allow_provisional_firmware": False},
        {},
    ),
    (
        "hardware",
        "firmware.committed",
        32,
        {"committed_tcb": OLD_TCB},
        {"allow_provisional_firmware": False, "minimum_tcb": {"milan": {}}},
        {"minimum_tcb": {}},
    ),
    ("hardware", "platform-info", 96, {}, {"platform_required": ["tsme-enabled"]}, {}),
    ("hardware", "platform-info", 96, {}, {"platform_forbidden": ["smt-enabled"]}, {}),
    ("hardware", "mitigations", 32, {}, {"mitigations": 1}, {}),
    (
        "hardware",
        "mitigations",
        32,
        {"version": 5, "current_mitigations": 0b101},
        {"mitigations": 0b011},
        {},
    ),
    ("instance-identity", "chip-id", 96, {"chip_id": bytes(64)}, {}, {}),
    ("instance-identity", "chip-id", 97, {}, {"chips": ["11" * 64]}, {}),
    ("instance-identity", "revocation", 96, {}, {"revocation": "required"}, {}),
    ("instance-identity", "report-data", 96, {"report_data": bytes(64)}, {}, {}),
    ("runtime-opaque", "vmpl", 96, {"vmpl": 1}, {}, {}),
    ("runtime-opaque", "vmpl", 96, {"vmpl": 0xFFFFFFFF}, {"vmpl": [0, 1, 2, 3]}, {}),
]


@pytest.mark.parametrize(
    ("component", "name", "score", "fields", "policy", "reference"),
    ONE_CLAIM,
    ids=[f"{n}-{row[1]}" for n, row in enumerate(ONE_CLAIM)],
)
def test_only_this_claim_is_not_affirmed(component, name, score, fields, policy, reference):
    result = outcome(milan().with_fields(**fields), policy, values=[image(**reference)])
    assert against(result) == [(component, name, score)]
    assert result.status is tier_of(score)
    assert result.submods["cpu"].vector[Component(component)] == score


SATISFIED = [
    ({"policy": BASE | MIGRATE}, {"allow_migration": True}, {"guest_policy": {}}),
    (
        {"policy": BASE | MIGRATE, "report_id_ma": bytes.fromhex(AGENT)},
        {"migration_agents": [AGENT, ANOTHER]},
        {"guest_policy": {}},
    ),
    ({"policy": BASE | CXL}, {"allow_cxl": True}, {}),
    ({"policy": BASE | XTS | RAPL}, {"require_aes_256_xts": True, "require_rapl_disabled": True}, {}),
    ({"policy": BASE & ~(1 << 16)}, {"allow_smt": False}, {}),
    ({"policy": BASE | SINGLE}, {"require_single_socket": True}, {"guest_policy": {"single_socket": True}}),
    ({"policy": BASE | HIDING | SWAP}, {"require_ciphertext_hiding": True, "require_page_swap_disabled": True}, {}),
    ({"policy": 0x30137}, {"minimum_abi": [1, 0x37]}, {"guest_policy": {"abi": [1, 50]}}),
    ({"guest_svn": 5}, {"minimum_guest_svn": 5}, {}),
    ({}, {"host_data": ["00" * 32], "id_key_digests": ["00" * 48], "family_ids": ["00" * 16]}, {}),
    ({}, {"images": ["guest-1.0.0"]}, {}),
    ({}, {"chips": [CHIP.hex()]}, {}),
    ({}, {"minimum_firmware": [1, 55, 24], "allow_provisional_firmware": False}, {}),
    ({}, {"platform_required": ["ecc-enabled", "alias-check-complete"], "platform_forbidden": ["tsme-enabled"]}, {}),
    ({"version": 5, "current_mitigations": 0b111}, {"mitigations": 0b011}, {}),
    ({"chip_id": bytes(64)}, {"allow_masked_chip_id": True}, {}),
    ({"vmpl": 1}, {"vmpl": [0, 1]}, {}),
]


@pytest.mark.parametrize(("fields", "policy", "reference"), SATISFIED)
def test_a_demand_that_is_met_is_affirmed(fields, policy, reference):
    result = outcome(milan().with_fields(**fields), policy, values=[image(**reference)])
    assert against(result) == []
    assert result.status is Tier.AFFIRMING


def test_a_revocation_list_meets_the_demand_for_one():
    crl = milan().crl().encode()
    assert against(outcome(milan(), {"revocation": "required"}, crls=(crl,))) == []


def test_a_vleks_cloud_can_be_demanded():
    assert against(outcome(vlek(), {"csp_ids": ["CN=cc.example.org"]})) == []
    assert against(outcome(vlek(), {"csp_ids": ["CN=elsewhere"]})) == [("instance-identity", "csp-id", 97)]


def test_a_turin_is_held_against_its_own_floor():
    values = [image(product="turin", minimum_tcb={"fmc": 1})]
    assert against(outcome(turin(), values=values)) == []
    floor = {"minimum_tcb": {"turin": {"fmc": 2}}}
    assert against(outcome(turin(), floor, values=values)) == [("hardware", "tcb.minimum", 32)]


def test_a_measurement_of_another_product_is_not_this_image():
    assert against(outcome(milan(), values=[image(product="genoa")])) == [("executables", "measurement", 33)]


def test_an_acceptable_image_is_found_among_others_with_the_same_measurement():
    values = [image("old"), image("guest"), image("new", measurement="11" * 48)]
    assert against(outcome(milan(), {"images": ["guest-1.0.0", "new-1.0.0"]}, values=values)) == []


class TestNotGiven:
    def test_the_defaults_demand_reference_values_and_a_nonce(self):
        result = outcome(milan(), values=[], report_data=None)
        assert against(result) == [("instance-identity", "report-data", 96), ("executables", "measurement", 33)]

    def test_the_command_lines_policy_makes_no_claim_about_them(self):
        policy = AppraisalPolicy.load(DEFAULT_POLICY)
        result = appraise(verified(milan()), policy, report_data=None)
        cpu = result.submods["cpu"]
        assert result.status is Tier.AFFIRMING
        assert Component.EXECUTABLES not in cpu.vector
        silent = {claim.name for claim in cpu.claims if claim.tier is Tier.NONE}
        assert silent == {"revocation", "report-data", "measurement"}

    @pytest.mark.parametrize(
        "known",
        [
            {"images": ["guest-1.0.0"]},
            {"images": []},
            {"tdx": {"mr_td": ["00" * 48]}},
            {"azure": {"pcrs": {"4": ["00" * 32]}}},
            {"google": {"pcrs": {"4": ["00" * 32]}}},
            {"nitro": {"pcrs": {"4": ["00" * 48]}}},
        ],
    )
    def test_who_knows_what_may_run_lets_nothing_unknown_run(self, known):
        result = outcome(milan(), {"reference_values": "if-given"} | known, values=[])
        assert against(result) == [("executables", "measurement", 33)]

    def test_values_of_other_hardware_alone_know_no_image(self):
        of_a_td = TdxReferenceValues(
            image={"name": "guest", "version": "1.0.0"}, built_at=AT, tee="tdx", mr_td=[MEASUREMENT]
        )
        lenient = {"reference_values": "if-given"}
        assert against(outcome(milan(), lenient, values=[of_a_td])) == [("executables", "measurement", 33)]
        assert against(outcome(milan(), lenient, values=[of_a_td, image()])) == []

    def test_a_report_that_is_bound_to_nothing_is_not_fresh_for_who_expects_nothing(self):
        """A shell's variable that is not set gives `--nonce ""`, which is 64 zeros in REPORT_DATA."""
        result = outcome(milan().with_fields(report_data=bytes(64)), report_data=bytes(64))
        assert against(result) == [("instance-identity", "report-data", 96)]

    def test_an_expected_report_data_has_64_bytes(self):
        with pytest.raises(ValueError, match="64 bytes"):
            outcome(milan(), report_data=b"nonce")


@pytest.mark.parametrize("evidence", genuine(), ids=lambda it: it.id)
def test_genuine_evidence_under_the_default_policy(evidence):
    case = next(case for case in CASES if evidence.id.startswith(case["id"]))
    report = verify(parse(evidence.report), evidence.endorsements, TrustStore.production(), evidence.at)
    result = appraise(report, AppraisalPolicy.load(DEFAULT_POLICY), report_data=None)
    assert str(result.status) == case["expect"]["status"]
    assert [claim.name for claim in result.submods["cpu"].against()] == case["expect"]["against"]


def test_evidence_that_is_not_genuine_is_contraindicated_for_its_reason():
    failure = VerificationFailed("chip-id", "another chip")
    result = rejected(failure, AppraisalPolicy())
    assert result.status is Tier.CONTRAINDICATED
    assert [(claim.name, claim.reason) for claim in result.submods["cpu"].claims] == [("chip-id", "another chip")]


@pytest.mark.parametrize(
    ("value", "tier"),
    [
        (0, Tier.NONE),
        (1, Tier.NONE),
        (-1, Tier.NONE),
        (2, Tier.AFFIRMING),
        (31, Tier.AFFIRMING),
        (-2, Tier.AFFIRMING),
        (-32, Tier.AFFIRMING),
        (32, Tier.WARNING),
        (95, Tier.WARNING),
        (-33, Tier.WARNING),
        (-96, Tier.WARNING),
        (96, Tier.CONTRAINDICATED),
        (127, Tier.CONTRAINDICATED),
        (-97, Tier.CONTRAINDICATED),
        (-128, Tier.CONTRAINDICATED),
    ],
)
def test_tiers_of_ar4si(value, tier):
    assert tier_of(value) is tier


def test_every_claim_says_why():
    for claim in outcome(milan()).submods["cpu"].claims:
        assert claim.reason
        assert claim.value


def test_a_report_under_a_vlek_is_from_no_listed_chip():
    assert against(outcome(vlek(), {"chips": [CHIP.hex()]})) == [("instance-identity", "chip-id", 97)]


def test_a_masked_chip_is_on_no_list():
    policy = {"chips": [CHIP.hex()], "allow_masked_chip_id": True}
    assert [name for _, name, _ in against(outcome(milan().with_fields(chip_id=bytes(64)), policy))] == ["chip-id"]


def test_a_turin_is_listed_by_its_whole_chip_id_or_by_what_is_significant_of_it():
    whole = verified(turin()).report.chip_id.hex()
    for listed in (whole, whole[:16]):
        assert "chip-id" not in [name for _, name, _ in against(outcome(turin(), {"chips": [listed]}))]
    assert "chip-id" in [name for _, name, _ in against(outcome(turin(), {"chips": ["11" * 8]}))]
