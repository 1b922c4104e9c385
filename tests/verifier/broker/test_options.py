"""What `python -m verifier` is told on its command line reaches what it serves."""

import json
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from sandbox.hardware import SandboxPki, TdxModule, publish_collateral
from tests.verifier.broker.test_verification import NONCE, answered, problem, request
from tests.verifier.emulated_site import Client, text
from tests.verifier.emulated_td import HOST, MR_TD
from tests.verifier.test_config import document
from tests.verifier.test_service import arguments
from verifier import service
from verifier.keystore import KeyStoreError
from verifier.service import main

__all__ = ["arguments"]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[uvicorn.Config]:
    """What would have been served, were there a server."""
    found: list[uvicorn.Config] = []

    class Server:
        def __init__(self, config: uvicorn.Config) -> None:
            found.append(config)

        def run(self) -> None:
            pass

    monkeypatch.setattr(uvicorn, "Server", Server)
    return found


def client_of(config: uvicorn.Config) -> Client:
    assert isinstance(config.app, Starlette)
    return Client(config.app)


def without(arguments: list[str], option: str) -> list[str]:
    """The arguments without an option and its value."""
    index = arguments.index(option)
    return arguments[:index] + arguments[index + 2 :]


def test_collateral_may_come_in_files(
    arguments: list[str], tmp_path: Path, pki: SandboxPki, served: list[uvicorn.Config]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(document() | {"trust_anchors": ["sandbox"]}))
    (tmp_path / "roots.pem").write_bytes(pki.roots)
    (tmp_path / "amd.crl").write_bytes(pki.revocation_list())
    publish_collateral(pki.intel, tmp_path / "intel")
    lists, quotes = ["--crl", str(tmp_path / "amd.crl")], ["--tdx-collateral", str(tmp_path / "intel")]
    base = [*without(arguments, "--collateral"), "--sandbox-root", str(tmp_path / "roots.pem")]
    for options in (lists, quotes, [*lists, *quotes]):
        assert main([*base, *options]) == 0
    client = client_of(served[-1])
    report = answered(client, request(pki) | {"policy": "default"})
    assert report["submods"]["cpu"]["ear.veraison.policy-claims"]["revocation"]["value"] == "checked"
    module = TdxModule(pki.intel, HOST)
    quote = module.quote(module.launch(MR_TD, ()), NONCE.ljust(64, b"\0"))
    assert answered(client, {"evidence": text(quote)})["genuine"]


def test_the_regions_cache_goes_before_a_store(
    arguments: list[str], tmp_path: Path, pki: SandboxPki, served: list[uvicorn.Config]
) -> None:
    assert main(arguments) == 0
    cached = document() | {"collateral": {"url": "http://127.0.0.1:1/collateral"}}
    (tmp_path / "config.json").write_text(json.dumps(cached))
    assert main(arguments) == 0
    in_store, in_cache = (client_of(config) for config in served)
    body = request(pki) | {"policy": "default"}
    del body["endorsements"]
    assert answered(in_store, body)["failed_check"] == "collateral.missing"
    problem(in_cache.post("/v1/verify", json=body), 503, "collateral-unavailable")


def test_it_listens_where_it_is_told_with_the_certificate_that_it_is_given(
    arguments: list[str], served: list[uvicorn.Config]
) -> None:
    assert main([*arguments, "--tls-certificate", "chain.pem", "--tls-key", "key.pem"]) == 0
    assert main(without(arguments, "--host")) == 0
    here, everywhere = served
    assert (here.host, here.ssl_certfile, here.ssl_keyfile) == ("127.0.0.1", Path("chain.pem"), Path("key.pem"))
    assert (everywhere.host, everywhere.ssl_certfile) == ("0.0.0.0", None)


def test_keys_are_in_the_token_that_is_named(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[tuple[object, ...]] = []

    def token(*named: object) -> None:
        opened.append(named)
        raise KeyStoreError("no such token")

    installed: list[Path | None] = [Path("softhsm.so"), Path("softhsm.so"), None]
    monkeypatch.setattr(service, "Pkcs11KeyStore", token)
    monkeypatch.setattr(service, "find_softhsm", installed.pop)
    base = without(arguments, "--key-files")
    assert main(base) == 1
    assert "name one with --pkcs11-module" in capsys.readouterr().err
    named = ["--pkcs11-module", "hsm.so", "--token", "region", "--softhsm-configuration", "softhsm2.conf"]
    assert (main(base), main([*base, *named])) == (1, 1)
    assert opened == [
        (Path("softhsm.so"), "bailiwick", "planted-pin", None),
        (Path("hsm.so"), "region", "planted-pin", Path("softhsm2.conf")),
    ]
