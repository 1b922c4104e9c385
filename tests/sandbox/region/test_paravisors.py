"""Guests under a paravisor, as Azure starts them: the processor measures that, and a vTPM the image."""

import base64
from datetime import UTC, datetime

import pytest

from sandbox.clouds.hardware import Machine
from sandbox.hardware import PARAVISOR_MEASUREMENT
from sandbox.region import images
from tests.sandbox.region.scenario import guest
from verifier import tpm

BUILT = datetime(2026, 8, 1, tzinfo=UTC)


def under_a_paravisor(tee: str = "snp", image: str = "inference-guest-1.0.0", **changes: object) -> Machine:
    return guest(image=image, tee=tee, paravisor=True, **changes)


@pytest.mark.parametrize("tee", ["snp", "tdx"])
def test_the_processor_vouches_for_the_vtpm_and_the_vtpm_for_the_image(scenario, tee):
    outcome = scenario.outcome_of(under_a_paravisor(tee), tee=[f"az-{tee}-vtpm"])
    assert outcome.status == "attested", outcome.reason
    cpu, vtpm = outcome.claims["submods"]["cpu"], outcome.claims["submods"]["vtpm"]
    assert (cpu["ear.status"], vtpm["ear.status"]) == ("affirming", "affirming")
    assert outcome.measurement == PARAVISOR_MEASUREMENT.hex()
    claims = vtpm["ear.veraison.policy-claims"]
    assert claims["pcrs"]["reference"] == "inference-guest-1.0.0"
    assert "PCR 7 agrees" in claims["secure-boot"]["reason"]
    assert claims["event-log"]["tier"] == "affirming"
    assert tpm.parse(base64.b64decode(outcome.report)).extra_data.hex() == claims["nonce"]["value"]


def test_another_version_of_the_image_is_another_image(scenario):
    machine = under_a_paravisor(image="inference-guest-1.1.0")
    outcome = scenario.outcome_of(machine, tee=["az-snp-vtpm"])
    assert outcome.status == "refused"
    assert "pcrs: the image is inference-guest-1.1.0, the policy accepts inference-guest-1.0.0" in outcome.reason
    assert outcome.measurement == PARAVISOR_MEASUREMENT.hex()  # the processor cannot tell the two apart


def test_without_secure_boot(scenario):
    outcome = scenario.outcome_of(under_a_paravisor(secure_boot=False), tee=["az-snp-vtpm"])
    assert (outcome.status, "secure-boot" in outcome.reason) == ("refused", True)


def test_a_key_may_demand_the_vtpm_and_a_key_may_refuse_it(scenario):
    bare = scenario.outcome_of(guest(), tee=["az-snp-vtpm"])
    assert "tee: snp, the policy accepts az-snp-vtpm" in bare.reason
    assert "tee: az-snp-vtpm, the policy accepts snp" in scenario.outcome_of(under_a_paravisor(), tee=["snp"]).reason


def test_every_image_has_pcrs_of_its_own_and_one_paravisor():
    values = [image.statement(BUILT)["predicate"]["vtpm"] for image in images.gallery().values()]
    pcrs = {(entry["pcrs"]["11"][0], entry["pcrs"]["4"][0]) for entry in values}
    assert len(pcrs) == len({image.id for image in images.gallery().values()})
    assert {entry["launch_measurements"][0] for entry in values} == {PARAVISOR_MEASUREMENT.hex()}
