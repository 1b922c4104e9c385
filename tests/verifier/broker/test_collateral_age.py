"""How old collateral may be: the same limits hold where a key is released and where evidence is only verified."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hardware import SandboxPki
from sandbox.hardware.identity import CRL_LIFETIME
from tests.verifier import emulated_aws, emulated_store
from tests.verifier.emulated_aws import NitroGuest, admit_aws
from tests.verifier.emulated_azure import KERNEL, AzureGuest, admit_azure
from tests.verifier.emulated_devices import GpuGuest, demand_gpu, gpu
from tests.verifier.emulated_site import RESOURCE, Client, Guest, Refused, Site, text
from tests.verifier.emulated_store import DAY, put_quote_collateral, put_revocation_list, put_rims
from tests.verifier.emulated_td import TdGuest, admit_trust_domains
from verifier.collateral.cached import Cache
from verifier.collateral.record import CollateralError, Kind
from verifier.collateral.source import Stored
from verifier.collateral.store import Store
from verifier.snp import SnpReport

PATH = f"/kbs/v0/resource/{RESOURCE}"
LIMIT = {"maximum_age_days": {"amd-crl": 7}}


def replica(site: Site, *, age: timedelta) -> Client:
    """A replica with a store, whose revocation list is of this age."""
    return emulated_store.replica(site, put_revocation_list(site, age))


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


def test_collateral_that_has_ended_is_refused_as_such(site: Site, guest: Guest, refused: Refused) -> None:
    site.change_policy(collateral=LIMIT)
    store = put_revocation_list(site, CRL_LIFETIME + DAY)
    refused(guest.attest(emulated_store.replica(site, store)), 401, "crl.validity")


@pytest.mark.parametrize("member", ["not_before", "next_update"])
def test_an_entry_is_not_believed_about_its_object(site: Site, guest: Guest, refused: Refused, member: str) -> None:
    """Whoever keeps the store, or fills the region's cache, makes nothing younger than its vendor says."""
    site.change_policy(collateral=LIMIT)
    store = put_revocation_list(site, timedelta(days=8))
    (record,) = store.records(Kind.AMD_CRL)
    store.put(record.model_copy(update={member: site.now + DAY}), store.content(record))
    refused(guest.attest(emulated_store.replica(site, store)), 401, "states another validity than its object")


@pytest.mark.parametrize(("days", "status"), [(6, 200), (8, 401)])
def test_the_age_of_a_quotes_collateral(site: Site, pki: SandboxPki, days: int, status: int) -> None:
    admit_trust_domains(site)
    site.change_policy(collateral={"maximum_age_days": {"intel-tcb-info": 7}})
    put_quote_collateral(site, days * DAY)
    td = TdGuest(pki, ec.generate_private_key(ec.SECP256R1()))
    assert td.attest(emulated_store.replica(site, Store(site.directory / "store"))).status_code == status


@pytest.mark.parametrize(("days", "status"), [(6, 200), (8, 401)])
def test_the_age_of_what_devices_are_compared_with(site: Site, pki: SandboxPki, days: int, status: int) -> None:
    machine = GpuGuest(pki, ec.generate_private_key(ec.SECP256R1()), gpus=(gpu(pki.nvidia, site),))
    demand_gpu(site)
    site.change_policy(collateral={"maximum_age_days": {"nvidia-rim": 7}})
    put_rims(site, days * DAY)
    assert machine.attest(emulated_store.replica(site, Store(site.directory / "store"))).status_code == status


def test_whoever_demands_an_age_waits_for_the_store_even_where_nothing_is_needed_of_it(
    site: Site, pki: SandboxPki, refused: Refused
) -> None:
    admit_aws(site, "aws-nitro")
    instance = NitroGuest(pki, ec.generate_private_key(ec.SECP256R1()), at=site.now)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(503))) as http:
        cache = Cache("https://cache.test/collateral", http, lambda: site.now)
        trust = emulated_aws.trust(site)
        assert instance.attest(emulated_store.replica(site, cache, trust)).status_code == 200
        site.change_policy(collateral=LIMIT)
        refused(instance.attest(emulated_store.replica(site, cache, trust)), 401, "collateral.cache")


def test_a_store_that_breaks_while_evidence_is_judged(
    site: Site, guest: Guest, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(stored: Stored, report: SnpReport) -> None:
        raise CollateralError("the store was there a moment ago")

    site.change_policy(collateral=LIMIT)
    monkeypatch.setattr(Stored, "crls", broken)
    entry = refused(guest.attest(replica(site, age=DAY)), 401, "the store was there a moment ago")
    assert entry["check"] == "collateral.store"


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
