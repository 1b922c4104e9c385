"""What the page about other languages says is so."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.errors import InputPropertiesError

from components.hosted.offered import NOT_HOSTED
from tests.components.gcp import region as gcp
from tests.components.hosted.clouds import construct

PAGE = (Path(__file__).parents[3] / "docs" / "hosting.md").read_text(encoding="utf-8")
PROBLEM = re.compile(r"- property (\S+) with value '\{(.+?)\}' has a problem: (.+)")


@pytest.fixture
def region(tmp_path: Path) -> dict[str, Any]:
    """The region of the page's example, with its reference values."""
    (block,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    stated: dict[str, Any] = yaml.safe_load(block)["resources"]["frankfurt"]
    stated["properties"]["referenceValues"] = str(gcp.write_reference_values(tmp_path))
    return stated


def test_the_example_is_a_region(region: dict[str, Any]) -> None:
    token = region["type"].replace(":", ":index:")
    made = construct(token, "frankfurt", region["properties"], gcp.record)
    assert made["frankfurt-inference-vm"].inputs["confidentialInstanceConfig"]["confidentialInstanceType"] == "SEV_SNP"


def test_the_mistakes_are_answered_as_shown(region: dict[str, Any]) -> None:
    shown = PROBLEM.findall(PAGE)
    wrong = dict(region["properties"])
    for path, value, _ in shown:
        if path.startswith("machines[0]."):
            wrong["machines"] = [wrong["machines"][0] | {path.removeprefix("machines[0]."): value}]
        else:
            wrong[path] = value
    with pytest.raises(InputPropertiesError) as refused:
        construct("bailiwick:index:GcpSovereignRegion", "frankfurt", wrong, gcp.record)
    said = {one["property_path"]: one["reason"] for one in refused.value.errors or ()}
    assert said == {path: reason for path, _, reason in shown}


def test_it_names_what_is_not_hosted_and_why() -> None:
    assert all(name in PAGE and reason in PAGE for name, reason in NOT_HOSTED.items())
