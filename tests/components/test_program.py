"""The Pulumi program of the stacks, run as an engine runs it."""

import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from tests.components.azure.recorder import Recording, record

STACKS = Path(__file__).parents[2] / "stacks"


def _config(**changes: Any) -> dict[str, str]:
    """The published stack's configuration as an engine hands it over: everything as text."""
    config = yaml.safe_load((STACKS / "Pulumi.azure-germany.yaml").read_text())["config"]
    config |= {f"bailiwick:{key}": value for key, value in changes.items()}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def _run(**changes: Any) -> Recording:
    return record(
        lambda: runpy.run_path(str(STACKS / "__main__.py"), run_name="__main__"),
        config=_config(**changes),
        version_aliases=True,
    )


def test_the_published_stack_registers_and_exports_a_region() -> None:
    found = _run()
    provider = found["azure"]
    assert provider.type == "pulumi:providers:azure-native"
    assert provider.inputs["location"] == "germanywestcentral"
    assert provider.inputs["subscriptionId"] == "00000000-0000-0000-0000-000000000000"
    resources = [one for one in found.registrations if one.type.startswith("azure-native:")]
    assert len(resources) > 40
    assert {one.provider for one in resources} == {"azure"}, "a resource would use whoever is logged in"
    assert not [alias for one in resources for alias in one.aliases if "/v2" in alias]
    assert found.outputs["bailiwick-azure-germany"]["verifierUrl"].startswith("http://verifier.azure-germany.")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"location": "germanywestcentrall"}, "bailiwick:location"),
        ({"location": "eastus"}, "bailiwick:location"),
        ({"keys": {"service": "managed-hsm"}}, "key-vault-premium"),
        ({"network": {"addressSpace": "8.8.0.0/16"}}, "8.8.0.0/16"),
    ],
)
def test_a_mistake_in_the_stack_file_is_a_message_not_a_traceback(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(pulumi.RunError, match=problem) as refusal:
        _run(**changes)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__
