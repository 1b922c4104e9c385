"""The Pulumi program of the stacks, run as an engine runs it."""

import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from sandbox.guest.config import parse
from tests.components.azure.recorder import Recording, record
from tests.components.azure.region import user_data
from verifier.config import VerifierConfig

STACKS = Path(__file__).parents[2] / "stacks"


def _config(operator: dict[str, str], changes: dict[str, Any]) -> dict[str, str]:
    """The published stack's configuration as an engine hands it over: everything as text."""
    config = yaml.safe_load((STACKS / "Pulumi.azure-germany.yaml").read_text())["config"]
    config |= {f"bailiwick:{key}": value for key, value in changes.items()}
    config |= {f"bailiwick-azure:{key}": value for key, value in operator.items()}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def _run(operator: dict[str, str] | None = None, **changes: Any) -> Recording:
    return record(
        lambda: runpy.run_path(str(STACKS / "__main__.py"), run_name="__main__"),
        config=_config(operator or {}, changes),
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


def test_guests_and_verifier_understand_what_they_are_told() -> None:
    found = _run()
    verifier = VerifierConfig.model_validate(user_data(found, "azure-germany-verifier-0-vm"))
    assert [resource.path for resource in verifier.resources] == ["default/model-key/llm"]
    guest = parse(json.dumps(user_data(found, "azure-germany-inference-vm")).encode())
    assert guest.resource == "default/model-key/llm"
    assert guest.verifier == found.outputs["bailiwick-azure-germany"]["verifierUrl"]


def test_what_only_an_operator_decides_comes_from_configuration() -> None:
    account = "11111111-1111-4111-8111-111111111111"
    verifier = {"size": "Standard_DC2as_v5", "image": {"name": "verifier", "version": "1.0.0"}, "trustAnchors": ["amd"]}
    real = {"emulated": "false", "subscriptionId": account, "tenantId": account, "verifier": verifier}
    with pytest.raises(pulumi.RunError, match="orchestrator_principal_id"):
        _run(**real)
    operator = {"orchestratorPrincipalId": account, "auditRetentionLocked": "true"}
    found = _run(operator, **real)
    policy = found["azure-germany-audit-store"].inputs["immutableStorageWithVersioning"]["immutabilityPolicy"]
    assert policy["state"] == "Locked"
    assert any(one.inputs["principalId"] == account for one in found.of_type("authorization:RoleAssignment"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"location": "germanywestcentrall"}, "bailiwick:location"),
        ({"location": "eastus"}, "bailiwick:location"),
        ({"keys": {"service": "managed-hsm"}}, "bailiwick:keys.administrators: is missing"),
        ({"network": {"addressSpace": "8.8.0.0/16"}}, "8.8.0.0/16"),
    ],
)
def test_a_mistake_in_the_stack_file_is_a_message_not_a_traceback(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(pulumi.RunError, match=problem) as refusal:
        _run(**changes)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__
