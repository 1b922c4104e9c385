"""Every guest, token and message that must not open a key: refused, with a reason, and a receipt of the refusal."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.verifier.emulated_site import (
    MEASUREMENT,
    PRODUCTION,
    RESOURCE,
    Client,
    Guest,
    Refused,
    Site,
    reference_values,
)
from verifier import ear, jwk
from verifier.appraisal import Appraisal, AttestationResult
from verifier.broker import WrappedKey
from verifier.broker.service import token_signer
from verifier.signer import SoftwareSigner

PATH = f"/kbs/v0/resource/{RESOURCE}"


def other_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"measurement": bytes(48)}, "measurement"),
        ({"policy": replace(PRODUCTION, debug=True)}, "debug"),
        ({"policy": replace(PRODUCTION, migrate_ma=True)}, "migration"),
        ({"vmpl": 2}, "VMPL 2, the policy accepts 0"),
    ],
    ids=["wrong-measurement", "debug", "migration", "vmpl"],
)
def test_a_genuine_guest_outside_the_policy_gets_no_token(
    client: Client, guest: Guest, refused: Refused, change: dict[str, Any], reason: str
) -> None:
    entry = refused(guest.but(**change).attest(client), 401, reason)
    assert entry["event"] == "attestation"
    assert entry["measurement"] == change.get("measurement", MEASUREMENT).hex()
    assert entry["verdict_digest"] is None
    assert client.get(PATH).status_code == 401


def test_the_same_answer_is_not_accepted_twice(client: Client, guest: Guest, refused: Refused) -> None:
    message = guest.message(guest.auth(client))
    challenge = dict(client.cookies)
    assert client.post("/kbs/v0/attest", json=message).status_code == 200
    client.cookies.clear()
    client.cookies.update(challenge)
    refused(client.post("/kbs/v0/attest", json=message), 401, "nonce.replayed")


def test_a_nonce_is_not_accepted_by_a_second_replica(site: Site, guest: Guest, refused: Refused) -> None:
    first, second = site.replica(), site.replica()
    message = guest.message(guest.auth(first))
    second.cookies.update(first.cookies)
    assert first.post("/kbs/v0/attest", json=message).status_code == 200
    refused(second.post("/kbs/v0/attest", json=message), 401, "nonce.replayed")


def test_a_failed_attempt_uses_its_nonce_up(client: Client, guest: Guest, refused: Refused) -> None:
    nonce = guest.auth(client)
    refused(client.post("/kbs/v0/attest", json=guest.but(vmpl=3).message(nonce)), 401, "VMPL 3")
    refused(client.post("/kbs/v0/attest", json=guest.message(nonce)), 401, "nonce.replayed")


def test_a_nonce_expires(site: Site, client: Client, guest: Guest, refused: Refused) -> None:
    message = guest.message(guest.auth(client))
    cookies = dict(client.cookies)
    site.pass_time(minutes=5)
    client.cookies.update(cookies)
    refused(client.post("/kbs/v0/attest", json=message), 401, "nonce.expired")


def test_a_nonce_of_another_session_is_refused(site: Site, guest: Guest, refused: Refused) -> None:
    first, second = site.replica(), site.replica()
    nonce = guest.auth(first)
    guest.auth(second)
    refused(second.post("/kbs/v0/attest", json=guest.message(nonce)), 401, "nonce.mismatch")


def test_a_key_that_the_report_does_not_name_is_refused(client: Client, guest: Guest, refused: Refused) -> None:
    nonce = guest.auth(client)
    stranger = guest.but(private_key=other_key())
    message = guest.message(nonce) | {"runtime-data": {"nonce": nonce, "tee-pubkey": stranger.tee_pubkey}}
    refused(client.post("/kbs/v0/attest", json=message), 401, "report-data")


def test_a_report_over_an_older_nonce_is_refused(client: Client, guest: Guest, refused: Refused) -> None:
    old = guest.auth(client)
    nonce = guest.auth(client)
    message = guest.message(nonce)
    message["tee-evidence"]["primary_evidence"] = guest.evidence(old)
    refused(client.post("/kbs/v0/attest", json=message), 401, "report-data")


def changed_report(guest: Guest, nonce: str, position: int) -> dict[str, Any]:
    evidence = guest.evidence(nonce)
    report = bytearray(base64.b64decode(evidence["attestation_report"]))
    report[position] ^= 1
    return evidence | {"attestation_report": base64.b64encode(report).decode()}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda guest, nonce: changed_report(guest, nonce, 0x90), "signature"),
        (lambda guest, nonce: guest.evidence(nonce) | {"attestation_report": "AAAA"}, "the report has 3 bytes"),
        (lambda guest, nonce: guest.evidence(nonce) | {"attestation_report": "no base64!"}, "is not base64"),
        (lambda guest, nonce: guest.evidence(nonce) | {"attestation_report": {}}, "'version' is missing"),
        (lambda guest, nonce: guest.evidence(nonce) | {"cert_chain": []}, "one VCEK or one VLEK"),
        (lambda guest, nonce: guest.evidence(nonce) | {"cert_chain": None}, "one VCEK or one VLEK"),
        (
            lambda guest, nonce: guest.evidence(nonce) | {"cert_chain": [{"cert_type": "VCEK", "data": "AAAA"}]},
            "malformed at byte",
        ),
        (
            lambda guest, nonce: (
                guest.evidence(nonce) | {"cert_chain": guest.but(host="host-b").evidence(nonce)["cert_chain"]}
            ),
            "chip",
        ),
        (lambda guest, nonce: {}, "one VCEK or one VLEK"),
    ],
)
def test_evidence_that_is_not_genuine_is_refused(
    site: Site, client: Client, guest: Guest, refused: Refused, change: Any, reason: str
) -> None:
    nonce = guest.auth(client)
    message = guest.message(nonce)
    message["tee-evidence"]["primary_evidence"] = change(guest, nonce)
    entry = refused(client.post("/kbs/v0/attest", json=message), 401, reason)
    assert entry["measurement"] is None
    assert site.log.archive.digests("evidence") == []


def test_the_sandbox_root_counts_only_where_the_configuration_names_it(
    site: Site, guest: Guest, refused: Refused
) -> None:
    site.configure(trust_anchors=["amd"])
    refused(guest.attest(site.replica()), 401, "chain")


def test_unsigned_reference_values_make_no_image_known(site: Site, guest: Guest, refused: Refused) -> None:
    site.configure(reference_values=[reference_values(SoftwareSigner.generate())])
    entry = refused(guest.attest(site.replica()), 401, "reference-values: none that a build key signed")
    assert any("none of its 1 signature(s) is by one of the 1 trusted key(s)" in reason for reason in entry["reasons"])


def test_a_signed_image_that_the_policy_does_not_name_is_refused(site: Site, guest: Guest, refused: Refused) -> None:
    site.change_policy(images=["other-guest-1.0.0"])
    refused(guest.attest(site.replica()), 401, "measurement")


def test_a_minimum_tcb_above_the_chips_is_refused(site: Site, guest: Guest, refused: Refused) -> None:
    site.change_policy(minimum_tcb={"bootloader": 4, "tee": 0, "snp": 255, "microcode": 0})
    refused(guest.attest(site.replica()), 401, "tcb")


@pytest.mark.parametrize(
    ("pubkey", "reason"),
    [
        ({"kty": "oct", "k": "AAAA"}, "kty is 'oct'"),
        (jwk.from_public_key(other_key().public_key()), "alg is None"),
        (jwk.from_public_key(other_key().public_key()) | {"alg": "RSA-OAEP-256"}, "ECDH-ES+A256KW is expected"),
        (jwk.from_public_key(other_key().public_key()) | {"alg": "ECDH-ES+A256KW", "d": "AAAA"}, "no others"),
        (
            jwk.from_public_key(rsa.generate_private_key(65537, 1024).public_key()) | {"alg": "RSA-OAEP-256"},
            "2048 to 8192 bits",
        ),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "alg": "ECDH-ES+A256KW"}, "32 bytes each"),
        (
            {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43, "alg": "ECDH-ES+A256KW"},
            "not a point on P-256",
        ),
        ({"kty": "EC", "crv": "P-192", "x": "AA", "y": "AA", "alg": "ECDH-ES+A256KW"}, "crv is 'P-192'"),
    ],
)
def test_a_guest_key_that_cannot_protect_a_secret_is_refused(
    client: Client, guest: Guest, refused: Refused, pubkey: dict[str, str], reason: str
) -> None:
    nonce = guest.auth(client)
    message = guest.message(nonce) | {"runtime-data": {"nonce": nonce, "tee-pubkey": pubkey}}
    refused(client.post("/kbs/v0/attest", json=message), 401, reason)


def bearer(token: str) -> dict[str, Any]:
    return {"headers": {"authorization": f"Bearer {token}"}}


def test_a_stale_token_is_refused(site: Site, client: Client, guest: Guest, refused: Refused) -> None:
    token = guest.token(client)
    site.pass_time(seconds=299)
    assert client.get(PATH, **bearer(token)).status_code == 200
    site.pass_time(seconds=1)
    refused(client.get(PATH, **bearer(token)), 401, "expired")


def test_a_token_too_old_for_this_key_is_refused(site: Site, client: Client, guest: Guest, refused: Refused) -> None:
    token = guest.token(client)
    site.change_policy(max_token_seconds=60)
    site.pass_time(seconds=61)
    refused(site.replica().get(PATH, **bearer(token)), 401, "61 s old, this key accepts 60 s")


def test_the_policy_of_the_moment_of_release_decides(site: Site, guest: Guest, refused: Refused) -> None:
    token = guest.token(site.replica())
    site.change_policy(vmpl=[1])
    entry = refused(site.replica().get(PATH, **bearer(token)), 403, "VMPL 0, the policy accepts 1")
    assert entry["policy_digest"] == site.config.resources[0].policy.digest


def test_a_token_names_the_key_of_its_own_evidence_only(
    site: Site, client: Client, guest: Guest, refused: Refused
) -> None:
    token = guest.token(client)
    signer = token_signer(site.keystore)
    claims = ear.read(token, [signer.public_key], site.now)
    forged = ear.issue(
        AttestationResult.of({"cpu": Appraisal.of([], "policy", None)}),
        key=signer,
        verifier_id=ear.VerifierId("developer", "build"),
        nonce=claims["eat_nonce"],
        lifetime=site.now - site.now.replace(year=site.now.year - 1),
        at=site.now,
        extra={
            "tee": "snp",
            "tee-pubkey": guest.but(private_key=other_key()).tee_pubkey,
            "evidence": claims["evidence"],
        },
    )
    refused(client.get(PATH, **bearer(forged)), 401, "token.key")


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-8] + "AAAAAAAA",
        lambda token: jwk.encode(b'{"alg":"none"}') + "." + token.split(".")[1] + ".",
        lambda token: "not-a-token",
        lambda token: token.split(".")[1],
    ],
)
def test_a_forged_token_is_refused(client: Client, guest: Guest, refused: Refused, forge: Any) -> None:
    refused(client.get(PATH, **bearer(forge(guest.token(client)))), 401, "token")


def test_a_result_for_somebody_who_only_verifies_is_no_token(site: Site, guest: Guest, refused: Refused) -> None:
    client = site.replica()
    evidence = guest.evidence("a nonce")
    result = client.post("/v1/verify", json={"evidence": evidence["attestation_report"]}).json()["token"]
    refused(client.get(PATH, **bearer(result)), 401, "the token is not one that this broker's attest call gives")


def test_no_token_is_refused(client: Client, refused: Refused) -> None:
    entry = refused(client.get(PATH), 401, "token.missing")
    assert entry["resource"] == RESOURCE


def test_an_unknown_resource_is_refused(client: Client, guest: Guest, refused: Refused) -> None:
    refused(client.get("/kbs/v0/resource/default/model-key/other", **bearer(guest.token(client))), 404, "no key at")


def test_a_resource_without_a_published_key_is_refused(
    site: Site, client: Client, guest: Guest, refused: Refused
) -> None:
    for file in (site.directory / "wrapped").iterdir():
        file.unlink()
    refused(client.get(PATH, **bearer(guest.token(client))), 404, "no key has been published")


def test_a_key_under_another_kek_is_refused(site: Site, client: Client, guest: Guest, refused: Refused) -> None:
    site.keystore.create_kek("other-kek")
    site.wrapped.put(WrappedKey(RESOURCE, "other-kek", site.keystore.wrap("other-kek", b"x" * 32)))
    refused(client.get(PATH, **bearer(guest.token(client))), 403, "wrapped under 'other-kek'")


def test_a_planted_wrapped_key_is_never_released(site: Site, client: Client, guest: Guest, refused: Refused) -> None:
    known = site.wrapped.get(RESOURCE)
    assert known is not None
    site.wrapped.put(replace(known, blob=known.blob[:-1] + bytes([known.blob[-1] ^ 1])))
    entry = refused(client.get(PATH, **bearer(guest.token(client))), 503, "the wrapped key was changed")
    assert entry["check"] == "unavailable"


@pytest.mark.parametrize("call", ["auth", "attest"])
@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"{", 400, "not JSON"),
        (b"\xff", 400, "not UTF-8"),
        (b"[]", 400, "a JSON object is expected"),
        (b'{"tee":"snp","tee":"tdx"}', 400, "'tee' appears twice"),
        (b"{}", 400, "the message needs"),
        (b" " * 600_000, 413, "larger than 524288 bytes"),
    ],
)
def test_a_body_that_is_no_message_is_refused(
    client: Client, guest: Guest, refused: Refused, call: str, body: bytes, status: int, reason: str
) -> None:
    guest.auth(client)
    refused(client.post(f"/kbs/v0/{call}", content=body), status, reason)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"version": "0.4.0", "tee": "sgx"}, "TEE 'sgx' is not supported, one of snp, tdx"),
        ({"version": "1.0.0", "tee": "snp"}, "this verifier speaks 0.4.x"),
    ],
)
def test_a_protocol_or_tee_that_is_not_spoken_is_refused(
    client: Client, refused: Refused, message: dict[str, str], reason: str
) -> None:
    refused(client.post("/kbs/v0/auth", json=message | {"extra-params": {}}), 401, reason)


def test_a_certificate_table_that_is_none(client: Client, guest: Guest, refused: Refused) -> None:
    message = guest.message(guest.auth(client))
    message["tee-evidence"]["primary_evidence"]["cert_chain"] = "AAAA"
    refused(
        client.post("/kbs/v0/attest", json=message), 401, "cert_chain: malformed at byte 0 (0x0): certificate table"
    )


def test_evidence_of_devices_is_not_silently_ignored(client: Client, guest: Guest, refused: Refused) -> None:
    message = guest.message(guest.auth(client))
    message["tee-evidence"]["additional_evidence"] = '{"hygon_dcu":{}}'
    refused(client.post("/kbs/v0/attest", json=message), 401, "additional_evidence of 'hygon_dcu' is not supported")


def test_reasons_cannot_forge_lines(client: Client, refused: Refused) -> None:
    entry = refused(
        client.post("/kbs/v0/auth", json={"version": "0.4.0", "tee": "snp\r\nallow", "extra-params": ""}), 401, "TEE"
    )
    assert all(reason.isprintable() for reason in entry["reasons"])


def test_the_images_own_guest_policy_counts_even_where_the_keys_policy_is_weak(
    site: Site, guest: Guest, refused: Refused
) -> None:
    site.change_policy(debug=True)
    refused(guest.but(policy=replace(PRODUCTION, debug=True)).attest(site.replica()), 401, "debug")


def test_a_verifier_without_keys_gives_no_token(site: Site, guest: Guest, refused: Refused) -> None:
    site.configure(resources=[])
    refused(guest.attest(site.replica()), 401, "this verifier has no key to release")
