"""The stacks that the repository publishes for Google Cloud, run as an engine runs them."""

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from tests.components import recorder
from tests.components.recorder import Recording
from verifier.config import VerifierConfig

STACKS = Path(__file__).parents[3] / "stacks"


def _run(stack: str, **changes: Any) -> Recording:
    config = yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())["config"]
    config |= {f"bailiwick:{key}": value for key, value in changes.items()}
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    program = str(STACKS / "__main__.py")
    return recorder.record(lambda: runpy.run_path(program, run_name="__main__"), stack=stack, config=text)


@pytest.mark.parametrize(
    ("stack", "location", "tees"),
    [
        ("gcp-germany", "europe-west3", {"inference": "SEV_SNP", "embedding": "TDX"}),
        ("gcp-netherlands", "europe-west4", {"inference": "TDX", "embedding": "TDX"}),
    ],
)
def test_a_published_stack_registers_a_region(stack: str, location: str, tees: dict[str, str]) -> None:
    found = _run(stack)
    provider = found["gcp"].inputs
    assert (provider["project"], provider["region"]) == ("bailiwick-emulated", location)
    assert provider["universeDomain"] == "googleapis.com"
    resources = [one for one in found.registrations if one.type.startswith("gcp:")]
    assert {one.provider for one in resources} == {"gcp"}, "a resource would use whoever is logged in"
    for machine, tee in tees.items():
        asked = next(
            one.inputs["confidentialInstanceConfig"]
            for one in resources
            if one.name in (f"{stack}-{machine}-vm", f"{stack}-{machine}-template")
        )
        assert asked == {"confidentialInstanceType": tee}
    assert found.outputs[f"bailiwick-{stack}"]["verifierUrl"].startswith(f"http://verifier.{stack}.")


@pytest.mark.parametrize("stack", ["gcp-germany", "gcp-netherlands"])
def test_the_verifier_understands_what_it_is_told(stack: str) -> None:
    machine = _run(stack)[f"{stack}-verifier-0-vm"].inputs
    configuration = VerifierConfig.from_json(machine["metadata"]["user-data"])
    assert [resource.path for resource in configuration.resources] == [
        "default/model-key/embedder",
        "default/model-key/llm",
    ]
    assert configuration.resources[0].policy.tee == ("tdx",)


def test_a_mistake_in_the_stack_file_is_a_message_not_a_traceback() -> None:
    with pytest.raises(pulumi.RunError, match="bailiwick:location: 'europe-west33' is not a region of gcp"):
        _run("gcp-germany", location="europe-west33")


def test_a_stack_imports_the_sdk_of_its_own_cloud_only() -> None:
    """Each SDK is tens of megabytes; a process of its own, because this one has them all."""
    code = (
        "import sys, components.spec, components.graph, components.release.gcp, components.gcp.program; "
        "print([name for name in sys.modules if name in ('pulumi_azure_native', 'pulumi_aws', 'pulumi_kubernetes')])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=STACKS.parent, capture_output=True, text=True, check=True
    ).stdout
    assert shown.strip() == "[]"
