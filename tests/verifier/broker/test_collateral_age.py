"""How old collateral may be: the same limits hold where a key is released and where evidence is only verified."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hardware import SandboxPki
from tests.verifier.emulated_azure import KERNEL, AzureGuest, admit_azure
from tests.verifier.emulated_site import RESOURCE, Client, Guest, Refused, Site
from verifier.broker import create_app
from verifier.collateral.live import DeviceCollateral, QuoteCollateral, RevocationLists
from verifier.collateral.record import Kind, Record
from verifier.collateral.store import Store
from verifier.trust import TrustStore

PATH = f"/kbs/v0/resource/{RESOURCE}"
LIMIT = {"maximum_age_days": {"amd-crl": 7}}


def replica(site: Site, *, age: timedelta) -> Client:
    """A replica with a store, whose revocation list is of this age."""
    store, crl = Store(site.directory / "store"), site.pki.revocation_list()
    issued = site.now - age
    record = Record(
        kind=Kind.AMD_CRL,
        subject="milan",
        sha256=hashlib.sha256(crl).hexdigest(),
        size=len(crl),
        source="https://kds.test/crl",
        fetched_at=issued,
        not_before=issued,
        next_update=site.now + timedelta(days=60),
    )
    store.put(record, crl)
    trust = TrustStore.production().with_sandbox(site.pki.roots)
    sources = RevocationLists(store), QuoteCollateral(store, lambda: site.now), DeviceCollateral(store), store
    return Client(create_app(site.config, site.keystore, trust, site.log, site.wrapped, lambda: site.now, *sources))


@pytest.fixture
def vm(pki: SandboxPki) -> AzureGuest:
    return AzureGuest(pki, ec.generate_private_key(ec.SECP256R1()))


def test_a_key_waits_for_collateral_that_is_recent(site: Site, guest: Guest, refused: Refused) -> None:
    site.change_policy(collateral=LIMIT)
    assert guest.attest(replica(site, age=timedelta(days=6))).status_code == 200
    refused(guest.attest(replica(site, age=timedelta(days=8))), 401, "collateral.amd-crl")


def test_it_is_asked_again_when_the_key_is_fetched(site: Site, guest: Guest, refused: Refused) -> None:
    site.change_policy(collateral=LIMIT)
    client = replica(site, age=timedelta(days=7) - timedelta(seconds=60))
    assert guest.attest(client).status_code == 200
    site.pass_time(seconds=120)
    refused(client.get(PATH), 403, "is older than 7 days")


def test_collateral_whose_age_nobody_knows_is_not_recent(site: Site, guest: Guest, refused: Refused) -> None:
    site.change_policy(collateral=LIMIT)
    refused(guest.attest(site.replica()), 401, "collateral.age-unknown")


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def of(vm: AzureGuest, site: Site) -> dict[str, Any]:
    """What a relying party asks about a VM whose vTPM was asked for this nonce."""
    booted, host = vm.start()
    nonce = b"\x07" * 32
    quote = booted.vtpm.quote(nonce)
    vcek = base64.urlsafe_b64decode(host["vcek"] + "=" * (-len(host["vcek"]) % 4))
    return {
        "evidence": text(booted.hcl_report),
        "kind": "azure",
        "nonce": nonce.hex(),
        "policy": RESOURCE,
        "endorsements": {"vcek": text(vcek), "ask": text(site.pki.ask.der), "ark": text(site.pki.ark.der)},
        "tpm_quote": {
            "message": text(quote),
            "signature": text(booted.vtpm.signature(quote)),
            "pcrs": [value.hex() for value in booted.vtpm.pcrs],
            "event_log": text(booted.event_log),
        },
    }


@pytest.mark.parametrize(("days", "acceptable"), [(6, True), (8, False)])
def test_who_only_verifies_learns_the_age_too(site: Site, vm: AzureGuest, days: int, acceptable: bool) -> None:
    admit_azure(site)
    site.change_policy(collateral=LIMIT)
    answer = replica(site, age=timedelta(days=days)).post("/v1/verify", json=of(vm, site)).json()
    assert (answer["genuine"], answer["acceptable"]) == (True, acceptable), answer["summary"]
    claims = answer["submods"]["cpu"]["ear.veraison.policy-claims"]
    assert claims["collateral.amd-crl"]["value"] == f"issued {days} days ago"
    assert answer["submods"]["vtpm"]["ear.veraison.policy-claims"]["event-log"]["reason"].endswith("the quoted PCRs")


def _without_log(body: dict[str, Any]) -> None:
    del body["tpm_quote"]["event_log"]


def _another_pcr(body: dict[str, Any]) -> None:
    body["tpm_quote"]["pcrs"][4] = "00" * 32


def _no_quote(body: dict[str, Any]) -> None:
    del body["tpm_quote"]


@pytest.mark.parametrize(
    ("change", "genuine", "acceptable"),
    [(_without_log, True, True), (_another_pcr, False, False), (_no_quote, True, False)],
)
def test_what_the_vtpm_says_counts(
    site: Site, vm: AzureGuest, change: Callable[[dict[str, Any]], None], genuine: bool, acceptable: bool
) -> None:
    admit_azure(site)
    body = of(vm, site)
    change(body)
    answer = replica(site, age=timedelta()).post("/v1/verify", json=body).json()
    assert (answer["genuine"], answer["acceptable"]) == (genuine, acceptable), answer["summary"]


def test_another_image_is_not_acceptable(site: Site, vm: AzureGuest) -> None:
    admit_azure(site)
    answer = replica(site, age=timedelta()).post("/v1/verify", json=of(replace(vm, booted=(KERNEL,)), site)).json()
    assert "no reference values have these PCRs" in answer["summary"]


def test_a_quote_beside_evidence_that_has_no_vtpm_is_refused(site: Site, vm: AzureGuest) -> None:
    body = of(vm, site)
    report = base64.b64decode(body["evidence"])[32:][:1184]
    answer = replica(site, age=timedelta()).post("/v1/verify", json=body | {"evidence": text(report), "kind": None})
    assert answer.status_code == 400
    assert "only an HCL report" in answer.json()["detail"]
