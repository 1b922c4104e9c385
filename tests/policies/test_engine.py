"""The pack under the real engine: `pulumi policy analyze` on a state file."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies import examples
from policies.rule import ExampleResource
from policies.testing import urn

ROOT = Path(__file__).parents[2]
SECONDS = 120

pytestmark = [
    pytest.mark.pulumi,
    pytest.mark.skipif(
        shutil.which("pulumi") is None, reason="needs the pulumi command on PATH (https://www.pulumi.com/docs/install)"
    ),
]

Analyze = Callable[..., subprocess.CompletedProcess[str]]
DNS = ExampleResource(
    "azure-native:network:PrivateDnsZoneGroup",
    "keys-endpoint-dns",
    {"privateEndpointName": "keys-endpoint"},
    uses={"privateEndpointName": ("keys-endpoint",)},
)
TAGGED = tuple(
    examples.but(one, {"tags": examples.TAGS}) for one in (examples.VAULT, examples.VAULT_DOOR, examples.AUDIT_STORE)
)
COMPLIANT = (examples.PROVIDER, *TAGGED, DNS, examples.AUDIT_STREAM)


@pytest.fixture
def analyze(tmp_path: Path) -> Analyze:
    """Runs the pack over a state that holds some resources, with nothing of this user's own Pulumi in reach."""
    pack = tmp_path / "pack"
    pack.mkdir()
    shutil.copy(ROOT / "policies" / "__main__.py", pack)
    project = yaml.safe_load((ROOT / "policies" / "PulumiPolicy.yaml").read_text())
    project["runtime"]["options"]["virtualenv"] = sys.prefix
    (pack / "PulumiPolicy.yaml").write_text(yaml.safe_dump(project))

    def run(
        *resources: ExampleResource, policy_config: dict[str, Any] | None = None
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "state.json").write_text(json.dumps(state(resources)))
        command = ["pulumi", "policy", "analyze", "--file", "state.json", "--policy-pack", str(pack)]
        if policy_config is not None:
            (tmp_path / "config.json").write_text(json.dumps(policy_config))
            command += ["--policy-pack-config", "config.json"]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": tmp_path.as_uri(),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            "PULUMI_CONFIG": json.dumps({f"bailiwick:{key}": value for key, value in examples.CONFIG.items()}),
        }
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    return run


def state(resources: Sequence[ExampleResource]) -> dict[str, Any]:
    """A checkpoint as `pulumi stack export` writes it."""
    urns = {one.name: urn(one) for one in resources}
    return {
        "version": 3,
        "deployment": {
            "manifest": {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""},
            "resources": [
                {
                    "urn": urns[one.name],
                    "custom": True,
                    "id": one.name,
                    "type": one.type,
                    "inputs": one.props,
                    "outputs": one.props,
                    "propertyDependencies": {key: [urns[name] for name in names] for key, names in one.uses.items()},
                }
                for one in resources
            ],
        },
    }


def test_a_compliant_state_passes(analyze: Analyze) -> None:
    done = analyze(*COMPLIANT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_violation_ends_the_run_and_reads_the_same_as_everywhere(analyze: Analyze) -> None:
    abroad = examples.but(examples.VAULT, {"location": "eastus"})
    done = analyze(abroad, *(one for one in COMPLIANT if one is not examples.VAULT))
    assert done.returncode == 1
    assert "RES-01 azure-native:keyvault:Vault 'keys': location is 'eastus' (US), outside DE" in done.stdout
    assert "[mandatory]" in done.stdout


def test_a_typing_error_in_the_policy_config_stops_the_run(analyze: Analyze) -> None:
    done = analyze(*COMPLIANT, policy_config={"RES-1": "mandatory"})
    assert done.returncode != 0
    assert "'RES-1' is not a rule of this pack" in done.stdout + done.stderr


def test_a_rule_cannot_be_switched_off(analyze: Analyze) -> None:
    done = analyze(*COMPLIANT, policy_config={"RES-01": "disabled"})
    assert done.returncode != 0
    assert "RES-01: enforcementLevel is disabled; allowed: mandatory" in done.stdout + done.stderr
