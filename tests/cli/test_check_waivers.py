"""`bailiwick waiver` signs what the pack then accepts."""

from pathlib import Path

import pytest
import typer.testing
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pulumi_policy import Severity

from cli.errors import CliError
from cli.waiver import app
from policies.waivers import load

KEY = Ed25519PrivateKey.generate()
URN = "urn:pulumi:prod::shop::*::keys"


def run(key: Path, *changes: str) -> typer.testing.Result:
    options = ["--owner", "a@example.org", "--reason", "Müller: weil", "--expires", "2027-01-31", "--key", str(key)]
    return typer.testing.CliRunner().invoke(app, ["KEY-05", URN, *options, *changes])


def private(folder: Path, key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey = KEY) -> Path:
    path = folder / "key"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def test_a_signed_entry_is_accepted(tmp_path: Path) -> None:
    result = run(private(tmp_path))
    assert result.exit_code == 0, result.output
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "security.pem").write_bytes(public)
    file = tmp_path / "waivers.yaml"
    file.write_text(yaml.safe_dump({"waivers": yaml.safe_load(result.stdout)}))
    day = load({"KEY-05": Severity.MEDIUM}, file, tmp_path, yaml.safe_load("2026-12-01")).entries[0].expires
    assert day.isoformat() == "2027-01-31"


def test_a_pattern_that_is_no_urn(tmp_path: Path) -> None:
    result = run(private(tmp_path), "--owner", "")
    assert isinstance(result.exception, CliError)
    assert str(result.exception).startswith("owner: ")


def test_another_kind_of_key(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="is not an Ed25519 key"):
        raise run(private(tmp_path, ec.generate_private_key(ec.SECP384R1()))).exception or AssertionError
    (tmp_path / "text").write_text("no key")
    with pytest.raises(CliError, match="is not a private key in PEM"):
        raise run(tmp_path / "text").exception or AssertionError
