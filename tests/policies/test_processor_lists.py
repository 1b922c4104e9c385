"""A stack file's list of processors reaches every key policy, on every cloud that names them; ATT-09 asks for it."""

from pathlib import Path

import pytest
import yaml

from components.region import Outline
from components.spec import RegionSpec
from policies import pack
from policies.rule import Example, ExampleResource
from policies.testing import judge

STACKS = Path(__file__).parents[2] / "stacks"
REFERENCE_VALUES = STACKS / "reference-values"
CHIP, PPID = "5c" * 64, "5c" * 16
CLOUDS = {"azure-germany": "Azure", "gcp-germany": "Gcp", "onprem-kubernetes": "Kubernetes"}
(RULE,) = pack.select({"ATT-09"})


def broken(stack: str, *hardware: str) -> list[str]:
    """What ATT-09 says of the verifier of a shipped stack, if that handled secret data and listed `hardware`."""
    file = yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())["config"]
    config = {key.removeprefix("bailiwick:"): value for key, value in file.items() if key.startswith("bailiwick:")}
    config |= {"dataClass": "secret", "verifier": {**config["verifier"], "hardware": list(hardware)}}
    spec = RegionSpec.from_mapping(config, reference_values=REFERENCE_VALUES)
    assert spec.verifier is not None
    outline = Outline.in_private_domain(stack, spec, REFERENCE_VALUES)
    settings = outline.verifier_settings(spec.verifier, outline.plan(), "")
    verifier = ExampleResource(
        f"bailiwick:index:{CLOUDS[stack]}AttestationVerifier",
        "verifier",
        {"guestConfiguration": settings["guest_configuration"]},
    )
    declared = {key: value for key, value in config.items() if isinstance(value, str)}
    outcome = judge(list(RULE.policies()), Example("", (verifier,), declared))
    assert not outcome.not_applicable
    return [violation.message for violation in outcome.violations]


@pytest.mark.parametrize("stack", CLOUDS)
def test_secret_data_needs_the_list(stack: str) -> None:
    assert broken(stack, CHIP, PPID) == []
    assert "so that any genuine processor would do" in broken(stack)[0]
