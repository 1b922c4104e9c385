"""`POST /v1/verify` on evidence of each other kind, and with collateral that the service keeps."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.guest.device import additional_evidence
from sandbox.hardware import SandboxPki, TdxModule
from tests.verifier import emulated_store
from tests.verifier.broker.test_verification import NONCE, answered, problem, request
from tests.verifier.emulated_azure import AzureTdGuest, admit_azure
from tests.verifier.emulated_devices import gpu
from tests.verifier.emulated_site import RESOURCE, Site, text
from tests.verifier.emulated_store import put_endorsement, put_revocation_list
from tests.verifier.emulated_td import APPLICATION, HOST, KERNEL, MR_TD, admit_trust_domains
from verifier import jwk
from verifier.collateral.record import CollateralError, Kind
from verifier.collateral.store import Store


def asked(evidence: bytes, **members: Any) -> dict[str, Any]:
    return {"evidence": text(evidence), "nonce": NONCE.hex(), "policy": RESOURCE, **members}


class TestTrustDomains:
    """A TDX quote, judged with Intel's collateral in the service's folder."""

    @pytest.fixture
    def quote(self, site: Site) -> bytes:
        module = TdxModule(site.pki.intel, HOST)
        return module.quote(module.launch(MR_TD, (KERNEL, APPLICATION)), NONCE.ljust(64, b"\0"))

    def test_the_service_has_the_collateral(self, site: Site, quote: bytes) -> None:
        admit_trust_domains(site)
        answer = answered(site.replica(), asked(quote, kind="tdx"))
        assert (answer["genuine"], answer["acceptable"]) == (True, True), answer["summary"]

    def test_values_for_other_hardware_are_no_hindrance(self, site: Site) -> None:
        admit_trust_domains(site)
        assert answered(site.replica(), request(site.pki))["acceptable"]

    def test_or_has_none_for_it(self, site: Site, quote: bytes) -> None:
        assert answered(site.replica(), asked(quote))["failed_check"] == "collateral.missing"


class TestAzureTrustDomains:
    """An HCL report with the quote that came beside it, and what the vTPM says."""

    @pytest.fixture
    def body(self, site: Site, pki: SandboxPki) -> dict[str, Any]:
        admit_azure(site)
        guest = AzureTdGuest(pki, ec.generate_private_key(ec.SECP256R1()))
        booted, host = guest.start()
        quote = booted.vtpm.quote(NONCE)
        said = {"message": text(quote), "signature": text(booted.vtpm.signature(quote))}
        return asked(
            booted.hcl_report,
            kind="azure",
            td_quote=text(base64.urlsafe_b64decode(host["td_quote"])),
            tpm_quote=said | {"pcrs": [value.hex() for value in booted.vtpm.pcrs]},
        )

    def test_all_of_it_is_one_verdict(self, site: Site, body: dict[str, Any]) -> None:
        answer = answered(site.replica(), body)
        assert (answer["acceptable"], answer["submods"].keys()) == (True, {"cpu", "vtpm"}), answer["summary"]

    @pytest.mark.parametrize(("left_out", "genuine"), [("tpm_quote", True), ("td_quote", False)])
    def test_each_part_counts(self, site: Site, body: dict[str, Any], left_out: str, genuine: bool) -> None:
        del body[left_out]
        answer = answered(site.replica(), body)
        assert (answer["genuine"], answer["acceptable"]) == (genuine, False), answer["summary"]

    def test_a_quote_beside_a_report(self, site: Site, body: dict[str, Any]) -> None:
        response = site.replica().post("/v1/verify", json=request(site.pki) | {"td_quote": body["td_quote"]})
        assert "only an HCL report of Azure's" in problem(response, 400, "malformed-request")


class TestDevices:
    """A list of NVIDIA devices' reports, with their certificates."""

    @pytest.fixture
    def evidence(self, site: Site, pki: SandboxPki) -> bytes:
        said = json.loads(additional_evidence((gpu(pki.nvidia, site),), NONCE))
        return json.dumps(said["nvidia"]["device_evidence_list"]).encode()

    def test_they_are_compared_with_their_rims(self, site: Site, evidence: bytes) -> None:
        site.change_policy(nvidia={"stated_mode": "if-given"})
        answer = answered(site.replica(), asked(evidence, kind="nvidia"))
        assert (answer["acceptable"], answer["submods"].keys()) == (True, {"gpu0"}), answer["summary"]

    def test_a_nonce_that_no_device_can_have_been_asked_with(self, site: Site, evidence: bytes) -> None:
        response = site.replica().post("/v1/verify", json=asked(evidence, nonce="00"))
        assert "a device is asked with 32" in problem(response, 400, "malformed-request")


class TestReports:
    """An SNP report, with less beside it."""

    def test_the_service_has_the_certificates_in_a_store(self, site: Site) -> None:
        body = request(site.pki)
        del body["endorsements"]
        put_revocation_list(site)
        store = put_endorsement(site, base64.b64decode(body["evidence"]))
        assert answered(emulated_store.replica(site, store), body)["acceptable"]

    def test_a_store_that_breaks_is_the_services_problem(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(store: Store, kind: Kind, subject: str) -> None:
            raise CollateralError(f"{kind}/{subject} cannot be read")

        client = emulated_store.replica(site, put_revocation_list(site))
        monkeypatch.setattr(Store, "find", broken)
        response = client.post("/v1/verify", json=request(site.pki))
        assert problem(response, 503, "collateral-unavailable") == "amd-crl/milan cannot be read"

    def test_without_a_nonce_nothing_says_that_it_is_fresh(self, site: Site) -> None:
        body = request(site.pki)
        del body["nonce"]
        answer = answered(site.replica(), body)
        payload = json.loads(jwk.decode(answer["token"].split(".")[1]))
        assert (answer["genuine"], answer["acceptable"], "eat_nonce" in payload) == (True, False, False)
        assert "report-data" in answer["summary"]
