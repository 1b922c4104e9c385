"""`POST /v1/verify`: evidence in, an EAR out; and each request that cannot be judged gets a problem document."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from threading import get_ident
from typing import Any

import httpx
import pytest

from sandbox.hardware import Chip, LaunchPolicy, SnpFirmware
from tests.verifier.emulated_site import IMAGE, MEASUREMENT, PRODUCTION, RESOURCE, Client, text
from tests.verifier.google import test_vtpm as fake_vtpm
from verifier import ear, jwk
from verifier.broker import create_app
from verifier.broker.verification import MAX_REQUEST_BYTES
from verifier.collateral.cached import Cache
from verifier.collateral.live import DeviceCollateral, QuoteCollateral, RevocationLists
from verifier.collateral.source import Reader
from verifier.collateral.store import Store
from verifier.tdx import CollateralStore
from verifier.trust import TrustStore

NONCE = bytes(range(32))


@pytest.fixture
def app(site):
    trust = TrustStore.production().with_sandbox(site.pki.roots)
    crls, store = [site.pki.revocation_list()], CollateralStore(site.collateral)
    return create_app(site.config, site.keystore, trust, site.log, site.wrapped, lambda: site.now, crls, store)


@pytest.fixture
def service(app):
    return Client(app)


def request(pki, nonce: bytes = NONCE, policy: LaunchPolicy = PRODUCTION, **changes: Any) -> dict[str, Any]:
    firmware = SnpFirmware(pki, Chip("host-a"))
    report = firmware.report(firmware.launch(MEASUREMENT, policy), nonce.ljust(64, b"\0"))
    chain = firmware.certificates
    endorsements = {"vcek": text(chain.leaf), "ask": text(chain.intermediate), "ark": text(chain.ark)}
    return {"evidence": text(report), "endorsements": endorsements, "nonce": nonce.hex(), "policy": RESOURCE, **changes}


def answered(service, body: Any) -> dict[str, Any]:
    response = service.post("/v1/verify", json=body)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return response.json()


def problem(response, status: int, kind: str) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    content = response.json()
    assert content["type"] == f"https://bailiwick.dev/problems/{kind}"
    assert content["status"] == status
    assert "\n" not in content["detail"]
    return content["detail"]


class TestAnswers:
    def test_a_guest_of_a_known_image_is_affirmed(self, service, site):
        answer = answered(service, request(site.pki))
        assert (answer["genuine"], answer["acceptable"], answer["status"]) == (True, True, "affirming")
        (key,) = (it for it in service.get("/v1/keys").json()["keys"] if it["purpose"] == "token")
        public = jwk.to_public_key({name: key[name] for name in ("kty", "crv", "x", "y")})
        claims = ear.read(answer["token"], [public], site.now)
        assert claims["eat_nonce"] == base64.urlsafe_b64encode(NONCE).rstrip(b"=").decode()
        assert claims["submods"] == answer["submods"]
        assert {"id", "cloud", "location", "source"} == claims["jurisdiction"].keys()
        assert IMAGE in json.dumps(claims["submods"]["cpu"]["ear.veraison.policy-claims"]["measurement"])
        assert claims["submods"]["cpu"]["ear.veraison.policy-claims"]["revocation"]["value"] == "checked"

    def test_the_verdict_is_the_librarys_and_nothing_is_logged(self, service, site):
        answered(service, request(site.pki))
        assert site.entries() == []

    def test_a_guest_that_may_be_debugged_is_genuine_and_not_acceptable(self, service, site):
        debug = LaunchPolicy(abi=(1, 51), smt=True, migrate_ma=False, debug=True, single_socket=False)
        answer = answered(service, request(site.pki, policy=debug))
        assert (answer["genuine"], answer["acceptable"]) == (True, False)
        assert "policy.debug" in answer["summary"]

    def test_another_nonce_is_not_acceptable(self, service, site):
        answer = answered(service, request(site.pki) | {"nonce": bytes(32).hex()})
        assert not answer["acceptable"]
        assert "report-data" in answer["summary"]

    def test_forged_evidence_is_contraindicated_in_the_token_too(self, service, site):
        body = request(site.pki)
        forged = bytearray(base64.b64decode(body["evidence"]))
        forged[0x90] ^= 1
        answer = answered(service, body | {"evidence": text(bytes(forged))})
        assert (answer["genuine"], answer["status"]) == (False, "contraindicated")
        assert answer["failed_check"] == "signature"
        payload = answer["token"].split(".")[1]
        assert json.loads(base64.urlsafe_b64decode(payload + "=="))["ear.status"] == "contraindicated"

    def test_without_certificates_and_without_a_store_nothing_endorses_a_report(self, service, site):
        body = request(site.pki)
        del body["endorsements"]
        assert answered(service, body)["failed_check"] == "endorsement.missing"

    def test_a_vtpms_attestation_is_judged_by_its_certificate(self, service):
        body = {"evidence": text(fake_vtpm.GOOD.encoded), "kind": "google", "nonce": fake_vtpm.NONCE.hex()}
        answer = answered(service, body)
        assert (answer["failed_check"], answer["submods"].keys()) == ("ak.chain", {"vtpm"})

    def test_a_short_nonce_is_not_repeated_in_the_token(self, service, site):
        answer = answered(service, request(site.pki, nonce=b"abc"))
        payload = json.loads(base64.urlsafe_b64decode(answer["token"].split(".")[1] + "=="))
        assert answer["acceptable"]
        assert "eat_nonce" not in payload


class TestProblems:
    @pytest.mark.parametrize(
        ("changes", "status", "kind", "detail"),
        [
            ({"evidence": "%"}, 400, "malformed-request", "evidence: not base64"),
            ({"evidence": text(b"report")}, 400, "malformed-evidence", "an SNP report has 1184 bytes"),
            ({"evidence": text(b"\x11\xe0" + bytes(64))}, 400, "malformed-evidence", "needs its certificates"),
            ({"evidence": 3}, 400, "malformed-request", "evidence: Input should be a valid string"),
            ({"kind": "tdx"}, 400, "malformed-evidence", "this is snp, kind says tdx"),
            ({"kind": "sgx"}, 400, "malformed-request", "kind: Input should be"),
            ({"nonce": "xyz"}, 400, "malformed-request", "nonce: String should match"),
            ({"nonce": "00" * 65}, 400, "malformed-request", "nonce: String should match"),
            ({"policy": "lenient"}, 404, "unknown-policy", f"is not one of default, {RESOURCE}"),
            ({"at": "2020-01-01T00:00:00Z"}, 400, "malformed-request", "at: Extra inputs are not permitted"),
            ({"endorsements": {"ark": "YWJj"}}, 400, "malformed-request", "one of vcek and vlek expected"),
            ({"endorsements": {"vcek": "%"}}, 400, "malformed-request", "endorsements.vcek: not base64"),
            ({"endorsements": {"vcek": "YWJj"}}, 400, "malformed-evidence", "VCEK certificate"),
        ],
    )
    def test_a_member_that_is_wrong_is_named(self, service, site, changes, status, kind, detail):
        response = service.post("/v1/verify", json=request(site.pki) | changes)
        assert detail in problem(response, status, kind)

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"evidence": "", "evidence": ""}', b"\xff"])
    def test_a_body_that_is_no_object(self, service, body):
        response = service.post("/v1/verify", content=body, headers={"content-type": "application/json"})
        problem(response, 400, "malformed-request")

    def test_a_body_that_is_too_large(self, service):
        content = b" " * (MAX_REQUEST_BYTES + 1)
        response = service.post("/v1/verify", content=content, headers={"content-type": "application/json"})
        assert str(MAX_REQUEST_BYTES) in problem(response, 413, "too-large")

    def test_a_body_of_another_type(self, service):
        problem(service.post("/v1/verify", content=b"{}", headers={"content-type": "text/plain"}), 415, "not-json")

    def test_only_post(self, service):
        assert service.get("/v1/verify").status_code == 405

    @pytest.mark.parametrize("path", ["/v1/verify", "/kbs/v0/attest"])
    def test_a_client_that_hangs_up_within_its_request_is_no_error(self, app, site, path):
        body = json.dumps(request(site.pki)).encode()
        events = iter([{"type": "http.request", "body": body, "more_body": True}, {"type": "http.disconnect"}])
        sent: list[dict[str, Any]] = []

        async def receive() -> Any:
            return next(events)

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
        asyncio.run(app(scope, receive, send))
        assert sent[0]["status"] == 400, "nothing is judged"


def nothing(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


class TestNothingElseWaits:
    """What takes long, or waits for somebody, is judged beside the loop that serves the other requests."""

    def judged_beside(self, site, *, padding: int = 0, reader: Reader | None = None) -> bool:
        threads: list[int] = []

        def clock() -> datetime:
            threads.append(get_ident())
            return site.now

        trust = TrustStore.production().with_sandbox(site.pki.roots)
        app = create_app(site.config, site.keystore, trust, site.log, site.wrapped, clock, reader=reader)
        content = json.dumps(request(site.pki)) + " " * padding
        Client(app).post("/v1/verify", content=content, headers={"content-type": "application/json"})
        return threads[-1] != get_ident()

    def test_a_report_is_judged_at_once(self, site):
        assert not self.judged_beside(site)

    def test_large_evidence(self, site):
        assert self.judged_beside(site, padding=20_000)

    def test_a_signature_in_an_hsm(self, site, monkeypatch):
        monkeypatch.setattr(site.keystore, "is_hsm", True)
        assert self.judged_beside(site)

    def test_collateral_that_has_to_be_asked_for(self, site, tmp_path):
        with httpx.Client(transport=httpx.MockTransport(nothing)) as http:
            cache = Cache("https://cache.test/collateral", http, lambda: site.now)
            assert self.judged_beside(site, reader=cache)
            assert not self.judged_beside(site, reader=cache), "it is asked again after a while only"
        assert self.judged_beside(site, reader=Store(tmp_path / "store"))


def test_a_cache_that_does_not_answer_is_the_services_problem(site):
    trust = TrustStore.production().with_sandbox(site.pki.roots)
    with httpx.Client(transport=httpx.MockTransport(nothing)) as http:
        cache = Cache("https://cache.test/collateral", http, lambda: datetime.now(UTC))
        sources = (RevocationLists(cache), QuoteCollateral(cache, lambda: site.now), DeviceCollateral(cache), cache)
        app = create_app(site.config, site.keystore, trust, site.log, site.wrapped, lambda: site.now, *sources)
        response = Client(app).post("/v1/verify", json=request(site.pki))
        detail = problem(response, 503, "collateral-unavailable")
    assert "HTTP 503" in detail
