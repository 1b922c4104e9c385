"""Appraisal of one device: each demand of a policy, alone."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from tests.verifier.nvidia.fake_nvidia import (
    AT,
    DAY,
    DRIVER_ID,
    HELD,
    NONCE,
    SWITCH_ID,
    VBIOS_ID,
    YEAR,
    FakeOcsp,
    World,
    blackwell,
    golden,
    hopper,
    rim_certificates,
    switch,
    trust,
    value_of,
)
from verifier.appraisal import AppraisalPolicy, Tier
from verifier.appraisal.nvidia import appraise, rejected
from verifier.appraisal.nvidia_policy import ConfidentialMode
from verifier.errors import VerificationFailed
from verifier.nvidia import parse, verify

LENIENT = {"freshness": "if-given"}
ON = ConfidentialMode.ON


def claims(fake: World, policy=None, *, nonce=NONCE, mode=ON, **nvidia):
    chosen = AppraisalPolicy.model_validate({**LENIENT, **(policy or {}), "nvidia": nvidia})
    verified = verify(parse(fake.report()), fake.chain(), fake.collateral(), trust(), fake.at)
    result = appraise([verified], chosen, nonce=nonce, stated_mode=mode)
    return {claim.name: claim for appraisal in result.submods.values() for claim in appraisal.claims}


def against(*arguments, **options) -> list[str]:
    return [name for name, claim in claims(*arguments, **options).items() if claim.tier > Tier.AFFIRMING]


def without(name: str) -> World:
    return replace(hopper(), rims={other: rim for other, rim in hopper().rims.items() if other != name})


@pytest.mark.parametrize("fake", [hopper(), blackwell(), switch()], ids=["hopper", "blackwell", "ls10"])
def test_nothing_is_against_a_device_that_measures_what_nvidia_signed(fake):
    assert against(fake, {"freshness": "required"}) == []


def test_the_vector_has_every_component():
    fake = hopper()
    verified = verify(parse(fake.report()), fake.chain(), fake.collateral(), trust(), fake.at)
    result = appraise([verified], AppraisalPolicy(), nonce=NONCE, stated_mode=ON)
    assert list(result.submods) == ["gpu0"]
    assert {str(component): score for component, score in result.submods["gpu0"].vector.items()} == {
        "instance-identity": 2,
        "hardware": 2,
        "configuration": 2,
        "executables": 3,
    }
    annotations = result.submods["gpu0"].evidence.annotations()
    assert (annotations["driver_version"], annotations["model"]) == ("580.95.05", "GH100")
    assert annotations["rim_driver_id"] == DRIVER_ID


class TestIdentity:
    @pytest.mark.parametrize(
        ("nonce", "freshness", "found"),
        [
            (NONCE, "required", []),
            (bytes(32), "if-given", ["nonce"]),
            (None, "required", ["nonce"]),
            (None, "if-given", []),
        ],
    )
    def test_the_nonce(self, nonce, freshness, found):
        assert against(hopper(), {"freshness": freshness}, nonce=nonce) == found

    @pytest.mark.parametrize("size", [0, 31, 33, 64])
    def test_a_nonce_has_32_bytes(self, size):
        with pytest.raises(ValueError, match="32 bytes"):
            claims(hopper(), nonce=bytes(size))

    def test_a_list_of_devices(self):
        assert against(hopper(), devices=["a1a2a3a4a5a6a7a8"]) == []
        assert against(hopper(), devices=["a1a2a3a4a5a6a7a9"]) == ["pdi"]

    def test_a_firmware_identifier_that_is_not_repeated_is_no_claim(self):
        assert claims(hopper())["fwid"].tier is Tier.AFFIRMING
        assert claims(hopper().with_opaque({20: None}))["fwid"].tier is Tier.NONE


def answers(status: bytes = b"\x80\x00", *, rims: bool = True) -> tuple[FakeOcsp, ...]:
    """Responses about every certificate; the status is the BROM's."""
    names = ("leaf", "brom", "provisioner", "identity", "device-root")
    chain = hopper().certificates
    found = [FakeOcsp(chain[n], chain[n + 1], names[n + 1]) for n in (1, 2, 3)]
    found[0] = replace(found[0], status=status)
    signers, keys = rim_certificates(), ("rim-signer", "rim-l3", "rim-l2", "rim-root")
    if rims:
        found += [FakeOcsp(signers[n], signers[n + 1], keys[n + 1]) for n in (0, 1, 2)]
    return tuple(found)


class TestRevocation:
    def test_it_is_a_demand(self):
        assert against(hopper(), {"revocation": "required"}) == ["revocation"]
        assert claims(hopper())["revocation"].tier is Tier.NONE
        good = replace(hopper(), ocsp=answers())
        assert against(good, {"revocation": "required"}) == []
        assert claims(good)["revocation"].value == "checked"

    def test_the_signers_of_rims_are_asked_about_too(self):
        partly = replace(hopper(), ocsp=answers(rims=False))
        assert against(partly, {"revocation": "required"}) == ["revocation"]
        assert "rim.driver.signer, rim.driver.l3, rim.driver.l2" in claims(partly)["revocation"].reason

    def test_hold_is_a_choice_with_a_name(self):
        held = replace(hopper(), ocsp=answers(HELD))
        assert against(held) == ["revocation"]
        assert "chain.brom" in claims(held)["revocation"].reason
        assert against(held, {"revocation": "required"}, allow_certificate_hold=True) == []
        assert claims(held, allow_certificate_hold=True)["revocation"].value == "on hold"
        partly = replace(hopper(), ocsp=answers(HELD, rims=False))
        assert against(partly, {"revocation": "required"}, allow_certificate_hold=True) == ["revocation"]

    def test_a_revoked_signer_of_a_rim_is_refused(self):
        signers = rim_certificates()
        revoked = FakeOcsp(signers[0], signers[1], "rim-l3", status=bytes.fromhex("a111180f") + b"20260101000000Z")
        with pytest.raises(VerificationFailed, match=r"rim\.driver\.chain\.signer\.revoked"):
            claims(replace(hopper(), ocsp=(revoked,)))


class TestRims:
    @pytest.mark.parametrize(("name", "kind"), [(DRIVER_ID, "driver"), (VBIOS_ID, "vbios")])
    def test_both_are_a_demand(self, name, kind):
        assert against(without(name)) == [f"rim.{kind}"]
        lenient = claims(without(name), rims="if-given")
        assert lenient[f"rim.{kind}"].tier is Tier.NONE
        assert name in lenient[f"rim.{kind}"].reason
        assert lenient["secure-boot"].tier is Tier.NONE
        assert lenient["measurements"].tier is Tier.AFFIRMING
        assert f"none was there for {kind}" in lenient["measurements"].reason

    @pytest.mark.parametrize("field", [3, 6, 15, 17, 18])
    def test_a_device_that_does_not_say_what_it_runs_has_none(self, field):
        kind = "driver" if field == 3 else "vbios"
        assert against(hopper().with_opaque({field: None})) == [f"rim.{kind}"]

    def test_a_rim_for_another_chip_is_refused(self):
        assert against(hopper().with_rim(DRIVER_ID, product="GB100")) == ["rim.driver"]
        assert against(hopper().with_rim(VBIOS_ID, product="LS10")) == ["rim.vbios"]
        wrong = blackwell().with_rim("NV_GPU_CC_DRIVER_GB100_580.95.05", product="GH100")
        assert against(wrong) == ["rim.driver"]

    def test_a_rim_for_another_version_is_refused(self):
        assert against(hopper().with_rim(DRIVER_ID, version="580.95.06")) == ["rim.driver"]
        assert against(hopper().with_rim(VBIOS_ID, version="96.00.74.00.1B")) == ["rim.vbios"]

    def test_a_blackwell_is_measured_as_the_chip_that_it_calls_itself(self):
        fake = blackwell().with_opaque({35: b"GB200"})
        assert "no RIM called NV_GPU_CC_DRIVER_GB200_580.95.05" in claims(fake)["rim.driver"].reason
        silent = blackwell().with_opaque({35: None})
        assert against(silent) == []


class TestSignatureTime:
    """A RIM does not say when it was signed, and its signer is certified for two years."""

    def expired(self, days: float) -> World:
        chain = rim_certificates()
        old = (replace(chain[0], not_after=AT - days * DAY), *chain[1:])
        return hopper().with_rim(VBIOS_ID, chain=old)

    def test_by_default_signers_are_valid_at_verification(self):
        assert against(self.expired(0)) == [], "the last moment belongs to the period"
        assert against(self.expired(1)) == ["rim.vbios.signers"]
        assert "rim_signature_time: verification" in claims(self.expired(1))["rim.vbios.signers"].reason

    def test_issuance_asks_that_they_were_valid_together_once(self):
        assert against(self.expired(100), rim_signature_time="issuance") == []
        chain = rim_certificates()
        never = (replace(chain[0], not_before=AT - 3 * YEAR, not_after=AT - 2 * YEAR), *chain[1:])
        for rule in ("issuance", "verification"):
            fake = hopper().with_rim(VBIOS_ID, chain=never)
            assert claims(fake, rim_signature_time=rule)["rim.vbios.signers"].tier is Tier.CONTRAINDICATED

    def test_a_period_of_grace_bounds_it(self):
        issuance = {"rim_signature_time": "issuance", "rim_signer_grace_days": 30}
        assert against(self.expired(30), **issuance) == []
        assert against(self.expired(30.1), **issuance) == ["rim.vbios.signers"]

    @pytest.mark.parametrize("rule", ["issuance", "verification"])
    def test_a_signer_of_the_future_is_never_accepted(self, rule):
        chain = rim_certificates()
        later = (replace(chain[0], not_before=AT + DAY), *chain[1:])
        assert against(hopper().with_rim(DRIVER_ID, chain=later), rim_signature_time=rule) == ["rim.driver.signers"]


class TestMeasurements:
    def changed(self, block: int) -> World:
        return replace(hopper(), blocks={**hopper().blocks, block: bytes(48)[:-1] + b"\x01"})

    @pytest.mark.parametrize("index", [0, 1, 7, 9, 21, 30])
    def test_rims_count_from_0_and_blocks_from_1(self, index):
        assert against(self.changed(index + 1)) == ["secure-boot", "measurements"]
        assert claims(self.changed(index + 1))["measurements"].reason.endswith(f"RIM indexes {index}")

    def test_blocks_that_no_rim_is_about_do_not_count(self):
        assert against(self.changed(50)) == []

    def test_any_alternative_is_golden(self):
        assert against(replace(hopper(), blocks={**hopper().blocks, 8: bytes(48)})) == []

    def test_a_size_that_differs_is_a_difference(self):
        for value in (value_of(8)[:-1], value_of(8) + b"\0"):
            assert "measurements" in against(replace(hopper(), blocks={**hopper().blocks, 8: value}))

    def test_index_35_counts_only_while_the_video_decoder_is_on(self):
        fake = self.changed(36)
        assert against(fake) == []
        for on in ({11: b"\xaa"}, {11: None}):
            assert against(fake.with_opaque(on)) == ["secure-boot", "measurements"]
            assert against(hopper().with_opaque(on)) == []

    @pytest.mark.parametrize(
        ("fake", "reason"),
        [
            (hopper().with_rim(VBIOS_ID, golden=golden(0, 7)), "both claim measurement 7"),
            (hopper().with_rim(VBIOS_ID, golden={}), "vbios RIM has no active measurement"),
            (replace(hopper(), blocks={1: value_of(1)}), "7 golden measurements, the device reported 1"),
        ],
    )
    def test_rims_that_cannot_be_used_together(self, fake, reason):
        assert against(fake) == ["secure-boot", "measurements"]
        assert reason in claims(fake)["measurements"].reason

    def test_a_block_that_is_missing_differs(self):
        blocks = {index: value for index, value in hopper().blocks.items() if index != 10}
        assert claims(replace(hopper(), blocks=blocks))["measurements"].reason.endswith("RIM indexes 9")

    def test_switches_are_compared_with_their_one_rim(self):
        changed = replace(switch(), blocks={**switch().blocks, 31: bytes(47) + b"\x01"})
        assert against(changed) == ["secure-boot", "measurements"]
        assert against(replace(switch(), rims={})) == ["rim.vbios"]
        assert "5612_0002_890" in SWITCH_ID


class TestConfiguration:
    @pytest.mark.parametrize("mode", [ConfidentialMode.DEVTOOLS, ConfidentialMode.OFF])
    def test_devtools_and_off_are_never_accepted(self, mode):
        for demand in ("required", "if-given"):
            assert claims(hopper(), mode=mode, stated_mode=demand)["cc-mode"].tier is Tier.CONTRAINDICATED

    def test_the_guests_statement_is_a_demand(self):
        assert against(hopper(), mode=None) == ["cc-mode"]
        assert claims(hopper(), mode=None, stated_mode="if-given")["cc-mode"].tier is Tier.NONE

    @pytest.mark.parametrize(
        ("stated", "mode"),
        [
            ({36: b"\0\0", 21: b"\x55"}, "single"),
            ({36: b"\x01\0", 21: b"\x55"}, "multiple"),
            ({36: b"\x01\0", 21: None}, "multiple"),
            ({36: b"\x02\0", 21: b"\xaa"}, "protected-pcie"),
            ({36: None, 21: b"\x55"}, "single"),
            ({36: None, 21: b"\xaa"}, "protected-pcie"),
            ({36: None, 21: None}, "unstated"),
        ],
    )
    def test_each_mode_is_a_choice(self, stated, mode):
        fake = hopper().with_opaque(stated)
        assert claims(fake, modes=[mode])["link-mode"].tier is Tier.AFFIRMING
        others = {"single", "multiple", "protected-pcie", "unstated"} - {mode}
        assert claims(fake, modes=sorted(others))["link-mode"].tier is Tier.CONTRAINDICATED
        assert ("link-mode" in against(fake)) == (mode in {"protected-pcie", "unstated"})

    @pytest.mark.parametrize(
        "stated", [{36: b"\x02\0", 21: b"\x55"}, {36: b"\0\0", 21: b"\xaa"}, {36: b"\x03\0", 21: None}, {36: b"\0\x01"}]
    )
    def test_a_contradiction_or_an_unknown_mode_is_no_mode(self, stated):
        every = ["single", "multiple", "protected-pcie", "unstated"]
        assert against(fake := hopper().with_opaque(stated), modes=every) == ["link-mode"]
        assert "contradicts itself" in claims(fake, modes=every)["link-mode"].reason

    def test_padding_is_a_choice(self):
        padded = replace(hopper(), padding=1)
        assert against(padded) == []
        assert against(padded, allow_padding=False) == ["padding"]
        assert against(hopper(), allow_padding=False) == []


class TestFloors:
    @pytest.mark.parametrize(
        ("floor", "found"),
        [
            ("580.95.05", []),
            ("580.95.06", ["driver.version"]),
            ("580.100", ["driver.version"]),
            ("99.0", []),
            ("580.95", []),
        ],
    )
    def test_of_the_driver(self, floor, found):
        assert against(hopper(), minimum_driver=floor) == found

    def test_a_switch_has_no_driver(self):
        assert against(switch(), minimum_driver="999.0") == []

    def test_a_driver_version_that_is_not_stated_or_no_number_is_below_any_floor(self):
        assert "driver.version" in against(hopper().with_opaque({3: None}), minimum_driver="1.0")
        assert "driver.version" in against(hopper().with_opaque({3: b"r580"}), minimum_driver="1.0")

    @pytest.mark.parametrize(
        ("floors", "found"),
        [
            ({"GH100": "96.00.74.00.1A"}, []),
            ({"GH100": "96.00.74.00.1B"}, ["vbios.version"]),
            ({"GH100": "96.00.5E.00.FF"}, []),
            ({"GB100": "00.00.00.00.00"}, ["vbios.version"]),
        ],
    )
    def test_of_the_vbios_by_chip(self, floors, found):
        assert against(hopper(), minimum_vbios=floors) == found

    def test_a_version_of_another_form_is_below_any_floor(self):
        floors = {"LS10": "96.10.55.00.01"}
        assert against(switch(), minimum_vbios=floors) == []
        odd = replace(switch(), opaque={**switch().opaque, 6: b"97"})
        assert "vbios.version" in against(odd, minimum_vbios=floors)

    def test_a_list_of_chips(self):
        assert against(hopper(), chips=["GH100", "GB100"]) == []
        assert against(hopper(), chips=["GB100"]) == ["chip"]


def test_a_device_that_is_not_genuine_is_contraindicated_with_the_check():
    failure = VerificationFailed("chain.root", "not a pinned root")
    result = rejected(failure, AppraisalPolicy(), "gpu0")
    assert result.status is Tier.CONTRAINDICATED
    assert [claim.name for claim in result.submods["gpu0"].claims] == ["chain.root"]


@pytest.mark.parametrize(
    "key",
    [
        {"devices": ["A1A2A3A4A5A6A7A8"]},
        {"chips": ["gh100"]},
        {"modes": ["devtools"]},
        {"minimum_driver": "latest"},
        {"minimum_vbios": {"GH100": "96.00"}},
        {"rim_signature_time": "never"},
        {"gpus": -1},
        {"unknown": 1},
    ],
)
def test_a_policy_that_means_nothing_is_refused(key):
    with pytest.raises(ValidationError):
        AppraisalPolicy.model_validate({"nvidia": key})
