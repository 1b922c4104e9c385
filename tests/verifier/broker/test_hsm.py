"""The whole path with the keys in a PKCS#11 token: KEK, token key and log key."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.verifier.emulated_site import DEK, RESOURCE, Guest, Site
from verifier.keystore import Pkcs11KeyStore, find_softhsm, init_token
from verifier.log import verify_receipt

MODULE = find_softhsm()
PIN = "planted-pin-4711"

pytestmark = [
    pytest.mark.hsm,
    pytest.mark.skipif(MODULE is None, reason="SoftHSM 2 is missing: apt-get install softhsm2"),
]


@dataclass
class Token:
    store: Pkcs11KeyStore
    directory: Path


@pytest.fixture
def token(tmp_path: Path) -> Token:
    assert MODULE is not None
    directory = tmp_path / "hsm"
    configuration = init_token("region", "planted-so-pin", PIN, directory)
    return Token(Pkcs11KeyStore(MODULE, "region", PIN, configuration), directory)


def test_a_guest_gets_a_key_that_was_unwrapped_in_the_hsm(
    site: Site, guest: Guest, token: Token, tmp_path: Path
) -> None:
    in_hsm = Site(tmp_path / "hsm-site", site.pki, token.store, site.config)
    client = in_hsm.replica()
    guest.token(client)
    released = client.get(f"/kbs/v0/resource/{RESOURCE}")
    assert guest.open(released.json()) == DEK
    verify_receipt(released.json()["receipt"], in_hsm.log.public_key)
    assert client.get("/healthz").json()["keystore"]["is_hsm"]
    assert token.store.names() == ("log-key", "model-kek", "verifier-token-es256")
    in_hsm.log.close()
    for directory in (tmp_path / "hsm-site", token.directory):
        for path in (path for path in directory.rglob("*") if path.is_file()):
            assert DEK not in path.read_bytes()
            assert PIN.encode() not in path.read_bytes()
    token.store.close()
