"""The session of a guest: its cookies are the verifier's own, of their kind, in time, and small."""

from typing import Any

import pytest

from tests.verifier.emulated_site import RESOURCE, Client, Guest, Refused, Site
from verifier import jwk
from verifier.broker import session
from verifier.broker.problem import Refusal
from verifier.broker.service import token_signer

PATH = f"/kbs/v0/resource/{RESOURCE}"


def cookie(value: str) -> dict[str, str]:
    return {"cookie": f"kbs-session-id={value}"}


@pytest.mark.parametrize(
    "change",
    [
        lambda sent: sent[:-6] + "AAAAAA",
        lambda sent: "e30" + sent[3:],
        lambda sent: sent.partition(".")[0],
        lambda sent: "*" + sent[1:],
    ],
)
def test_a_challenge_that_is_not_ours_is_refused(client: Client, guest: Guest, refused: Refused, change: Any) -> None:
    message = guest.message(guest.auth(client))
    forged = change(client.cookies["kbs-session-id"])
    client.cookies.clear()
    response = client.post("/kbs/v0/attest", json=message, headers=cookie(forged))
    refused(response, 401, "session.signature")


def test_attestation_without_a_session_is_refused(client: Client, guest: Guest, refused: Refused) -> None:
    refused(client.post("/kbs/v0/attest", json=guest.message("nonce")), 401, "session.missing")


def test_a_challenge_cookie_is_no_token(client: Client, guest: Guest, refused: Refused) -> None:
    guest.auth(client)
    refused(client.get(PATH), 401, "the session is not an attested one")


def test_a_challenge_and_an_attested_session_do_not_pass_for_one_another(
    client: Client, guest: Guest, refused: Refused
) -> None:
    guest.token(client)
    attested = client.cookies["kbs-session-id"]
    message = guest.message(guest.auth(client))
    client.cookies.clear()
    refused(client.post("/kbs/v0/attest", json=message, headers=cookie(attested)), 401, "session.signature")


def test_a_cookie_has_a_limit_even_when_it_is_signed(site: Site) -> None:
    signer = token_signer(site.keystore)
    for characters, is_read in ((1000, True), (2000, False)):
        challenge, sent = session.issue("t" * characters, site.now, signer)
        if is_read:
            assert session.read(sent, site.now, signer) == challenge
        else:
            with pytest.raises(Refusal, match=r"session\.signature"):
                session.read(sent, site.now, signer)


def test_an_attested_session_cannot_be_made_up(site: Site, client: Client, guest: Guest, refused: Refused) -> None:
    guest.token(client)
    digest = site.entries()[-1]["verdict_digest"]
    forged = (
        jwk.encode(f'{{"result":"{digest}"}}'.encode()) + "." + client.cookies["kbs-session-id"].split(".")[1][::-1]
    )
    client.cookies.clear()
    refused(client.get(PATH, headers=cookie(forged)), 401, "token.missing")


def test_an_attested_session_ends_with_its_token(site: Site, client: Client, guest: Guest, refused: Refused) -> None:
    guest.token(client)
    attested = client.cookies["kbs-session-id"]
    site.pass_time(seconds=300)
    refused(client.get(PATH, headers=cookie(attested)), 401, "expired")
