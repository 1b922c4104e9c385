"""Intel TDX in a region, end to end over HTTP: a TD gets its key, and whoever should not is refused with the reason."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox.guest.device import TdxGuestDevice
from sandbox.guest.kbs import KbsClient, RefusedError, RuntimeData
from sandbox.guest.keys import TeeKey
from sandbox.hardware import OLD_PLATFORM_TCB, Measured, Platform, SandboxPki, TdxModule
from sandbox.hardware.platform import FMSPC
from sandbox.region import Region, images
from sandbox.region.launch import launch
from sandbox.region.publisher import weights
from tests.sandbox.region.scenario import KEK, NAME, Scenario, guest, key_for, verifier
from verifier import tdx
from verifier.log import verify_receipt
from verifier.trust import TrustStore

IMAGE = images.gallery()["inference-guest-1.0.0.tdx"]
EITHER = key_for(tee=["snp", "tdx"])
ONLY_TDX = key_for(tee=["tdx"])


def only(outcomes):
    (outcome,) = outcomes
    return outcome


def trust_domain(name="embedding", **changes):
    return guest(name, size="Standard_DC4es_v6", tee="tdx", **changes)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory, hardware_dir) -> Scenario:
    return Scenario(tmp_path_factory.mktemp("tdx") / "region" / "test", hardware_dir, patience=10)


@pytest.fixture(scope="module")
def region(scenario) -> Iterator[Region]:
    """A region whose key may go to either kind of hardware, with a guest of each; tests only look at it."""
    region = scenario.open()
    region.create_key("vault", KEK, {})
    region.boot(verifier(**EITHER))
    region.boot(trust_domain())
    region.boot(guest())
    region.settle(30)
    yield region
    region.close()


@pytest.fixture(scope="module")
def outcome(region):
    return next(outcome for outcome in region.outcomes() if outcome.machine == "embedding")


def test_a_td_is_attested_and_opens_its_model(outcome):
    assert (outcome.status, outcome.reason) == ("attested", None)
    assert outcome.measurement == IMAGE.measurement().hex()
    assert outcome.artefact.sha256 == hashlib.sha256(weights("llm")).hexdigest()
    assert [step.name for step in outcome.steps] == ["challenge", "report", "attest", "key", "fetch", "decrypt"]
    assert set(outcome.certificates) == {"pck", "platform_ca", "root"}


def test_one_key_opens_for_both_kinds_of_hardware(region, outcome):
    assert {outcome.machine: outcome.status for outcome in region.outcomes()} == {
        "embedding": "attested",
        "inference": "attested",
    }


def test_the_recorded_quote_is_genuine_and_names_what_was_booted(scenario, outcome, region):
    quote = tdx.parse(base64.b64decode(outcome.report))
    store = tdx.CollateralStore(scenario.data_dir / "collateral")
    trust = TrustStore.production().with_sandbox(region.hardware_root())
    verified = tdx.verify(quote, store.find(quote), trust, datetime.now(UTC))
    assert verified.tcb.status is tdx.TcbStatus.UP_TO_DATE
    assert (quote.report.rtmr1, quote.report.rtmr2) == (IMAGE.registers().rtmr1, IMAGE.registers().rtmr2)
    assert quote.report.rtmr0 not in (bytes(48), quote.report.rtmr1)
    assert quote.report.mr_config_id == hashlib.sha384(trust_domain().custom_data).digest()


def test_the_claims_affirm_the_td_under_the_sandbox_root(outcome):
    cpu = outcome.claims["submods"]["cpu"]
    claims = cpu["ear.veraison.policy-claims"]
    assert (outcome.claims["tee"], cpu["ear.status"]) == ("tdx", "affirming")
    assert claims["tcb.status"]["value"] == "UpToDate"
    assert claims["measurement"]["reference"] == "inference-guest-1.0.0"
    assert claims["chain"]["reference"].startswith("sandbox root")
    assert "NOT INTEL" in claims["chain"]["value"]


def test_receipts_name_the_tee_and_the_collateral(region, outcome):
    for receipt in outcome.receipts:
        verify_receipt(receipt, region.custody.log.public_key)
        entry = receipt["entry"]
        assert (entry["decision"], entry["tee"], entry["root"]) == ("allow", "tdx", "sandbox")
        kept = json.loads(region.custody.log.archive.get("collateral", entry["collateral_digest"]))
        assert b'"id":"TDX"' in base64.b64decode(kept["tcb_info"])


@pytest.fixture(scope="module")
def pki(hardware_dir) -> SandboxPki:
    return SandboxPki(hardware_dir)


def device(pki, *, image=IMAGE, platform=None, extra=(), **options) -> TdxGuestDevice:
    module = TdxModule(pki.intel, platform or Platform("host-1"))
    return TdxGuestDevice(module, module.launch(image.measurement(), (*image.events(), *extra), **options))


class Session:
    """A TD's conversation with the broker, step by step, so that a test can cheat in between."""

    def __init__(self, region: Region) -> None:
        self.http = region.client(trust_domain())
        self.kbs = KbsClient(self.http, f"http://{NAME}:8443")
        self.key = TeeKey()
        self.runtime_data = RuntimeData(self.kbs.auth("tdx"), self.key.public_jwk)

    def evidence(self, device) -> dict:
        return device.evidence(device.report(self.runtime_data.report_data()), self.key.public_der)

    def refused(self, evidence) -> RefusedError:
        with pytest.raises(RefusedError) as refusal:
            self.kbs.attest(self.runtime_data, evidence)
        return refusal.value


@pytest.fixture
def session(region) -> Iterator[Session]:
    session = Session(region)
    yield session
    session.http.close()


def assert_refused(region: Region, refusal: RefusedError, reason: str) -> None:
    assert reason in refusal.reason
    verify_receipt(refusal.receipt, region.custody.log.public_key)
    entry = refusal.receipt["entry"]
    assert (entry["decision"], entry["tee"]) == ("deny", "tdx")
    assert reason in str(entry)


def changed(index: int):
    """The image with something else in place of its component `index`."""
    parts = list(IMAGE.components)
    parts[index] = parts[index].model_copy(update={"content": "with-a-backdoor"})
    return IMAGE.model_copy(update={"components": tuple(parts)})


@pytest.mark.parametrize(
    ("launched", "reason"),
    [
        ({"image": changed(0)}, "no reference value has this MRTD"),
        ({"image": changed(1)}, "RTMR1 are not as the build signed them"),
        ({"image": changed(-1)}, "RTMR2 are not as the build signed them"),
        ({"image": images.gallery()["inference-guest-1.1.0.tdx"]}, "the policy accepts inference-guest-1.0.0"),
        ({"extra": [Measured(2, 0x0D, b"application\0loaded later")]}, "RTMR2 are not as the build signed them"),
        ({"attributes": 1 << 28 | 1}, "TDATTRIBUTES has bits of the debug group set"),
        ({"attributes": 0}, "SEPT_VE_DISABLE is clear"),
        ({"attributes": 1 << 28 | 1 << 29}, "MIGRATABLE is set"),
        ({"platform": Platform("old", OLD_PLATFORM_TCB)}, "OutOfDate"),
    ],
    ids=[
        "other firmware",
        "other kernel",
        "other application",
        "unreleased version",
        "loaded later",
        "debug TD",
        "no SEPT_VE_DISABLE",
        "migratable TD",
        "out-of-date TCB",
    ],
)
def test_a_td_that_is_not_what_the_policy_asks(region, session, pki, launched, reason):
    assert_refused(region, session.refused(session.evidence(device(pki, **launched))), reason)


def test_a_replayed_nonce(region, session, pki):
    cookies, genuine = httpx.Cookies(session.http.cookies), session.evidence(device(pki))
    session.kbs.attest(session.runtime_data, genuine)
    session.http.cookies = cookies
    assert_refused(region, session.refused(genuine), "nonce.replayed")


def test_a_quote_of_another_session(region, session, pki):
    other = RuntimeData(session.runtime_data.nonce, TeeKey().public_jwk)
    launched = device(pki)
    evidence = launched.evidence(launched.report(other.report_data()), session.key.public_der)
    assert_refused(region, session.refused(evidence), "report-data")


def test_an_event_log_of_another_boot(region, session, pki):
    evidence = session.evidence(device(pki)) | {
        "cc_eventlog": session.evidence(device(pki, image=changed(1)))["cc_eventlog"]
    }
    assert_refused(region, session.refused(evidence), "event-log")


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ({}, "quote is not base64"),
        ({"quote": "AAAA"}, "malformed"),
        ({"quote": "AAAA", "cc_eventlog": "AAAA"}, "cc_eventlog: malformed"),
        ({"attestation_report": "AAAA", "cert_chain": []}, "quote is not base64"),
    ],
)
def test_evidence_that_is_none(region, session, evidence, reason):
    assert_refused(region, session.refused(evidence), reason)


def test_a_td_without_an_event_log_is_served(session, pki):
    evidence = session.evidence(device(pki))
    del evidence["cc_eventlog"]
    assert session.kbs.attest(session.runtime_data, evidence).body["token"]


def test_a_changed_quote(region, session, pki):
    evidence = session.evidence(device(pki))
    quote = bytearray(base64.b64decode(evidence["quote"]))
    quote[48 + 136] ^= 1
    evidence["quote"] = base64.b64encode(quote).decode()
    assert_refused(region, session.refused(evidence), "quote.signature")


def test_the_hardware_of_another_project(region, session, tmp_path):
    assert_refused(region, session.refused(session.evidence(device(SandboxPki(tmp_path)))), "chain.root")


def settled(scenario, region_machines, **configuration):
    """What becomes of machines in a region of their own, whose verifier is configured so."""
    region = scenario.open()
    try:
        region.create_key("vault", KEK, {})
        region.boot(verifier(**configuration))
        for machine in region_machines:
            region.boot(machine)
        return region.settle(30)
    finally:
        region.close()


@pytest.fixture
def empty(tmp_path, hardware_dir) -> Scenario:
    return Scenario(tmp_path / "region" / "test", hardware_dir, patience=10)


@pytest.mark.parametrize(
    ("machine", "configuration", "reason"),
    [
        (trust_domain(), {}, "tee: tdx, the policy accepts snp"),
        (guest(), ONLY_TDX, "tee: snp, the policy accepts tdx"),
        (trust_domain(), EITHER | {"trust_anchors": ["amd", "intel"]}, "collateral.missing"),
        (trust_domain(), EITHER | {"reference_values": []}, "none that a build key signed for image"),
    ],
    ids=["not for TDX", "not for SNP", "sandbox not named", "no reference values"],
)
def test_a_key_whose_policy_does_not_admit_the_machine(empty, machine, configuration, reason):
    outcome = only(settled(empty, [machine], **configuration))
    assert (outcome.status, outcome.artefact) == ("refused", None)
    assert reason in outcome.reason
    assert outcome.receipt["entry"]["decision"] == "deny"


def test_collateral_that_is_not_there_or_expired(empty, pki):
    folder = empty.data_dir / "collateral" / FMSPC.hex()
    region = empty.open()
    try:
        region.create_key("vault", KEK, {})
        region.boot(verifier(**ONLY_TDX))
        (folder / "pck_crl.der").rename(folder / "elsewhere")
        region.boot(trust_domain())
        assert "pck_crl.der" in only(region.settle(30)).reason
        (folder / "elsewhere").rename(folder / "pck_crl.der")
        quote = launch(trust_domain(), pki).report(bytes(64))
        later = datetime.now(UTC) + timedelta(days=31)
        found = tdx.CollateralStore(folder.parent).find(tdx.parse(quote))
        trust = TrustStore.production().with_sandbox(pki.roots)
        with pytest.raises(tdx.verification.VerificationFailed, match=r"validity"):
            tdx.verify(tdx.parse(quote), found, trust, later)
        assert only(region.settle(30)).status == "attested"
    finally:
        region.close()


def test_an_image_that_was_not_built_for_the_machines_hardware(empty):
    booted = replace(trust_domain("strange"), image_reference=verifier().image_reference)
    outcome = only(settled(empty, [booted], **EITHER))
    assert outcome.status == "failed"
    assert outcome.reason == "image verifier-1.0.0 needs snp, and size Standard_DC4es_v6 has tdx"


def test_erasing_leaves_no_collateral(empty):
    region = empty.open()
    region.create_key("vault", KEK, {})
    region.boot(verifier(**EITHER))
    assert (empty.data_dir / "collateral").is_dir()
    region.erase()
    assert [path for path in empty.data_dir.rglob("*") if path.is_file()] == []
