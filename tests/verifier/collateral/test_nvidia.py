"""NVIDIA's objects: only what holds under a pinned root, and is about its subject, is taken."""

from dataclasses import replace

import pytest

from tests.verifier.nvidia.fake_nvidia import (
    AT,
    DAY,
    DRIVER_ID,
    SWITCH_ID,
    VBIOS_ID,
    Chain,
    FakeOcsp,
    FakeRim,
    device_certificates,
    golden,
    hopper,
    key,
    rim_certificates,
    switch,
    trust,
)
from verifier.collateral import nvidia, pem
from verifier.collateral.needs import ocsp_subject
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate
from verifier.trust import TrustAnchor, TrustStore

TRUST = trust()
DEVICE, SIGNERS = device_certificates(), rim_certificates()
RIMS = hopper().rims


def refused(subject: str, content: bytes, store: TrustStore = TRUST) -> str:
    with pytest.raises(VerificationFailed) as failure:
        nvidia.inspect_rim(subject, content, store)
    return failure.value.check


@pytest.mark.parametrize(
    ("subject", "rim"),
    [(DRIVER_ID, RIMS[DRIVER_ID]), (VBIOS_ID, RIMS[VBIOS_ID]), (SWITCH_ID, switch().rims[SWITCH_ID])],
)
def test_a_genuine_rim_is_of_the_version_that_its_id_states(subject: str, rim: FakeRim) -> None:
    start, end = nvidia.inspect_rim(subject, rim.encode(), TRUST)
    assert (start, end) == (SIGNERS[0].not_before, None)
    other = replace(rim, version="1" + rim.version[1:]).encode()
    assert refused(subject, other) == "subject"


@pytest.mark.parametrize("subject", [f"{DRIVER_ID}_", f"X{DRIVER_ID}", "NV_GPU_OTHER_GH100_1", "NV_GPU_VBIOS_X_96", ""])
def test_an_id_of_no_family_names_no_rim(subject: str) -> None:
    assert refused(subject, RIMS[DRIVER_ID].encode()) == "subject"


def test_the_rim_of_a_switch_is_none_of_a_gpu() -> None:
    rim = FakeRim(version="96.00.74.00.1A", edition="SWITCH", golden=golden(0))
    assert refused(VBIOS_ID, rim.encode()).startswith("rim.")


DEVICE_KEYS = ("leaf", "brom", "provisioner", "identity", "device-root")
SIGNER_KEYS = ("rim-signer", "rim-l3", "rim-l2", "rim-root")


def subject_of(number: int, chain: Chain = DEVICE) -> str:
    member, issuer = (Certificate.parse(it.encode()) for it in chain[number : number + 2])
    return ocsp_subject(member, issuer)


def word(number: int, chain: Chain = DEVICE, signer: str | None = None) -> bytes:
    """The responder's word on a member of a chain, as an object."""
    keys = DEVICE_KEYS if chain is DEVICE else SIGNER_KEYS
    response = FakeOcsp(chain[number], chain[number + 1], signer or keys[number + 1])
    return packed(chain, pem.armour(pem.OCSP_RESPONSE, response.encode()))


def packed(chain: Chain, response: bytes) -> bytes:
    return pem.certificates(*(it.encode() for it in chain)) + response


def refused_word(subject: str, content: bytes, store: TrustStore = TRUST) -> str:
    with pytest.raises(VerificationFailed) as failure:
        nvidia.inspect_ocsp(subject, content, store)
    return failure.value.check


@pytest.mark.parametrize(("chain", "number"), [(DEVICE, 1), (DEVICE, 3), (SIGNERS, 0), (SIGNERS, 2)])
@pytest.mark.parametrize("scope", ["nvidia-gpu-rim", "nvidia-switch-rim"])
def test_a_genuine_response_says_how_long_it_holds(chain: Chain, number: int, scope: str) -> None:
    """Roots of RIMs are pinned for GPUs and for switches apart."""
    device, rims = TRUST.anchors
    store = TrustStore([device, TrustAnchor("fake", frozenset({scope}), rims.certificate)])
    found = nvidia.inspect_ocsp(subject_of(number, chain), word(number, chain), store)
    assert found == (AT - DAY / 2, AT + DAY / 2)


@pytest.mark.parametrize(
    ("subject", "content", "check"),
    [
        (subject_of(1), word(2), "subject"),
        (subject_of(2), word(1), "subject"),
        (subject_of(1, SIGNERS), word(1), "subject"),
        ("", word(1), "subject"),
        (subject_of(1), word(1, signer="other"), "ocsp.signature"),
    ],
    ids=["of-another", "about-another", "of-a-signer", "of-none", "by-another"],
)
def test_a_response_about_another_certificate_or_by_another_responder(subject: str, content: bytes, check: str) -> None:
    assert refused_word(subject, content) == check


@pytest.mark.parametrize("chain", [DEVICE, SIGNERS])
def test_a_response_beside_a_chain_that_is_none(chain: Chain) -> None:
    assert refused_word(subject_of(1, chain), word(1, chain), TrustStore([])) == "chain.root"
    forged = (chain[0], replace(chain[1], signer=key("other")), *chain[2:])
    content = packed(forged, word(1, chain)[len(packed(chain, b"")) :])
    assert refused_word(subject_of(1, chain), content).endswith(".signature")


@pytest.mark.parametrize(
    "content",
    [b"", packed(SIGNERS[1:], word(1)[len(packed(DEVICE, b"")) :]), packed(DEVICE, b""), word(1) + b"x"],
)
def test_what_consists_of_other_parts(content: bytes) -> None:
    with pytest.raises(MalformedEvidence, match="the chain of a device or of a RIM's signer, and an OCSP response"):
        nvidia.inspect_ocsp(subject_of(1), content, TRUST)
