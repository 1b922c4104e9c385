"""`bailiwick waiver` signs what the pack then accepts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer.testing
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pulumi_policy import Severity

from cli.checking import Request, check_stack
from cli.errors import CliError
from cli.waiver import app
from policies import pack
from policies.report.model import EXIT_UNUSABLE
from policies.waivers import Waiver, Waivers, load
from tests.cli.conftest import Cli

KEY = Ed25519PrivateKey.generate()
URN = "urn:pulumi:prod::shop::*::keys"
LAST_DAY = datetime.now(UTC).date() + timedelta(days=30)


def run(key: Path, *changes: str) -> typer.testing.Result:
    options = ["--owner", "a@example.org", "--reason", "Müller: weil", "--expires", str(LAST_DAY), "--key", str(key)]
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
    assert load({"KEY-05": Severity.MEDIUM}, file, tmp_path).entries[0].expires == LAST_DAY


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (("--expires", "2020-01-31"), "KEY-05: expired on 2020-01-31"),
        (("--expires", "2090-01-31"), "KEY-05: expires on 2090-01-31; at most 366 days ahead"),
    ],
)
def test_what_the_pack_would_refuse_is_not_signed(tmp_path: Path, changes: tuple[str, ...], says: str) -> None:
    refused = run(private(tmp_path), *changes)
    assert str(refused.exception).startswith(says)
    assert refused.stdout == ""


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


def test_a_waiver_of_a_stack_that_is_not_there_stops_the_check(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"rule": "KEY-05", "owner": "a", "reason": "b", "expires": LAST_DAY}
    misspelt = Waiver(urn="urn:pulumi:azure-germny::bailiwick::*::*", **fields)
    monkeypatch.setattr(pack, "held", lambda: Waivers((misspelt,)))
    report = check_stack(Request(cli.project, "azure-germany", ("KEY-05",), 60))
    assert report.exit_code == EXIT_UNUSABLE
    assert "the waiver of KEY-05 for 'urn:pulumi:azure-germny::bailiwick::*::*' is of no stack" in (report.error or "")
