"""No secret of a region in anything that leaves its HSM: state, outcomes, log, receipts, verdicts, output, bundle."""

import base64
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, make_project

PASSPHRASE = "planted-passphrase-5d1e0c7a"
CONFIG_SECRET = "planted-config-secret-91b2"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cli, str]:
    """A region that was deployed, changed and exported, and everything that was printed."""
    cli = make_project(tmp_path_factory.mktemp("project"))
    env = {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    program = cli.project / "stacks" / "__main__.py"
    program.write_text(
        program.read_text()
        + f'\npulumi.export("planted", pulumi.Output.secret("{CONFIG_SECRET}"))\n'
        + "import pulumi_azure_native as azure\n"
        + 'provider = azure.Provider("planted", subscription_id="00000000-0000-0000-0000-000000000000", '
        + 'location="germanywestcentral", environment="public")\n'
        + 'azure.resources.ResourceGroup("planted", tags={"jurisdiction": "DE", "data-class": '
        + '"confidential", "owner": "platform@example.org", "stack": "azure-germany", '
        + f'"x": pulumi.Output.secret("{CONFIG_SECRET}")}}, '
        + 'location="eastus", opts=pulumi.ResourceOptions(provider=provider))\n'
    )
    refused = cli("up", "azure-germany", env=env)
    assert refused.code == 1  # the planted group is abroad: its verdicts are printed as well
    program.write_text(program.read_text().replace('location="eastus"', 'location="germanywestcentral"'))
    printed = refused.out + refused.err
    for arguments in (
        ("up", "azure-germany"),
        ("stack", "show", "azure-germany"),
        ("stack", "export", "azure-germany"),
        ("evidence", "export", "azure-germany", "--output", "bundle.json"),
    ):
        result = cli(*arguments, env=env)
        printed += result.out + result.err
    assert (cli.project / "bundle.json").exists(), printed[-2000:]
    return cli, printed


def _everything_outside_the_hsm(cli: Cli) -> dict[Path, bytes]:
    """Every file but the HSM's, the program itself and the emulated cloud, which has what a program gives it."""
    files = {path: path.read_bytes() for path in cli.project.rglob("*") if path.is_file()}
    return {
        path: content
        for path, content in files.items()
        if "hsm" not in path.parts and "stacks" not in path.parts and not path.name.startswith("cloud.db")
    }


def _spellings(secret: bytes) -> list[bytes]:
    return [secret, secret.hex().encode(), base64.b64encode(secret), base64.urlsafe_b64encode(secret).rstrip(b"=")]


@pytest.mark.parametrize("what", ["passphrase", "secret of the program", "PIN of the HSM"])
def test_a_planted_secret_is_nowhere(lived: tuple[Cli, str], what: str) -> None:
    cli, printed = lived
    secret = {
        "passphrase": PASSPHRASE.encode(),
        "secret of the program": CONFIG_SECRET.encode(),
        "PIN of the HSM": (cli.project / ".bailiwick/region/azure-germany/hsm/pin").read_bytes().strip(),
    }[what]
    assert len(secret) >= 8
    for spelling in _spellings(secret):
        assert spelling.decode() not in printed
        for path, content in _everything_outside_the_hsm(cli).items():
            assert spelling not in content, f"{what} is in {path.relative_to(cli.project)}"


def test_the_statements_of_the_bundle_hold_no_secret(lived: tuple[Cli, str]) -> None:
    """Statements are base64 in their envelopes: searched decoded."""
    cli, _ = lived
    bundle = json.loads((cli.project / "bundle.json").read_text())
    pin = (cli.project / ".bailiwick/region/azure-germany/hsm/pin").read_text().strip()
    for envelope in (*bundle["statements"], bundle["manifest"]):
        payload = base64.b64decode(envelope["payload"]).decode()
        for secret in (PASSPHRASE, CONFIG_SECRET, pin):
            assert secret not in payload


def test_files_that_hold_secrets_are_the_owners_alone(lived: tuple[Cli, str]) -> None:
    cli, _ = lived
    hsm = cli.project / ".bailiwick" / "region" / "azure-germany" / "hsm"
    assert (hsm / "pin").stat().st_mode & 0o077 == 0
    for key in (cli.project / ".bailiwick" / "hardware").rglob("*.pem"):
        if b"PRIVATE" in key.read_bytes():
            assert key.stat().st_mode & 0o077 == 0
