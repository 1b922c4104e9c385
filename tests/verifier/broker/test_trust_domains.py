"""TDX guests of the broker: judged with the verifier's own collateral, at attestation and again at release."""

import base64
import shutil
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hardware import OLD_PLATFORM_TCB, Measured, Platform, SandboxPki
from sandbox.hardware.platform import FMSPC
from tests.verifier.emulated_site import DEK, RESOURCE, Client, Guest, Refused, Site
from tests.verifier.emulated_td import APPLICATION, KERNEL, MR_TD, TdGuest, admit_trust_domains
from verifier import canonical, jwk
from verifier.broker import create_app
from verifier.tdx import Collateral
from verifier.trust import TrustStore

PATH = f"/kbs/v0/resource/{RESOURCE}"
FOLDER = FMSPC.hex()


@pytest.fixture
def td(site: Site, pki: SandboxPki) -> TdGuest:
    admit_trust_domains(site)
    return TdGuest(pki, ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def client(site: Site, td: TdGuest) -> Client:
    return site.replica()


def claims(token: str) -> dict[str, Any]:
    return canonical.parse_object(jwk.decode(token.split(".")[1]))


def test_a_td_gets_the_key_and_its_token_says_what_it_is(client: Client, td: TdGuest) -> None:
    token = td.token(client)
    assert td.open(client.get(PATH).json()) == DEK
    assert claims(token)["tee"] == "tdx"
    evidence = claims(token)["submods"]["cpu"]["ear.veraison.annotated-evidence"]
    assert (evidence["mr_td"], evidence["tcb_status"], evidence["fmspc"]) == (MR_TD.hex(), "UpToDate", FOLDER)


def test_one_policy_serves_both_kinds_of_hardware(site: Site, client: Client, td: TdGuest, guest: Guest) -> None:
    td.token(client)
    guest.token(site.replica())
    first, second = site.entries()
    assert [entry["tee"] for entry in (first, second)] == ["tdx", "snp"]
    assert (first["measurement"], first["root"]) == (MR_TD.hex(), "sandbox")
    assert second["collateral_digest"] is None


def test_what_a_quote_was_judged_with_is_archived_once(site: Site, client: Client, td: TdGuest) -> None:
    td.token(client)
    assert client.get(PATH).status_code == 200
    (digest,) = {entry["collateral_digest"] for entry in site.entries()}
    assert site.log.archive.digests("collateral") == [digest]
    archived = Collateral.from_members(canonical.parse_object(site.log.archive.get("collateral", digest)))
    assert archived == Collateral.from_directory(site.collateral / FOLDER)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"booted": (Measured(1, 0x0D, b"other kernel"), APPLICATION)}, "RTMR1 are not as the build signed them"),
        ({"booted": (KERNEL, APPLICATION, APPLICATION)}, "RTMR2 are not as the build signed them"),
        ({"attributes": 1 << 28 | 1}, "TDATTRIBUTES has bits of the debug group set"),
        ({"attributes": 1 << 28 | 1 << 29}, "MIGRATABLE is set"),
        ({"platform": Platform("old", OLD_PLATFORM_TCB)}, "tcb.status: the policy accepts UpToDate"),
    ],
)
def test_a_td_that_the_policy_does_not_admit(
    client: Client, td: TdGuest, refused: Refused, change: dict[str, Any], reason: str
) -> None:
    entry = refused(td.but(**change).attest(client), 401, reason)
    assert (entry["tee"], entry["measurement"], entry["collateral_digest"]) == ("tdx", MR_TD.hex(), None)


def test_a_policy_may_admit_trust_domains_under_debug_and_they_are_not_affirmed(
    site: Site, td: TdGuest, refused: Refused
) -> None:
    site.change_policy(debug=True)
    refused(td.but(attributes=1 << 28 | 1).attest(site.replica()), 401, "the host can read the TD's memory")


def test_a_policy_may_give_an_out_of_date_platform_a_period_of_grace(site: Site, td: TdGuest, refused: Refused) -> None:
    old = td.but(platform=Platform("old", OLD_PLATFORM_TCB))
    site.change_policy(tdx={"out_of_date_grace_days": 300})
    refused(old.attest(site.replica()), 401, "tcb.status")
    site.change_policy(tdx={"out_of_date_grace_days": 400})
    status = claims(old.token(site.replica()))["submods"]["cpu"]["ear.veraison.policy-claims"]["tcb.status"]
    assert status["value"] == "OutOfDate"
    assert "within the policy's period of grace" in status["reason"]


def test_a_key_for_snp_alone(site: Site, td: TdGuest, refused: Refused) -> None:
    site.change_policy(tee=["snp"])
    refused(td.attest(site.replica()), 401, "tee: tdx, the policy accepts snp")


def test_reference_values_of_the_other_hardware_are_none(
    site: Site, td: TdGuest, guest: Guest, refused: Refused
) -> None:
    snp_values, td_values = site.config.model_dump()["reference_values"]
    site.configure(reference_values=[snp_values])
    refused(td.attest(site.replica()), 401, "none that a build key signed for image inference-guest-1.0.0 on tdx")
    site.configure(reference_values=[td_values])
    refused(guest.attest(site.replica()), 401, "none that a build key signed for image inference-guest-1.0.0 on snp")


def test_collateral_that_is_missing_or_out_of_date(site: Site, client: Client, td: TdGuest, refused: Refused) -> None:
    site.pass_time(days=31)
    refused(td.attest(client), 401, "tcb-info.validity")
    site.pass_time(days=-31)
    (site.collateral / FOLDER / "qe_identity.sig").unlink()
    refused(td.attest(client), 401, "qe_identity.sig")
    shutil.rmtree(site.collateral)
    entry = refused(td.attest(client), 401, "collateral.missing")
    assert FOLDER in entry["reasons"][0]


def test_a_guest_cannot_bring_its_own_collateral(site: Site, client: Client, td: TdGuest, refused: Refused) -> None:
    collateral = Collateral.from_directory(site.collateral / FOLDER).members()
    shutil.rmtree(site.collateral)
    nonce = td.auth(client)
    message = td.message(nonce)
    message["tee-evidence"]["primary_evidence"] |= {"collateral": collateral}
    refused(client.post("/kbs/v0/attest", json=message), 401, "collateral.missing")


def test_a_platform_that_intel_gave_up_between_attestation_and_release(
    site: Site, client: Client, td: TdGuest, refused: Refused
) -> None:
    token = td.token(client)
    shutil.rmtree(site.collateral)
    refused(client.get(PATH, headers={"authorization": f"Bearer {token}"}), 401, "collateral.missing")


def test_another_nonce_or_another_key_in_the_quote(client: Client, td: TdGuest, refused: Refused) -> None:
    other = td.but(private_key=ec.generate_private_key(ec.SECP256R1()))
    for guest, bound in ((td, "another nonce"), (other, None)):
        message = td.message(nonce := td.auth(client))
        message["tee-evidence"]["primary_evidence"] = guest.evidence(bound or nonce)
        entry = refused(client.post("/kbs/v0/attest", json=message), 401, "REPORT_DATA is not the hash of this nonce")
        assert entry["check"] == "report-data"


def test_a_replayed_nonce(client: Client, td: TdGuest, refused: Refused) -> None:
    nonce = td.auth(client)
    cookies, message = dict(client.cookies), td.message(nonce)
    assert client.post("/kbs/v0/attest", json=message).status_code == 200
    client.cookies.update(cookies)
    refused(client.post("/kbs/v0/attest", json=message), 401, "nonce.replayed")


def test_a_challenge_for_another_kind_of_hardware(client: Client, td: TdGuest, guest: Guest, refused: Refused) -> None:
    nonce = guest.auth(client)
    refused(client.post("/kbs/v0/attest", json=td.message(nonce)), 401, "one VCEK or one VLEK")


def test_the_event_log_may_be_as_large_as_firmware_reserves(client: Client, td: TdGuest) -> None:
    message = td.message(td.auth(client))
    primary = message["tee-evidence"]["primary_evidence"]
    log = base64.b64decode(primary["cc_eventlog"])
    primary["cc_eventlog"] = base64.b64encode(log.ljust(256 * 1024, b"\xff")).decode()
    assert client.post("/kbs/v0/attest", json=message).status_code == 200


def test_an_event_log_that_is_another_tds(client: Client, td: TdGuest, refused: Refused) -> None:
    message = td.message(td.auth(client))
    other = td.but(booted=(KERNEL, Measured(2, 0x0D, b"another application"))).evidence("a nonce")
    message["tee-evidence"]["primary_evidence"]["cc_eventlog"] = other["cc_eventlog"]
    refused(client.post("/kbs/v0/attest", json=message), 401, "event-log.rtmr2")


def test_a_policy_may_demand_the_event_log(site: Site, td: TdGuest, refused: Refused) -> None:
    site.change_policy(tdx={"event_log": "required"})
    client = site.replica()
    assert td.attest(client).status_code == 200
    message = td.message(td.auth(client))
    del message["tee-evidence"]["primary_evidence"]["cc_eventlog"]
    refused(client.post("/kbs/v0/attest", json=message), 401, "the policy demands the firmware's event log")


def test_a_verifier_that_was_given_no_collateral(site: Site, td: TdGuest, refused: Refused) -> None:
    trust = TrustStore.production().with_sandbox(site.pki.roots)
    client = Client(create_app(site.config, site.keystore, trust, site.log, site.wrapped, lambda: site.now))
    refused(td.attest(client), 401, "collateral.missing")
    answer = client.post("/v1/verify", json={"evidence": td.evidence("a nonce")["quote"]}).json()
    assert answer["failed_check"] == "collateral.missing"


def test_the_archive_keeps_the_log_without_its_padding(site: Site, client: Client, td: TdGuest) -> None:
    td.token(client)
    (digest,) = site.log.archive.digests("evidence")
    assert len(site.log.archive.get("evidence", digest)) < 16_384


def test_an_emulated_root_counts_only_where_it_is_named(site: Site, td: TdGuest, refused: Refused) -> None:
    site.configure(trust_anchors=["amd", "intel"])
    entry = refused(td.attest(site.replica()), 401, "is not a pinned root for TDX")
    assert entry["root"] is None
    site.configure(trust_anchors=["amd", "intel", "sandbox"])
    td.token(site.replica())


def test_a_root_of_amds_vouches_for_no_quote(site: Site, td: TdGuest, refused: Refused) -> None:
    trust = TrustStore.production().with_sandbox(site.pki.ark.pem)
    refused(td.attest(site.replica(trust=trust)), 401, "chain.root")
