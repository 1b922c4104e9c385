"""Acceptable or not: each demand of a policy on a genuine quote, met and not met."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from tests.verifier.tdx.fake_intel import AT, level, platform_tcb, td_fields, world, world_15
from tests.verifier.tdx.test_checks import identity, outcome
from tests.verifier.tdx.test_tcb import OLD_PLATFORM, platform, svn
from verifier.appraisal import AppraisalPolicy, Tier
from verifier.appraisal.tdx import appraise
from verifier.reference import NitroReferenceValues, TdxReferenceValues
from verifier.tdx import parse, verify
from verifier.tdx.layout import TdAttributes

TD = td_fields()
BASE = TD["td_attributes"]
LENIENT = {"reference_values": "if-given", "freshness": "if-given"}


def claims(fake, policy=None, *, report_data=None, reference_values=(), **tdx):
    chosen = AppraisalPolicy.model_validate({**LENIENT, **(policy or {}), "tdx": tdx})
    result = appraise(outcome(fake), chosen, report_data=report_data, reference_values=reference_values)
    return {claim.name: claim for claim in result.submods["cpu"].claims}


def against(*arguments, **options) -> list[str]:
    return [name for name, claim in claims(*arguments, **options).items() if claim.tier > Tier.AFFIRMING]


def attributes(*bits: int, base: int = BASE):
    return world().with_td(td_attributes=base | sum(bits))


def bundle(**changes) -> TdxReferenceValues:
    content = {
        "image": {"name": "guest", "version": "1"},
        "tee": "tdx",
        "built_at": "2026-01-01T00:00:00Z",
        "mr_td": [TD["mr_td"].hex()],
        **changes,
    }
    return TdxReferenceValues.model_validate(content)


@pytest.mark.parametrize("fake", [world(), world_15()], ids=["td-1.0", "td-1.5"])
def test_nothing_is_against_a_current_production_td(fake):
    assert against(fake) == []


def test_the_vector_has_every_component():
    result = appraise(outcome(world()), AppraisalPolicy.model_validate(LENIENT), report_data=TD["report_data"])
    appraisal = result.submods["cpu"]
    assert str(result.status) == "affirming"
    assert {str(component): score for component, score in appraisal.vector.items()} == {
        "instance-identity": 2,
        "configuration": 2,
        "hardware": 2,
        "runtime-opaque": 2,
    }
    annotations = appraisal.evidence.annotations()
    assert (annotations["tcb_status"], annotations["fmspc"]) == ("UpToDate", "00906ed50000")
    assert annotations["mr_td"] == TD["mr_td"].hex()


def test_what_the_policy_lists_and_what_was_built_must_both_hold():
    listed = {"mr_td": [TD["mr_td"].hex()]}
    assert against(world(), reference_values=[bundle()], **listed) == []
    assert against(world(), reference_values=[bundle(mr_td=["00" * 48])], **listed) == ["measurement"]
    assert "measurement" not in claims(world(), **listed)


@pytest.mark.parametrize(
    "known",
    [
        {"images": ["guest-1"]},
        {"azure": {"pcrs": {"4": ["00" * 32]}}},
        {"nitro": {"pcrs": {"4": ["00" * 48]}}},
    ],
)
def test_who_knows_what_may_run_lets_nothing_unknown_run(known):
    assert against(world()) == []
    assert against(world(), known) == ["measurement"]


@pytest.mark.parametrize("register", ["rtmr0", "rtmr1", "rtmr2", "rtmr3"])
def test_registers_mean_nothing_under_firmware_that_nobody_knows(register):
    assert against(world(), **{register: [TD.get(register, bytes(48)).hex()]}) == ["measurement"]


def test_values_of_other_hardware_alone_know_no_image():
    of_an_enclave = NitroReferenceValues(
        image={"name": "guest", "version": "1"},
        built_at="2026-01-01T00:00:00Z",
        tee="nitro",
        attested="enclave",
        pcrs={0: ["00" * 48]},
    )
    assert against(world(), reference_values=[of_an_enclave]) == ["measurement"]
    assert against(world(), reference_values=[of_an_enclave, bundle()]) == []


def test_padding_that_is_not_there_is_no_claim():
    assert "padding" not in claims(world(), allow_padding=False)


class TestTcbStatus:
    SOFTWARE = world().with_tcb_info(
        tcbLevels=[level("SWHardeningNeeded", tcb=platform_tcb(), advisories=("INTEL-SA-00615", "INTEL-SA-00657"))]
    )

    def test_only_up_to_date_is_accepted_by_default(self):
        for fake in (OLD_PLATFORM, self.SOFTWARE, platform("ConfigurationNeeded")):
            assert against(fake) == ["tcb.status"]

    def test_advisories_of_an_up_to_date_tcb_need_no_listing(self):
        levels = [level(tcb=platform_tcb(), advisories=("INTEL-SA-00615",))]
        assert against(world().with_tcb_info(tcbLevels=levels)) == []

    def test_a_status_needs_every_advisory_listed(self):
        statuses = ["UpToDate", "SWHardeningNeeded"]
        assert against(self.SOFTWARE, statuses=statuses) == ["tcb.status"]
        assert against(self.SOFTWARE, statuses=statuses, advisories=["INTEL-SA-00615"]) == ["tcb.status"]
        assert against(self.SOFTWARE, statuses=statuses, advisories=["INTEL-SA-00615", "INTEL-SA-00657"]) == []
        assert against(self.SOFTWARE, advisories=["INTEL-SA-00615", "INTEL-SA-00657"]) == ["tcb.status"]

    def test_the_reason_says_which_part_is_behind_and_what_applies(self):
        claim = claims(OLD_PLATFORM)["tcb.status"]
        assert claim.tier is Tier.WARNING
        assert claim.reason == (
            "the policy accepts UpToDate: platform OutOfDate (2026-01-15), TDX module UpToDate (2026-01-15), "
            "QE UpToDate (2026-01-15); INTEL-SA-00837, INTEL-SA-01036"
        )

    def test_a_period_of_grace_counts_from_the_tcb_date(self):
        days = (AT.date() - OLD_PLATFORM.at.replace(month=1, day=15).date()).days
        assert against(OLD_PLATFORM, out_of_date_grace_days=days + 1) == []
        assert against(OLD_PLATFORM, out_of_date_grace_days=days) == ["tcb.status"]
        assert against(self.SOFTWARE, out_of_date_grace_days=3650) == ["tcb.status"]

    def test_revoked_is_never_accepted(self):
        revoked = world().with_td(tee_tcb_svn=svn(2, 1, 3))
        assert claims(revoked, out_of_date_grace_days=36500)["tcb.status"].tier is Tier.CONTRAINDICATED
        with pytest.raises(ValidationError):
            AppraisalPolicy.model_validate({"tdx": {"statuses": ["Revoked"]}})

    def test_a_relaunch_is_a_status_of_its_own(self):
        fake = world_15(tee_tcb_svn=svn(4, 1, 3), tee_tcb_svn_2=svn(6, 1, 3))
        assert against(fake) == ["tcb.status"]
        accepted = {"statuses": ["TDRelaunchAdvised"], "advisories": ["INTEL-SA-01036"]}
        assert against(fake, **accepted) == []

    @pytest.mark.parametrize(("date", "found"), [("2026-01-15", []), ("2026-01-16", ["tcb.date"])])
    def test_a_floor_for_the_tcb_date(self, date, found):
        assert against(world(), minimum_tcb_date=date) == found


class TestCollateral:
    def test_an_evaluation_number_is_demanded_of_both_documents(self):
        assert against(world(), minimum_evaluation_number=20) == []
        for fake in (world().with_tcb_info(tcbEvaluationDataNumber=19), identity(tcbEvaluationDataNumber=19)):
            assert against(fake, minimum_evaluation_number=20) == ["collateral.evaluation-number"]

    @pytest.mark.parametrize(("days", "found"), [(1, []), (0, ["collateral.age"])])
    def test_a_limit_for_its_age(self, days, found):
        assert against(world(), maximum_collateral_age_days=days) == found

    def test_the_age_is_that_of_the_older_document(self):
        older = f"{AT - timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}"
        for fake in (world().with_tcb_info(issueDate=older), identity(issueDate=older)):
            assert against(fake, maximum_collateral_age_days=8) == ["collateral.age"]


class TestAttributes:
    @pytest.mark.parametrize("bit", range(8))
    def test_any_bit_of_the_debug_group_is_debug(self, bit):
        fake = attributes(1 << bit)
        assert against(fake) == ["policy.debug", "memory"]
        allowed = claims(fake, {"allow_debug": True})
        assert allowed["policy.debug"].tier is Tier.WARNING
        assert allowed["memory"].tier is Tier.CONTRAINDICATED

    def test_sept_ve_disable_is_a_choice_with_a_name(self):
        fake = attributes(base=0)
        assert against(fake) == ["td.sept-ve-disable"]
        assert against(fake, require_sept_ve_disable=False) == []

    @pytest.mark.parametrize(
        ("bit", "name", "option"),
        [
            (TdAttributes.PKS, "td.protection-keys", "allow_protection_keys"),
            (TdAttributes.KL, "td.key-locker", "allow_key_locker"),
            (TdAttributes.PERFMON, "td.perfmon", "allow_perfmon"),
        ],
    )
    def test_attributes_that_a_policy_may_accept(self, bit, name, option):
        assert against(attributes(bit)) == [name]
        assert against(attributes(bit), **{option: True}) == []

    @pytest.mark.parametrize("bit", [8, 27, 32, 62])
    def test_an_attribute_that_is_not_known_is_not_accepted(self, bit):
        assert against(attributes(1 << bit)) == ["td.unknown"]

    def test_migration(self):
        assert against(attributes(TdAttributes.MIGRATABLE)) == ["policy.migration"]
        assert against(attributes(TdAttributes.MIGRATABLE), {"allow_migration": True}) == []
        agent = b"\x77" * 48
        fake = world_15(td_attributes=BASE | TdAttributes.MIGRATABLE, mr_service_td=agent)
        assert against(fake) == ["policy.migration", "td.service-td"]
        assert against(fake, service_tds=[agent.hex()]) == []

    def test_service_tds_must_be_listed(self):
        fake = world_15(mr_service_td=b"\x01" + bytes(47))
        assert against(fake) == ["td.service-td"]
        assert against(fake, service_tds=["02" + "00" * 47]) == ["td.service-td"]
        assert against(fake, service_tds=["01" + "00" * 47]) == []

    @pytest.mark.parametrize("bit", [8, 10, 15, 63])
    def test_extended_features_outside_the_mask(self, bit):
        fake = world().with_td(xfam=TD["xfam"] | 1 << bit)
        assert against(fake) == ["td.xfam"]
        assert against(fake, xfam=TD["xfam"] | 1 << bit) == []

    def test_padding(self):
        fake = world()
        quote = parse(fake.quote() + bytes(70))
        verified = verify(quote, fake.collateral(), fake.trust(), fake.at)
        for allowed, status in ((True, "affirming"), (False, "contraindicated")):
            policy = AppraisalPolicy.model_validate({**LENIENT, "tdx": {"allow_padding": allowed}})
            assert str(appraise(verified, policy, report_data=None).status) == status


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("mr_seam", "mr-seam"),
        ("mr_td", "mr-td"),
        ("mr_config_id", "mr-config-id"),
        ("mr_owner", "mr-owner"),
        ("mr_owner_config", "mr-owner-config"),
        ("rtmr0", "rtmr0"),
        ("rtmr1", "rtmr1"),
        ("rtmr2", "rtmr2"),
        ("rtmr3", "rtmr3"),
    ],
)
def test_a_listed_value(option, name):
    known, value = {"mr_td": [TD["mr_td"].hex()]}, TD.get(option, bytes(48)).hex()
    assert against(world(), **known | {option: [value]}) == []
    assert against(world(), **known | {option: ["ab" * 48]}) == [name]
    assert against(world(), **known | {option: []}) == [name]


def test_platforms_can_be_listed():
    ppid = bytes(range(16)).hex()
    assert against(world(), ppids=[ppid]) == []
    assert against(world(), ppids=["00" * 16]) == ["ppid"]


class TestFreshness:
    def test_a_quote_that_is_bound_to_nothing_is_not_fresh_for_who_expects_nothing(self):
        assert against(world().with_td(report_data=bytes(64)), report_data=bytes(64)) == ["report-data"]

    def test_report_data_must_be_equal_in_all_64_bytes(self):
        assert against(world(), report_data=TD["report_data"]) == []
        for n in (0, 31, 32, 63):
            other = bytearray(TD["report_data"])
            other[n] ^= 1
            assert against(world(), report_data=bytes(other)) == ["report-data"]

    def test_a_policy_may_demand_one(self):
        assert against(world(), {"freshness": "required"}) == ["report-data"]

    def test_an_expected_value_has_64_bytes(self):
        with pytest.raises(ValueError, match="64 bytes"):
            claims(world(), report_data=bytes(63))


class TestReferenceValues:
    def test_a_known_image_is_named(self):
        found = claims(world(), {"reference_values": "required"}, reference_values=[bundle()])
        assert (found["measurement"].reference, found["measurement"].tier) == ("guest-1", Tier.AFFIRMING)

    def test_a_policy_may_demand_one(self):
        assert against(world(), {"reference_values": "required"}) == ["measurement"]

    def test_a_list_in_the_policy_is_enough(self):
        assert against(world(), {"reference_values": "required"}, mr_td=[TD["mr_td"].hex()]) == []

    def test_images_of_a_policy_are_never_passed_over(self):
        listed = {"mr_td": [TD["mr_td"].hex()]}
        assert against(world(), {"reference_values": "required", "images": ["other-1"]}, **listed) == ["measurement"]
        values = {"reference_values": [bundle()]}
        refused = claims(world(), {"images": ["other-1"]}, **values)["measurement"]
        assert (refused.tier, refused.reason) == (
            Tier.CONTRAINDICATED,
            "the image is guest-1, the policy accepts other-1",
        )
        assert against(world(), {"images": ["guest-1"]}, **values) == []

    @pytest.mark.parametrize("register", ["rtmr0", "rtmr1", "rtmr2", "rtmr3", "mr_config_id"])
    def test_every_register_that_a_bundle_states_counts(self, register):
        right = bundle(**{register: [TD.get(register, bytes(48)).hex()]})
        wrong = bundle(**{register: ["cd" * 48]})
        assert against(world(), reference_values=[right]) == []
        found = claims(world(), reference_values=[wrong])["measurement"]
        assert register.upper().replace("_", "") in found.reason
        assert found.tier is Tier.WARNING
        assert against(world(), reference_values=[wrong, right]) == []

    def test_another_firmware_is_not_recognised(self):
        assert against(replace(world()).with_td(mr_td=b"\x01" * 48), reference_values=[bundle()]) == ["measurement"]
