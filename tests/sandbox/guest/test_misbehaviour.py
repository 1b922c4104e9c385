"""Guests that do not deserve the key do not get it: over HTTP, with the reason and a receipt of the refusal."""

import base64
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from sandbox.guest.device import SevGuestDevice, snp_evidence
from sandbox.guest.kbs import KbsClient, RefusedError, RuntimeData
from sandbox.guest.keys import TeeKey, UnwrapError
from sandbox.hardware import Chip, SandboxPki, SnpFirmware, Tcb
from sandbox.region import Region, images
from tests.sandbox.region.scenario import KEK, NAME, RESOURCE, Scenario, guest, key_for, verifier
from verifier.log import verify_receipt

IMAGE = images.gallery()["inference-guest-1.0.0"]
BROKER = f"http://{NAME}:8443"


@pytest.fixture(scope="module")
def broker(attested) -> Region:
    """A region with a running broker and a published model."""
    return attested[1]


@pytest.fixture(scope="module")
def pki(hardware_dir) -> SandboxPki:
    return SandboxPki(hardware_dir)


def device(pki, *, image=IMAGE, chip=None, vmpl=0, **policy) -> SevGuestDevice:
    firmware = SnpFirmware(pki, chip or Chip("host-1"))
    launched = firmware.launch(image.measurement(), replace(image.guest_policy, **policy), vmpl=vmpl)
    return SevGuestDevice(firmware, launched)


class Session:
    """One guest's conversation with the broker, step by step, so that a test can cheat in between."""

    def __init__(self, region: Region) -> None:
        self.http = region.client(guest())
        self.kbs = KbsClient(self.http, BROKER)
        self.key = TeeKey()
        self.nonce = self.kbs.auth("snp")

    @property
    def runtime_data(self) -> RuntimeData:
        return RuntimeData(self.nonce, self.key.public_jwk)

    def evidence(self, device: SevGuestDevice, runtime_data: RuntimeData | None = None) -> dict:
        report = device.report((runtime_data or self.runtime_data).report_data())
        return device.evidence(report, self.key.public_der)

    def attest(self, primary_evidence: dict, runtime_data: RuntimeData | None = None) -> str:
        return self.kbs.attest(runtime_data or self.runtime_data, primary_evidence).body["token"]


@pytest.fixture
def open_session(broker) -> Iterator:
    sessions = []

    def start() -> Session:
        sessions.append(Session(broker))
        return sessions[-1]

    yield start
    for session in sessions:
        session.http.close()


def assert_refused(region: Region, refusal: RefusedError, reason: str) -> None:
    """The refusal says why, and the log proves that it happened."""
    assert reason in refusal.reason
    assert refusal.receipt is not None
    verify_receipt(refusal.receipt, region.custody.log.public_key)
    assert refusal.receipt["entry"]["decision"] == "deny"
    assert reason in str(refusal.receipt["entry"])


def attempt(region: Region, session: Session, primary_evidence: dict, runtime_data=None) -> RefusedError:
    """Go on to the resource, because a broker may refuse at either step."""
    with pytest.raises(RefusedError) as refusal:
        session.kbs.resource(RESOURCE, session.attest(primary_evidence, runtime_data))
    return refusal.value


def test_the_honest_guest_gets_the_key(broker, open_session, pki):
    session = open_session()
    token = session.attest(session.evidence(device(pki)))
    dek = session.key.unwrap(session.kbs.resource(RESOURCE, token).body)
    assert dek == broker.custody.keystore.unwrap(KEK, broker.custody.wrapped.get(RESOURCE).blob)


@pytest.mark.parametrize(
    ("launched", "reason"),
    [
        ({"debug": True}, "debug"),
        ({"migrate_ma": True}, "migrat"),
        ({"vmpl": 2}, "vmpl"),
        ({"image": images.gallery()["verifier-1.0.0"]}, "measurement"),
        ({"image": images.gallery()["inference-guest-1.1.0"]}, "measurement"),
        ({"chip": Chip("old", Tcb(bootloader=4, tee=0, snp=21, microcode=219))}, "snp"),
    ],
    ids=["debug guest", "migratable guest", "VMPL 2", "another image", "unreleased version", "old firmware"],
)
def test_a_guest_that_is_not_what_the_policy_asks(broker, open_session, pki, launched, reason):
    session = open_session()
    assert_refused(broker, attempt(broker, session, session.evidence(device(pki, **launched))), reason)


def test_a_tampered_image(broker, open_session, pki):
    changed = IMAGE.components[1].model_copy(update={"content": "linux-with-a-backdoor 6.12.57"})
    tampered = IMAGE.model_copy(update={"components": (IMAGE.components[0], changed, *IMAGE.components[2:])})
    session = open_session()
    refusal = attempt(broker, session, session.evidence(device(pki, image=tampered)))
    assert_refused(broker, refusal, "no reference value")
    assert refusal.receipt["entry"]["measurement"] == tampered.measurement().hex()


def test_a_replayed_nonce(broker, open_session, pki):
    session = open_session()
    cookies, genuine = httpx.Cookies(session.http.cookies), session.evidence(device(pki))
    session.attest(genuine)
    session.http.cookies = cookies
    assert_refused(broker, attempt(broker, session, genuine), "nonce.replayed")


def test_an_answer_without_a_challenge(broker, open_session, pki):
    session = open_session()
    session.http.cookies.clear()
    assert_refused(broker, attempt(broker, session, session.evidence(device(pki))), "session.missing")


def test_a_nonce_of_the_guests_own(broker, open_session, pki):
    session = open_session()
    own = replace(session.runtime_data, nonce=base64.b64encode(bytes(32)).decode())
    assert_refused(broker, attempt(broker, session, session.evidence(device(pki), own), own), "nonce")


def test_a_report_relayed_from_another_guest(broker, open_session, pki):
    victim, thief = open_session(), open_session()
    relayed = victim.evidence(device(pki))
    assert_refused(broker, attempt(broker, thief, relayed), "REPORT_DATA")


def test_a_key_exchanged_under_a_genuine_report(broker, open_session, pki):
    session = open_session()
    genuine = session.evidence(device(pki))
    swapped = replace(session.runtime_data, tee_pubkey=TeeKey().public_jwk)
    assert_refused(broker, attempt(broker, session, genuine, swapped), "REPORT_DATA")


def test_a_stolen_token_gives_a_key_that_only_its_owner_can_unwrap(broker, open_session, pki):
    owner, thief = open_session(), open_session()
    token = owner.attest(owner.evidence(device(pki)))
    with pytest.raises(UnwrapError, match="not wrapped to this guest"):
        thief.key.unwrap(thief.kbs.resource(RESOURCE, token).body)


def test_a_report_with_another_chips_certificate(broker, open_session, pki):
    session = open_session()
    report = device(pki).report(session.runtime_data.report_data())
    other = device(pki, chip=Chip("host-2")).firmware.certificates
    assert_refused(broker, attempt(broker, session, snp_evidence(report, other)), "chip-id")


def test_hardware_of_another_project(broker, open_session, tmp_path):
    session = open_session()
    foreign = device(SandboxPki(tmp_path))
    assert_refused(broker, attempt(broker, session, session.evidence(foreign)), "chain")


def test_a_forged_token(broker, open_session, pki):
    session = open_session()
    token = session.attest(session.evidence(device(pki)))
    head, payload, signature = token.split(".")
    with pytest.raises(RefusedError) as refusal:
        session.kbs.resource(RESOURCE, f"{head}.{payload}.{signature[:-4]}AAAA")
    assert_refused(broker, refusal.value, "token")


def test_a_key_that_no_policy_releases(broker, open_session, pki):
    session = open_session()
    token = session.attest(session.evidence(device(pki)))
    with pytest.raises(RefusedError) as refusal:
        session.kbs.resource("default/model-key/other", token)
    assert_refused(broker, refusal.value, "default/model-key/other")


def test_a_stale_token(tmp_path, hardware_dir, pki):
    scenario = Scenario(tmp_path / "region" / "test", hardware_dir)
    region = scenario.open()
    try:
        region.create_key("vault", KEK, {})
        region.boot(verifier(**key_for(max_token_seconds=1)))
        session = Session(region)
        token = session.attest(session.evidence(device(pki)))
        time.sleep(2.1)
        with pytest.raises(RefusedError) as refusal:
            session.kbs.resource(RESOURCE, token)
        session.http.close()
        assert_refused(region, refusal.value, "expired")
    finally:
        region.close()


def test_sandbox_hardware_where_no_sandbox_is_trusted(tmp_path, hardware_dir):
    scenario = Scenario(tmp_path / "region" / "test", hardware_dir)
    region = scenario.open()
    try:
        region.create_key("vault", KEK, {})
        region.boot(verifier(trust_anchors=["amd"]))
        region.boot(guest())
        (outcome,) = region.settle(30)
    finally:
        region.close()
    assert outcome.status == "refused"
    assert "chain" in outcome.reason
    assert outcome.receipt["entry"]["decision"] == "deny"
    assert outcome.artefact is None
