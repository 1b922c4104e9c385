"""What the verifier does without its key store, or without its log: nothing leaves, and it says so."""

import pytest

from tests.verifier.broker.test_refusals import bearer
from tests.verifier.emulated_site import RESOURCE, Client, Guest, Refused, Site
from verifier.broker.service import TOKEN_KEY
from verifier.keystore import KeyStoreError

PATH = f"/kbs/v0/resource/{RESOURCE}"


def test_without_a_key_store_nothing_is_released(site: Site, client: Client, guest: Guest, refused: Refused) -> None:
    token = guest.token(client)
    site.keystore.destroy("model-kek")
    refused(client.get(PATH, **bearer(token)), 503, "no key named 'model-kek'")


@pytest.mark.parametrize("broken", ["closed", "unsigned"])
def test_without_a_durable_receipt_nothing_is_released(
    site: Site, client: Client, guest: Guest, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = guest.token(client)
    if broken == "closed":
        site.log.close()
    else:
        monkeypatch.setattr(site.keystore, "sign", lambda name, data: site.keystore.unwrap("none", b""))
    response = client.get(PATH, **bearer(token))
    assert response.status_code == 503
    assert response.json()["detail"].startswith("log: ")
    assert "ciphertext" not in response.json()


def test_a_broken_log_accepts_no_evidence(site: Site, client: Client, guest: Guest) -> None:
    message = guest.message(guest.auth(client))
    site.log.close()
    assert client.post("/kbs/v0/attest", json=message).status_code == 503


def test_a_refusal_that_cannot_be_logged_says_both(site: Site, client: Client) -> None:
    site.log.close()
    response = client.post("/kbs/v0/auth", json={"version": "1.0.0", "tee": "snp"})
    assert response.status_code == 503
    assert response.json()["detail"].startswith("log: ")
    assert response.json()["detail"].endswith("the request was refused: protocol.version")
    assert "receipt" not in response.json()


def test_nobody_is_challenged_without_the_key_that_signs_challenges(
    site: Site, client: Client, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = site.keystore.sign

    def without_it(name: str, data: bytes) -> bytes:
        if name == TOKEN_KEY:
            raise KeyStoreError("the token was removed")
        return sign(name, data)

    monkeypatch.setattr(site.keystore, "sign", without_it)
    response = client.post("/kbs/v0/auth", json={"version": "0.4.0", "tee": "snp"})
    assert refused(response, 503, "the token was removed")["check"] == "unavailable"


@pytest.mark.parametrize("broken", ["keystore", "log"])
def test_health_says_what_does_not_work(
    site: Site, client: Client, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names() -> tuple[str, ...]:
        raise KeyStoreError("the token was removed")

    if broken == "log":
        site.log.close()
    else:
        monkeypatch.setattr(site.keystore, "names", names)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["detail"].startswith("unavailable: ")
    assert ("the token was removed" in response.json()["detail"]) is (broken == "keystore")
