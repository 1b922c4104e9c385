"""A guest that satisfies the policy gets its key, wrapped to it alone, with a receipt that proves why."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap

from tests.verifier.emulated_site import DEK, IMAGE, KEK, MEASUREMENT, PASSPHRASE, RESOURCE, Client, Guest, Site
from tests.verifier.snp.test_certificate_table import table
from verifier import ear, jwk
from verifier.log import verify_receipt
from verifier.trust import TrustStore

PATH = f"/kbs/v0/resource/{RESOURCE}"


@pytest.mark.parametrize(
    "private_key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 3072),
    ],
    ids=["P-256", "P-384", "P-521", "RSA"],
)
def test_an_attested_guest_opens_its_key(
    client: Client, guest: Guest, private_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> None:
    guest = guest.but(private_key=private_key)
    response = client.get(PATH, headers={"authorization": f"Bearer {guest.token(client)}"})
    assert response.status_code == 200, response.text
    assert {"protected", "encrypted_key", "iv", "ciphertext", "tag"} <= response.json().keys()
    assert guest.open(response.json()) == DEK


def test_the_certificates_may_come_as_the_host_gave_them(client: Client, guest: Guest) -> None:
    message = guest.message(guest.auth(client))
    primary = message["tee-evidence"]["primary_evidence"]
    found = {entry["cert_type"]: base64.b64decode(entry["data"]) for entry in primary["cert_chain"]}
    chain = (("vcek", found["VCEK"]), ("intermediate", found["ASK"]), ("ark", found["ARK"]))
    primary["cert_chain"] = base64.b64encode(table(*chain, padding=100)).decode()
    assert client.post("/kbs/v0/attest", json=message).status_code == 200
    assert guest.open(client.get(PATH).json()) == DEK


def test_the_session_cookie_alone_is_enough_as_kbs_clients_expect(client: Client, guest: Guest) -> None:
    guest.token(client)
    response = client.get(PATH)
    assert response.status_code == 200, response.text
    assert guest.open(response.json()) == DEK
    assert response.headers["cache-control"] == "no-store"


def test_another_guest_cannot_open_a_released_key(client: Client, guest: Guest) -> None:
    released = client.get(PATH, headers={"authorization": f"Bearer {guest.token(client)}"}).json()
    with pytest.raises((InvalidUnwrap, InvalidTag)):
        guest.but(private_key=ec.generate_private_key(ec.SECP256R1())).open(released)


def test_replicas_without_shared_memory_serve_one_guest(site: Site, guest: Guest) -> None:
    first, second, third = (site.replica() for _ in range(3))
    nonce = guest.auth(first)
    second.cookies = first.cookies
    token = second.post("/kbs/v0/attest", json=guest.message(nonce)).json()["token"]
    response = third.get(PATH, headers={"authorization": f"Bearer {token}"})
    assert guest.open(response.json()) == DEK


def test_the_receipt_of_a_release_says_who_what_why_and_where(site: Site, client: Client, guest: Guest) -> None:
    token = guest.token(client)
    response = client.get(PATH, headers={"authorization": f"Bearer {token}"})
    receipt = response.json()["receipt"]
    verify_receipt(receipt, site.log.public_key)
    entry = receipt["entry"]
    assert (entry["event"], entry["decision"], entry["resource"], entry["kek"]) == ("release", "allow", RESOURCE, KEK)
    assert entry["measurement"] == MEASUREMENT.hex()
    assert entry["policy_digest"] == site.config.resources[0].policy.digest
    assert entry["verdict_digest"] == hashlib.sha256(token.encode()).hexdigest()
    assert entry["guest_key"] == jwk.thumbprint(guest.tee_pubkey)
    assert entry["root"] == "sandbox"
    assert entry["jurisdiction"] == {
        "id": "DE",
        "cloud": "azure",
        "location": "germanywestcentral",
        "source": "configuration of verifier.test.bailiwick.internal",
    }
    assert entry["verifier"]["name"] == "verifier.test.bailiwick.internal"
    assert entry["verifier"]["build"].startswith("bailiwick-verifier/")
    assert any(IMAGE in reason for reason in entry["reasons"])


def test_the_evidence_behind_a_receipt_can_be_judged_again(site: Site, client: Client, guest: Guest) -> None:
    guest.token(client)
    entry = site.entries()[-1]
    archived = json.loads(site.log.archive.get("evidence", entry["evidence_digest"]))
    assert archived["runtime-data"]["tee-pubkey"] == guest.tee_pubkey
    token = site.log.archive.get("result", entry["verdict_digest"]).decode()
    jwks = {key["purpose"]: key for key in client.get("/v1/keys").json()["keys"]}
    public_key = jwk.to_public_key({name: jwks["token"][name] for name in ("kty", "crv", "x", "y")})
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    claims = ear.read(token, [public_key], site.now)
    assert claims["ear.status"] == "affirming"
    assert claims["evidence"] == entry["evidence_digest"]
    assert claims["tee-pubkey"] == guest.tee_pubkey
    assert claims["jurisdiction"] == entry["jurisdiction"]
    assert claims["jurisdiction"]["source"].startswith("configuration of ")


def test_the_log_is_open_to_whoever_wants_to_check_it(site: Site, client: Client, guest: Guest) -> None:
    guest.token(client)
    receipt = client.get("/v1/log/entries/0").json()
    verify_receipt(receipt, site.log.public_key)
    assert client.get("/v1/log/checkpoint").text == site.log.checkpoint()
    assert client.get("/v1/log/entries/99").status_code == 404


def test_health_says_what_holds_the_keys(client: Client) -> None:
    health = client.get("/healthz").json()
    assert health["status"] == "ok"
    assert not health["keystore"]["is_hsm"]
    assert "NOT AN HSM" in health["keystore"]["description"]


def test_no_secret_leaves_except_wrapped(site: Site, client: Client, guest: Guest, keystore_directory: Path) -> None:
    token = guest.token(client)
    bodies = [client.get(PATH, headers={"authorization": f"Bearer {token}"}).text, token]
    bodies += [json.dumps(receipt.to_dict()) for receipt in site.log.receipts()]
    bodies += [client.get(path).text for path in ("/v1/keys", "/healthz", "/v1/log/checkpoint")]
    site.log.close()
    directories = (site.directory, keystore_directory)
    stored = [path.read_bytes() for directory in directories for path in directory.rglob("*") if path.is_file()]
    for haystack in (*(body.encode() for body in bodies), *stored):
        for secret in (DEK, DEK.hex().encode(), jwk.encode(DEK).encode(), PASSPHRASE.encode()):
            assert secret not in haystack


def test_a_root_that_the_configuration_names_must_be_given(site: Site) -> None:
    with pytest.raises(ValueError, match="trust_anchors: sandbox is named, but this verifier was given no such root"):
        site.replica(trust=TrustStore.production())


def test_the_session_cookie_stays_small_enough_for_a_cookie(client: Client, guest: Guest) -> None:
    guest.token(client)
    assert len(client.cookies["kbs-session-id"]) < 512
