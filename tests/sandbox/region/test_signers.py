"""Signers instead of measurements: a paravisor of an accepted key, and a bundle of collateral of an accepted one."""

import pytest

from sandbox.hardware import PARAVISOR_SIGNER
from sandbox.region import launch
from tests.sandbox.region.scenario import Scenario, guest

NEWER = bytes(range(48))
"""What the CPU measures of a paravisor that no reference values name."""


def outcome_of(scenario: Scenario, **policy: object):
    return scenario.outcome_of(guest(paravisor=True), tee=["az-snp-vtpm"], **policy)


def test_a_newer_paravisor_gets_the_key_by_its_signer_alone(scenario, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "PARAVISOR_MEASUREMENT", NEWER)
    unknown = outcome_of(scenario)
    assert (unknown.status, "measurement: no reference value" in unknown.reason) == ("refused", True), unknown.reason
    attested = outcome_of(scenario, id_key_digests=[PARAVISOR_SIGNER.hex()])
    assert attested.status == "attested", attested.reason


def test_a_paravisor_of_another_signer_gets_nothing_though_its_measurement_is_known(scenario):
    refused = outcome_of(scenario, id_key_digests=["5c" * 48])
    assert (refused.status, "id-key: not on the policy's list" in refused.reason) == ("refused", True), refused.reason
