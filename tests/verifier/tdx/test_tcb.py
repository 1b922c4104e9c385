"""How current a TD is: the level of each part, what they say together, and what applies."""

from itertools import product

import pytest

from tests.verifier.tdx.fake_intel import World, level, platform_tcb, sgx_extension, world, world_15
from tests.verifier.tdx.test_checks import identity, outcome, sgx
from verifier.tdx import TcbStatus
from verifier.tdx.status import PART_STATUSES, PLATFORM_STATUSES, after_update, converge

UP, HARDENING, CONFIGURATION = (
    TcbStatus.UP_TO_DATE,
    TcbStatus.SW_HARDENING_NEEDED,
    TcbStatus.CONFIGURATION_NEEDED,
)
BOTH = TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED
OLD, OLD_CONFIGURATION, REVOKED = (
    TcbStatus.OUT_OF_DATE,
    TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
    TcbStatus.REVOKED,
)
RELAUNCH = TcbStatus.TD_RELAUNCH_ADVISED
RELAUNCH_CONFIGURATION = TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED


def svn(*values: int) -> bytes:
    return bytes(values).ljust(16, b"\0")


def platform(status: str, base: World | None = None) -> World:
    return (base or world()).with_tcb_info(tcbLevels=[level(status, tcb=platform_tcb())])


OLD_PLATFORM = sgx(sgx_extension(components=bytes([4] * 16), pcesvn=11))
OLD_QE = world().with_qe(isv_svn=3)


class TestLevels:
    def test_a_platform_takes_the_first_level_it_reaches(self):
        verified = outcome(OLD_PLATFORM)
        assert verified.tcb.platform.status is OLD
        assert verified.tcb.module.status is UP
        assert verified.tcb.advisories == ("INTEL-SA-00837", "INTEL-SA-01036")

    @pytest.mark.parametrize("index", range(16))
    def test_every_sgx_component_counts(self, index):
        components = bytes(4 if n == index else 5 for n in range(16))
        assert outcome(sgx(sgx_extension(components=components))).tcb.platform.status is OLD

    @pytest.mark.parametrize("index", range(2, 16))
    def test_every_tdx_component_counts(self, index):
        demanded = platform_tcb()
        demanded["tdxtcbcomponents"] = [{"svn": 9 if n == index else 0} for n in range(16)]
        fallback = level("OutOfDate", tcb=platform_tcb(tdx=0))
        fake = world().with_tcb_info(tcbLevels=[level(tcb=demanded), fallback])
        assert outcome(fake).tcb.platform.status is OLD
        reached = svn(6, 1, *[9 if n == index else 0 for n in range(2, 16)])
        assert outcome(fake.with_td(tee_tcb_svn=reached)).tcb.platform.status is UP

    def test_pcesvn_counts(self):
        assert outcome(sgx(sgx_extension(pcesvn=12))).tcb.platform.status is OLD

    def test_a_higher_component_does_not_make_up_for_a_lower_one(self):
        components = bytes([255, 4, *[255] * 14])
        assert outcome(sgx(sgx_extension(components=components))).tcb.platform.status is OLD

    def test_the_modules_own_svn_is_left_to_its_identity(self):
        levels = [level(tcb={**platform_tcb(), "tdxtcbcomponents": [{"svn": n} for n in (200, 0, 3, *[0] * 13)]})]
        fake = world().with_tcb_info(tcbLevels=levels)
        assert outcome(fake).tcb.status is UP

    def test_a_module_of_version_0_is_rated_with_the_platform(self):
        levels = [
            level(tcb={**platform_tcb(), "tdxtcbcomponents": [{"svn": n} for n in (6, 0, 3, *[0] * 13)]}),
            level("OutOfDate", tcb=platform_tcb()),
        ]
        fake = world().with_tcb_info(tcbLevels=levels)
        assert outcome(fake.with_td(tee_tcb_svn=svn(6, 0, 3))).tcb.status is UP
        verified = outcome(fake.with_td(tee_tcb_svn=svn(5, 0, 3)))
        assert (verified.tcb.status, verified.tcb.module) == (OLD, None)

    @pytest.mark.parametrize(("number", "status"), [(255, UP), (6, UP), (5, OLD), (4, OLD), (3, REVOKED)])
    def test_the_level_of_a_module(self, number, status):
        assert outcome(world().with_td(tee_tcb_svn=svn(number, 1, 3))).tcb.module.status is status

    @pytest.mark.parametrize("name", ["TDX_0A", "TDX_0a"])
    def test_a_module_identity_is_found_in_either_case(self, name):
        entry = {**world().tcb_info["tdxModuleIdentities"][0], "id": name}
        fake = world().with_tcb_info(tdxModuleIdentities=[entry])
        assert outcome(fake.with_td(tee_tcb_svn=svn(6, 10, 3))).tcb.module.status is UP

    @pytest.mark.parametrize("fmspc", ["00906ED50000", "00906ed50000"])
    def test_an_fmspc_is_compared_in_either_case(self, fmspc):
        assert outcome(world().with_tcb_info(fmspc=fmspc)).tcb.status is UP

    def test_masked_attributes_of_the_qe_may_differ(self):
        assert outcome(world().with_qe(attributes=0x11)).tcb.status is UP
        masked = identity(miscselectMask="FEFFFFFF")
        assert outcome(masked.with_qe(misc_select=1)).tcb.status is UP

    def test_masked_attributes_of_the_module_may_differ(self):
        entry = {**world().tcb_info["tdxModuleIdentities"][0], "attributesMask": "fe" + "ff" * 7}
        assert outcome(world().with_tcb_info(tdxModuleIdentities=[entry]).with_td(seam_attributes=1)).tcb.status is UP


class TestTogether:
    def test_advisories_of_all_parts_are_united_in_order(self):
        fake = World(**{**OLD_PLATFORM.__dict__, "qe": OLD_QE.qe}).with_td(tee_tcb_svn=svn(4, 1, 3))
        tcb = outcome(fake).tcb
        assert tcb.advisories == ("INTEL-SA-00837", "INTEL-SA-00999", "INTEL-SA-01036")
        assert (tcb.platform.status, tcb.module.status, tcb.qe.status) == (OLD, OLD, OLD)

    def test_the_date_is_that_of_the_part_furthest_behind(self):
        old = {**level(tcb={"isvsvn": 4}), "tcbDate": "2023-08-09T00:00:00Z"}
        assert outcome(identity(tcbLevels=[old])).tcb.date.isoformat() == "2023-08-09T00:00:00+00:00"

    @pytest.mark.parametrize(
        ("stated", "with_old_part"),
        [
            (UP, OLD),
            (HARDENING, OLD),
            (CONFIGURATION, OLD_CONFIGURATION),
            (BOTH, OLD_CONFIGURATION),
            (OLD, OLD),
            (OLD_CONFIGURATION, OLD_CONFIGURATION),
            (REVOKED, REVOKED),
        ],
    )
    def test_an_old_module_or_qe_makes_a_platform_old(self, stated, with_old_part):
        assert outcome(platform(stated)).tcb.status is stated
        assert outcome(platform(stated).with_td(tee_tcb_svn=svn(4, 1, 3))).tcb.status is with_old_part
        assert outcome(platform(stated, OLD_QE)).tcb.status is with_old_part

    @pytest.mark.parametrize("stated", sorted(PLATFORM_STATUSES))
    def test_a_revoked_part_revokes_all(self, stated):
        assert outcome(platform(stated).with_td(tee_tcb_svn=svn(2, 1, 3))).tcb.status is REVOKED
        revoked = identity(tcbLevels=[level("Revoked", tcb={"isvsvn": 1})])
        assert outcome(platform(stated, revoked)).tcb.status is REVOKED

    def test_a_part_never_improves_a_status(self):
        worst_first = [REVOKED, OLD_CONFIGURATION, OLD, BOTH, CONFIGURATION, HARDENING, UP]
        for stated, part in product(PLATFORM_STATUSES, PART_STATUSES):
            assert worst_first.index(converge(stated, part)) <= worst_first.index(stated)


class TestUpdatedUnderATd:
    """TD 1.5: launched with TEE_TCB_SVN, running with TEE_TCB_SVN_2."""

    @pytest.mark.parametrize(
        ("launched", "running", "status"),
        [
            (svn(6, 1, 3), svn(6, 1, 3), UP),
            (svn(4, 1, 3), svn(6, 1, 3), RELAUNCH),
            (svn(4, 1, 3), svn(5, 1, 3), OLD),
            (svn(6, 1, 3), svn(4, 1, 3), UP),
            (svn(2, 1, 3), svn(6, 1, 3), REVOKED),
            (svn(6, 1, 2), svn(6, 1, 3), RELAUNCH),
        ],
    )
    def test_status(self, launched, running, status):
        assert outcome(world_15(tee_tcb_svn=launched, tee_tcb_svn_2=running)).tcb.status is status

    def test_configuration_is_kept(self):
        fake = platform("ConfigurationNeeded", world_15(tee_tcb_svn=svn(4, 1, 3), tee_tcb_svn_2=svn(6, 1, 3)))
        assert outcome(fake).tcb.status is RELAUNCH_CONFIGURATION

    def test_an_old_qe_is_not_cured(self):
        fake = world_15(tee_tcb_svn=svn(4, 1, 3), tee_tcb_svn_2=svn(6, 1, 3)).with_qe(isv_svn=3)
        assert outcome(fake).tcb.status is OLD

    @pytest.mark.parametrize("running", [UP, HARDENING, CONFIGURATION, BOTH])
    def test_only_what_was_old_is_to_be_relaunched(self, running):
        for launched in PLATFORM_STATUSES - {OLD, OLD_CONFIGURATION}:
            assert after_update(launched, running) is launched
        needs = running in {CONFIGURATION, BOTH}
        assert after_update(OLD, running) is (RELAUNCH_CONFIGURATION if needs else RELAUNCH)
        assert after_update(OLD_CONFIGURATION, running) is RELAUNCH_CONFIGURATION

    @pytest.mark.parametrize("running", [OLD, OLD_CONFIGURATION, REVOKED])
    def test_what_is_still_old_stays_old(self, running):
        assert after_update(OLD, running) is OLD
