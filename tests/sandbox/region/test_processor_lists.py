"""A key for listed processors: the guest on one of them gets it, and the same guest on another does not."""

import pytest

from sandbox.hardware import Chip, Platform
from sandbox.region.launch import host_of
from tests.sandbox.region.scenario import Scenario, guest


def outcome_of(scenario: Scenario, tee: str, listed: str, *, paravisor: bool):
    accepted = f"az-{tee}-vtpm" if paravisor else tee
    lists = {"chips": [listed]} if tee == "snp" else {"tdx": {"ppids": [listed]}}
    return scenario.outcome_of(guest(tee=tee, paravisor=paravisor), tee=[accepted], **lists)


def id_on(host: str, tee: str) -> str:
    return (Chip(host).chip_id if tee == "snp" else Platform(host).ppid).hex()


@pytest.mark.parametrize("paravisor", [False, True], ids=["bare", "paravisor"])
@pytest.mark.parametrize("tee", ["snp", "tdx"])
def test_the_listed_processor_gets_the_key_and_another_one_does_not(scenario, tee, paravisor):
    here = host_of(guest())
    attested = outcome_of(scenario, tee, id_on(here, tee), paravisor=paravisor)
    assert attested.status == "attested", attested.reason
    refused = outcome_of(scenario, tee, id_on("another host", tee), paravisor=paravisor)
    name = "chip-id: the chip" if tee == "snp" else "ppid: the platform"
    assert (refused.status, f"{name} is not on the policy's list" in refused.reason) == ("refused", True), (
        refused.reason
    )
