"""Guests of EC2: the processor measures AWS's firmware, NitroTPM the image, and the guest's word binds the two."""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from components.reference_values import load
from components.release import Authority, ReleasePolicy, Tee
from components.release.aws import Caller, NitroMeasurements, compile_policy
from sandbox.clouds.hardware import Machine
from sandbox.guest.device import NitroTpmDevice
from sandbox.hardware import EC2_FIRMWARE_MEASUREMENT, Measured, SandboxPki
from sandbox.region import GuestOutcome, guests, images, launch
from tests.sandbox.region.scenario import Scenario, guest, verifier

INSTANCE, OTHER = "i-0123456789abcdef0", "i-0fedcba9876543210"


def on_ec2(image: str = "inference-guest-1.0.0", **changes: Any) -> Machine:
    """A machine of EC2 on a shared host."""
    place = {"location": "eu-west-1", "cloud_key": "CN=cc-eu-west-1.amazonaws.com"}
    return guest(image=image, **{**place, "instance_id": INSTANCE, **changes})


def outcome_of(scenario: Scenario, machine: Machine, **policy: Any) -> GuestOutcome:
    return scenario.outcome_of(machine, **{"tee": ["aws-snp-nitrotpm"], **policy})


def reason_of(scenario: Scenario, machine: Machine, **policy: Any) -> str:
    """Why a guest is refused, which it must be."""
    outcome = outcome_of(scenario, machine, **policy)
    assert (outcome.status, outcome.artefact) == ("refused", None)
    return outcome.reason or ""


@pytest.fixture
def rigged(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[NitroTpmDevice]], None]:
    """Let guests have a device of another kind, which does what a genuine one does not."""

    def rig(kind: type[NitroTpmDevice]) -> None:
        def start(machine: Machine, pki: SandboxPki) -> NitroTpmDevice:
            device = launch.launch(machine, pki)
            assert isinstance(device, NitroTpmDevice)
            return kind(device.firmware, device.guest, device.tpm)

        monkeypatch.setattr(guests, "launch", start)

    return rig


def test_both_vouch_for_a_guest_each_for_what_it_measures(scenario: Scenario) -> None:
    outcome = outcome_of(scenario, on_ec2())
    assert outcome.status == "attested", outcome.reason
    assert outcome.measurement == EC2_FIRMWARE_MEASUREMENT.hex()
    assert outcome.claims is not None
    cpu, nitro = (outcome.claims["submods"][name] for name in ("cpu", "nitro"))
    assert (cpu["ear.status"], nitro["ear.status"]) == ("affirming", "affirming")
    assert cpu["ear.veraison.policy-claims"]["measurement"]["reference"] == "ec2-uefi-1.0.0"
    claims = nitro["ear.veraison.policy-claims"]
    assert claims["pcrs"]["reference"] == "inference-guest-1.0.0"
    assert claims["instance-id"]["value"] == INSTANCE
    assert claims["report"]["tier"] == "affirming"
    stated = nitro["ear.veraison.annotated-evidence"]
    assert stated["user_data"] == claims["report"]["value"]
    assert stated["public_key"]
    assert (claims["platform"]["tier"], claims["platform"]["value"]) == ("none", "AWS Nitro System")


def test_another_version_of_the_image_is_another_image(scenario: Scenario) -> None:
    outcome = outcome_of(scenario, on_ec2("inference-guest-1.1.0"))
    assert "pcrs: the image is inference-guest-1.1.0, the policy accepts inference-guest-1.0.0" in (
        outcome.reason or ""
    )
    assert outcome.measurement == EC2_FIRMWARE_MEASUREMENT.hex()  # the processor cannot tell the two apart


@pytest.mark.parametrize(
    ("register", "changes", "event"),
    [
        (4, {}, Measured(4, 0x80000003, b"another boot loader")),
        (7, {"secure_boot": False}, None),
        (12, {}, Measured(12, 0x0000000D, b"init=/bin/sh")),
    ],
)
def test_a_changed_boot(
    scenario: Scenario,
    monkeypatch: pytest.MonkeyPatch,
    register: int,
    changes: dict[str, Any],
    event: Measured | None,
) -> None:
    genuine = images.Image.attestable_events
    monkeypatch.setattr(images.Image, "attestable_events", lambda image: [*genuine(image), *([event] if event else [])])
    reason = reason_of(scenario, on_ec2(**changes))
    assert f"of inference-guest-1.0.0's, PCR {register} are not as the build signed" in reason


def test_an_image_without_a_tpm_shows_no_boot(scenario: Scenario) -> None:
    assert "tee: snp, the policy accepts aws-snp-nitrotpm" in reason_of(scenario, on_ec2(vtpm=False))
    alone = reason_of(scenario, on_ec2(vtpm=False), tee=["snp"])
    assert "measurement: no reference value for this product has this measurement" in alone


def test_a_document_of_an_earlier_session(scenario: Scenario, rigged: Callable[[type], None]) -> None:
    class Stale(NitroTpmDevice):
        def evidence(self, report: bytes, public_key: bytes) -> dict[str, Any]:
            named = hashlib.sha384(report).digest()
            document = self.tpm.document(nonce=bytes(48), user_data=named, public_key=public_key)
            return super().evidence(report, public_key) | {"nitro_document": base64.b64encode(document).decode()}

    rigged(Stale)
    reason = reason_of(scenario, on_ec2())
    assert (
        "the Nitro document's nonce is not the hash of this nonce and key: the evidence is of another session" in reason
    )


def test_a_report_of_an_earlier_session(scenario: Scenario, rigged: Callable[[type], None]) -> None:
    class Stale(NitroTpmDevice):
        def report(self, report_data: bytes) -> bytes:
            return super().report(bytes(64))

    rigged(Stale)
    assert "REPORT_DATA is not the hash of this nonce and key" in reason_of(scenario, on_ec2())


def test_a_document_of_another_guest(scenario: Scenario, rigged: Callable[[type], None]) -> None:
    """Its own report is what that names, though it was asked with this guest's nonce and key."""

    class Borrowed(NitroTpmDevice):
        def evidence(self, report: bytes, public_key: bytes) -> dict[str, Any]:
            other = NitroTpmDevice(
                self.firmware,
                self.firmware.launch(EC2_FIRMWARE_MEASUREMENT, self.guest.policy),
                dataclasses.replace(self.tpm, instance_id=OTHER),
            )
            lent = other.evidence(other.report(report[0x50:0x90]), public_key)
            return super().evidence(report, public_key) | {"nitro_document": lent["nitro_document"]}

    rigged(Borrowed)
    reason = reason_of(scenario, on_ec2())
    assert "user_data of the document is not the hash of this report" in reason


def test_a_document_for_another_guest_s_key(scenario: Scenario, rigged: Callable[[type], None]) -> None:
    class Lent(NitroTpmDevice):
        def evidence(self, report: bytes, public_key: bytes) -> dict[str, Any]:
            return super().evidence(report, public_key[:-1] + bytes([public_key[-1] ^ 1]))

    rigged(Lent)
    assert "public_key is not the guest's: the evidence is of another guest" in reason_of(scenario, on_ec2())


def test_an_instance_may_be_demanded(scenario: Scenario) -> None:
    reason = reason_of(scenario, on_ec2(), nitro={"instances": [OTHER]})
    assert "instance-id: the instance is not on the policy's list" in reason


def test_what_kms_would_ask_of_the_verifier_is_what_its_document_shows(scenario: Scenario) -> None:
    """Conditions of a key policy from the build's values, and the registers of a verifier that was started."""
    values = load(images.REFERENCE_VALUES, name="verifier", version="1.0.0", tpm="nitrotpm")
    stated = json.loads(base64.b64decode(values.envelope["payload"]))["predicate"]["nitrotpm"]["pcrs"]
    measurements = NitroMeasurements(nitro_tpm_pcrs={int(register): one for register, (one,) in stated.items()})
    policy = ReleasePolicy(
        jurisdiction="EU",
        data_class="confidential",
        tees=(Tee.SNP,),
        launch_measurements=values.launch_measurements,
        minimum_tcb=values.minimum_tcb,
        authorities=(Authority(uri="http://verifier.example:8443", jurisdiction="IE"),),
        vtpm=True,
    )
    caller = Caller("arn:aws:iam::000000000000:role/verifier", "vpc-1", measurements)
    allow, _ = compile_policy(policy, caller).document["Statement"]
    device = launch.launch(dataclasses.replace(verifier(), instance_id=INSTANCE), SandboxPki(scenario.hardware_dir))
    assert isinstance(device, NitroTpmDevice)
    shown = {f"kms:RecipientAttestation:NitroTPMPCR{index}": pcr.hex() for index, pcr in device.tpm.pcrs.items()}
    asked = allow["Condition"]["StringEqualsIgnoreCase"]
    assert asked == {key: shown[key] for key in asked}
    assert {key.removeprefix("kms:RecipientAttestation:NitroTPM") for key in asked} == {"PCR4", "PCR7", "PCR12"}
