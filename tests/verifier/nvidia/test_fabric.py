"""Devices together: distinct, as many as demanded, in one mode, and linked in a closed circle."""

from dataclasses import replace

import pytest

from tests.verifier.nvidia.fake_nvidia import (
    NONCE,
    World,
    device_certificates,
    hopper,
    switch,
    trust,
)
from verifier.appraisal import AppraisalPolicy, Tier
from verifier.appraisal.nvidia import appraise
from verifier.nvidia import parse, verify

GPUS = [bytes([0xA0 + n]) * 7 + bytes([n]) for n in range(8)]
SWITCHES = [bytes([0x50 + n]) * 7 + bytes([n]) for n in range(4)]
LINKS_PER_GPU = 18
PROTECTED = ["single", "multiple", "protected-pcie"]
STORE = trust()


def gpu(pdi: bytes, switches: list[bytes], stated: dict[int, bytes | None] | None = None) -> World:
    """A Hopper in protected PCIe mode; its links go to the switches in turn, and the last one is off."""
    links = [switches[n % len(switches)][::-1] if switches else bytes(8) for n in range(LINKS_PER_GPU - 1)]
    fields = {21: b"\xaa", 36: b"\x02\0", 22: b"".join([*links, bytes(8)])}
    return replace(hopper(), certificates=device_certificates(pdi=pdi)).with_opaque({**fields, **(stated or {})})


def hgx() -> list[World]:
    """Eight GPUs and four NVSwitches, each linked to all of the other kind."""
    return [*(gpu(pdi, SWITCHES) for pdi in GPUS), *(switch(pdi, tuple(GPUS)) for pdi in SWITCHES)]


def fabric(worlds: list[World], nonce: bytes | None = NONCE, **nvidia):
    policy = AppraisalPolicy.model_validate(
        {"freshness": "if-given", "nvidia": {"stated_mode": "if-given", "modes": PROTECTED, **nvidia}}
    )
    verified = [verify(parse(it.report()), it.chain(), it.collateral(), STORE, it.at) for it in worlds]
    result = appraise(verified, policy, nonce=nonce)
    return result, {
        claim.name: claim for claim in result.submods["fabric"].claims
    } if "fabric" in result.submods else {}


def against(worlds: list[World], **options) -> list[str]:
    return [name for name, claim in fabric(worlds, **options)[1].items() if claim.tier > Tier.AFFIRMING]


def test_an_hgx_closes():
    result, claims = fabric(hgx(), gpus=8, switches=4)
    assert result.status is Tier.AFFIRMING
    assert set(claims) == {"count.gpus", "count.switches", "distinct", "one-nonce", "one-mode", "topology"}
    assert list(result.submods) == [*(f"gpu{n}" for n in range(8)), *(f"switch{n}" for n in range(4)), "fabric"]


def test_a_single_gpu_has_no_fabric():
    assert fabric([hopper()])[1] == {}


@pytest.mark.parametrize(("gpus", "switches", "found"), [(7, 4, ["count.gpus"]), (8, 3, ["count.switches"])])
def test_the_count_is_a_demand(gpus, switches, found):
    assert against(hgx(), gpus=gpus, switches=switches) == found


def test_a_gpu_that_is_left_out_opens_the_circle():
    _, claims = fabric(hgx()[1:])
    assert claims["topology"].tier is Tier.CONTRAINDICATED
    assert f"NVSwitch {SWITCHES[0].hex()} is linked to {GPUS[0].hex()}, of which there is no evidence" in (
        claims["topology"].reason
    )


def test_a_switch_that_is_left_out_opens_the_circle():
    _, claims = fabric(hgx()[:-1])
    assert f"{SWITCHES[3].hex()}, of which there is no evidence" in claims["topology"].reason
    assert claims["topology"].tier is Tier.CONTRAINDICATED


def test_without_any_switch_trusted_links_are_refused():
    assert against(hgx()[:8]) == ["topology"]
    assert against([gpu(GPUS[0], SWITCHES)]) == ["topology"]


def test_switches_alone_close_nothing_and_open_nothing():
    _, claims = fabric(hgx()[8:])
    assert claims["topology"].tier is Tier.NONE


def test_a_gpu_that_is_not_linked_to_a_switch_opens_the_circle():
    worlds = [*hgx()[:7], gpu(GPUS[7], SWITCHES[:3]), *hgx()[8:]]
    assert against(worlds) == ["topology"]
    assert f"none of {SWITCHES[3].hex()}" in fabric(worlds)[1]["topology"].reason
    unlinked = [*hgx()[:7], gpu(GPUS[7], []), *hgx()[8:]]
    assert against(unlinked) == ["topology"]


def test_a_switch_of_another_system_opens_the_circle():
    foreign = switch(b"foreign!", tuple(GPUS))
    assert against([*hgx()[:11], foreign]) == ["topology"]
    astray = switch(SWITCHES[3], (*GPUS[:7], b"foreign!"))
    assert against([*hgx()[:11], astray]) == ["topology"]


def test_identifiers_of_switches_are_reversed_in_a_gpus_list():
    straight = gpu(GPUS[7], [pdi[::-1] for pdi in SWITCHES])
    assert against([*hgx()[:7], straight, *hgx()[8:]]) == ["topology"]


@pytest.mark.parametrize("number", [0, 8])
def test_a_device_twice_is_refused(number):
    worlds = hgx()
    assert "distinct" in against([*worlds, worlds[number]])


def test_devices_are_asked_with_one_nonce_also_when_none_is_expected():
    worlds = [*hgx()[:11], replace(hgx()[11], nonce=bytes(32))]
    assert against(hgx(), nonce=None) == []
    assert against(worlds, nonce=None) == ["one-nonce"]


def test_gpus_of_one_guest_are_in_one_mode():
    single = gpu(GPUS[7], SWITCHES, {21: b"\x55", 36: b"\0\0"})
    assert against([*hgx()[:7], single, *hgx()[8:]]) == ["one-mode"]


def test_gpus_with_encrypted_links_need_no_switches():
    worlds = [gpu(pdi, SWITCHES, {21: b"\x55", 36: b"\x01\0"}) for pdi in GPUS]
    assert against(worlds) == []
    assert "topology" not in fabric(worlds)[1]


def test_there_must_be_a_device():
    with pytest.raises(ValueError, match="no device"):
        appraise([], AppraisalPolicy(), nonce=NONCE)
