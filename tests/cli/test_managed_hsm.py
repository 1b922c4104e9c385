"""A region whose keys are in a Managed HSM: two stages, with its officers between them."""

import datetime
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.cli.conftest import ROOT, Cli

STACK = "azure-germany"
_REAL = pytest.param(
    "pulumi",
    marks=[
        pytest.mark.pulumi,
        pytest.mark.skipif(
            shutil.which("pulumi") is None, reason="no pulumi command on PATH: see https://www.pulumi.com/docs/install"
        ),
    ],
)


@pytest.fixture
def officers(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Files with the officers' certificates; their private keys are nowhere."""
    folder, private = tmp_path_factory.mktemp("officers"), rsa.generate_private_key(65537, 2048)
    return [str(_certificate(folder / f"officer{number}.cer", private)) for number in range(3)]


def _certificate(path: Path, private: rsa.RSAPrivateKey) -> Path:
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, path.stem)]), datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(private.public_key())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    made = builder.serial_number(x509.random_serial_number()).sign(private, hashes.SHA256())
    path.write_bytes(made.public_bytes(Encoding.PEM))
    return path


def _keys(cli: Cli, keys: str) -> None:
    cli.edit("keys: {service: key-vault-premium, rotationDays: 90, softDeleteDays: 90}", f"keys: {keys}")


@pytest.mark.parametrize("engine", ["local", _REAL])
def test_the_two_stages(cli: Cli, officers: list[str], engine: str) -> None:
    if engine == "pulumi":
        (cli.project / ".venv").symlink_to(sys.prefix)
        (cli.project / "policies").symlink_to(ROOT / "policies")
    env = {"PATH": os.environ["PATH"]}
    _keys(cli, '{service: managed-hsm, administrators: ["00000000-0000-0000-0000-000000000b1e"]}')

    first = cli("up", STACK, "--engine", engine, env=env)
    text = " ".join((first.out + first.err).split())
    assert first.code != 0
    assert "waits for its officers: download its security domain (az keyvault security-domain download" in text
    assert engine == "pulumi" or "Traceback" not in text, "the real engine interrupts the program where it stands"
    assert "ManagedHsmKey" not in text.split("waits for its officers")[-1], "no key was tried"

    early = cli("sandbox", "activate-hsm", STACK, *officers[:2])
    assert early.err.strip() == "error: BadParameter: 2 certificates: a security domain needs 3 to 10."
    assert "any 2 of whom open its security domain" in cli("sandbox", "activate-hsm", STACK, *officers).out

    second = cli("up", STACK, "--engine", engine, env=env)
    assert "ManagedHsmKey" in second.out
    assert "ManagedHsm created" not in second.out.replace("dynamic/azure:", ""), "the HSM was there already"
    assert "waits for its officers" not in second.out
    if engine == "local":
        state = json.loads((cli.project / ".bailiwick" / "state" / f"{STACK}.json").read_text())["deployment"]
        inside = [one for one in state["resources"] if one["type"].startswith("pulumi-python:dynamic/azure:")]
        assert len(inside) > 6
        assert all(len(one["inputs"]["__provider"]) < 150 for one in inside), "state has names of providers, no code"

    gone = cli("destroy", STACK, "--engine", engine, env=env)
    assert gone.code == 0, gone.out + gone.err


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("{service: managed-hsm}", "bailiwick:keys.administrators: is missing: object ids of the service principals"),
        (
            "{service: managed-hsm, administrators: [me]}",
            "bailiwick:keys.administrators[0]: 'me' has the wrong form",
        ),
        (
            '{administrators: ["00000000-0000-0000-0000-000000000b1e"]}',
            "bailiwick:keys.administrators: is for the key service managed-hsm: leave the key out",
        ),
        (
            '{service: managed-hsm, rotationDays: 14, administrators: ["00000000-0000-0000-0000-000000000b1e"]}',
            "rotation_days: 14 is not between 28 and 730 days; nearest supported: 28",
        ),
    ],
)
def test_a_mistake_in_the_stack_file(cli: Cli, keys: str, problem: str) -> None:
    _keys(cli, keys)
    result = cli("check", STACK)
    assert result.code != 0
    assert problem in " ".join((result.out + result.err).split())
