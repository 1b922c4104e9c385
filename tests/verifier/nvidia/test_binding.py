"""The evidence of devices and of the CPU TEE that uses them are bound to each other, in both directions."""

import hashlib
from itertools import combinations

from tests.verifier.nvidia.fake_nvidia import hopper, switch
from verifier.nvidia import DeviceEvidence, device_nonce, evidence_digest, parse, report_data

VERIFIER_NONCE, CHANNEL_KEY = bytes(range(32)), b"public key of the guest"


def device(world) -> DeviceEvidence:
    return DeviceEvidence(world.report(), parse(world.report()), world.chain())


ONE, OTHER = device(hopper()), device(switch())


def test_the_nonce_of_devices_depends_on_the_verifier_and_on_the_guest():
    known = device_nonce(VERIFIER_NONCE, CHANNEL_KEY)
    assert len(known) == 32
    others = [
        device_nonce(bytes(32), CHANNEL_KEY),
        device_nonce(VERIFIER_NONCE, b"another guest's"),
        device_nonce(VERIFIER_NONCE + CHANNEL_KEY[:1], CHANNEL_KEY[1:]),
        device_nonce(VERIFIER_NONCE + CHANNEL_KEY, b""),
        hashlib.sha256(VERIFIER_NONCE + CHANNEL_KEY).digest(),
    ]
    assert len({known, *others}) == 6


def test_removing_replacing_or_reordering_devices_changes_what_the_cpu_signs():
    moved = DeviceEvidence(ONE.encoded + ONE.chain[:1], ONE.report, ONE.chain[1:])
    lists = [[], [ONE], [OTHER], [ONE, OTHER], [OTHER, ONE], [ONE, ONE], [moved]]
    for one, other in combinations(lists, 2):
        assert evidence_digest(one) != evidence_digest(other)
    values = {report_data(VERIFIER_NONCE, CHANNEL_KEY, evidence_digest(it)) for it in lists}
    assert len(values) == len(lists)
    assert {len(value) for value in values} == {64}


def test_report_data_depends_on_each_part():
    devices = evidence_digest([ONE])
    known = report_data(VERIFIER_NONCE, CHANNEL_KEY, devices)
    assert report_data(bytes(32), CHANNEL_KEY, devices) != known
    assert report_data(VERIFIER_NONCE, b"another", devices) != known
    assert report_data(VERIFIER_NONCE + CHANNEL_KEY[:1], CHANNEL_KEY[1:], devices) != known


def test_the_values_are_those_that_guests_compute():
    """Written out once more, as a guest in another language must: domain and parts, each after its length."""

    def framed(*parts: bytes) -> bytes:
        return b"".join(len(part).to_bytes(8, "big") + part for part in parts)

    nonce = hashlib.sha256(framed(b"bailiwick/device-nonce/v1", VERIFIER_NONCE, CHANNEL_KEY)).digest()
    assert device_nonce(VERIFIER_NONCE, CHANNEL_KEY) == nonce
    digest = hashlib.sha384(framed(b"bailiwick/device-evidence/v1", ONE.encoded, ONE.chain)).digest()
    assert evidence_digest([ONE]) == digest
    data = hashlib.sha512(framed(b"bailiwick/report-data/v1", VERIFIER_NONCE, CHANNEL_KEY, digest)).digest()
    assert report_data(VERIFIER_NONCE, CHANNEL_KEY, digest) == data
