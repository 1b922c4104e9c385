"""The verifier as a process: it serves, and what keeps it from starting is one line."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.verifier.test_config import document
from verifier.service import main


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "config.json").write_text(json.dumps(document() | {"port": port}))
    (tmp_path / "pin").write_text("planted-pin\n")
    return [
        str(tmp_path / "config.json"),
        *("--data", str(tmp_path / "data"), "--pin-file", str(tmp_path / "pin"), "--host", "127.0.0.1"),
        *("--key-files", str(tmp_path / "keys"), "--collateral", str(_empty_store(tmp_path))),
    ]


def _empty_store(directory: Path) -> Path:
    store = directory / "store"
    store.mkdir()
    (store / "collateral.json").write_text('{"layout": "bailiwick-collateral", "version": 1}\n')
    return store


def test_a_verifier_process_serves_its_configuration(arguments: list[str], tmp_path: Path) -> None:
    port = json.loads((tmp_path / "config.json").read_text())["port"]
    process = subprocess.Popen([sys.executable, "-m", "verifier", *arguments], stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                health = httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).json()
                break
            except httpx.TransportError:
                assert process.poll() is None, process.stderr and process.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.1)
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert health["verifier"]["name"] == "verifier.azure-germany.bailiwick.internal"
    assert health["log"]["origin"] == "verifier.azure-germany.bailiwick.internal/log"
    assert "THIS IS NOT AN HSM" in errors
    assert "planted-pin" not in errors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda directory: (directory / "config.json").write_text("{"),
            "the verifier's configuration is not",
        ),
        (lambda directory: (directory / "config.json").unlink(), "config.json: No such file or directory"),
        (lambda directory: (directory / "pin").unlink(), "pin: No such file or directory"),
        (lambda directory: (directory / "pin").write_text(""), "passphrase that is not empty"),
        (lambda directory: (directory / "data").write_text(""), "cannot use"),
    ],
)
def test_what_keeps_a_verifier_from_starting_is_one_line(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], change: object, message: str
) -> None:
    assert callable(change)
    change(tmp_path)
    assert main(arguments) == 1
    errors = capsys.readouterr().err.splitlines()
    assert message in errors[-1]
    assert "planted-pin" not in "".join(errors)


def test_a_verifier_without_collateral_does_not_start(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments[: arguments.index("--collateral")]) == 1
    assert "name the region's cache as collateral.url" in capsys.readouterr().err.splitlines()[-1]


def test_a_sandbox_root_is_not_taken_from_nowhere(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(document() | {"trust_anchors": ["amd", "sandbox"]}))
    assert main(arguments) == 1
    assert "sandbox is named, but this verifier was given no such root" in capsys.readouterr().err
