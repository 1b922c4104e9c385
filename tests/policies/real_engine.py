"""The pack under the real engine: `pulumi policy analyze` on a state file, with nothing of this user's own in reach."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies import examples
from policies.rule import ExampleResource
from policies.testing import urn

ROOT = Path(__file__).parents[2]
SECONDS = 120

needs_pulumi = [
    pytest.mark.pulumi,
    pytest.mark.skipif(
        shutil.which("pulumi") is None, reason="needs the pulumi command on PATH (https://www.pulumi.com/docs/install)"
    ),
]


def analyze(
    folder: Path,
    resources: Sequence[ExampleResource],
    *options: str,
    config: Mapping[str, str] = examples.CONFIG,
    policy_config: Mapping[str, Any] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Judge a state that holds `resources`; it is left in `folder` as `state.json`."""
    pack = folder / "pack"
    pack.mkdir(exist_ok=True)
    shutil.copy(ROOT / "policies" / "__main__.py", pack)
    project = yaml.safe_load((ROOT / "policies" / "PulumiPolicy.yaml").read_text())
    project["runtime"]["options"]["virtualenv"] = sys.prefix
    (pack / "PulumiPolicy.yaml").write_text(yaml.safe_dump(project))
    (folder / "state.json").write_text(json.dumps(state(resources)))
    command = ["pulumi", "policy", "analyze", "--file", "state.json", "--policy-pack", str(pack), *options]
    if policy_config is not None:
        (folder / "config.json").write_text(json.dumps(policy_config))
        command += ["--policy-pack-config", "config.json"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "BAILIWICK_FACTS": str(ROOT / "stacks" / "facts"),  # the pack is outside the project that has them
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": folder.as_uri(),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        "PULUMI_CONFIG": json.dumps({f"bailiwick:{key}": value for key, value in config.items()}),
    }
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def events(done: subprocess.CompletedProcess[str], kind: str) -> list[dict[str, Any]]:
    """What `--json` told of one kind (`policyEvent`, `policyRemediationEvent`)."""
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [line[kind] for line in lines if kind in line]


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
                    "parent": urns.get(one.parent or "", ""),
                    "propertyDependencies": {
                        key: [urns[name] for name in names if name in urns] for key, names in one.uses.items()
                    },
                }
                for one in sorted(resources, key=lambda one: one.parent is not None)
            ],
        },
    }
