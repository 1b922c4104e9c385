"""`bailiwick up --remediate`: a rule puts a mistake of the program right before it reaches the cloud, and says so."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

STACK = "aws-eusc"
"""A region of keys and log, which is up in seconds."""
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
MISTAKE = f"""
def _open_to_everybody(args):
    if args.type_ == "{BLOCK}":
        return pulumi.ResourceTransformationResult({{**args.props, "block_public_policy": False}}, args.opts)


pulumi.runtime.register_stack_transformation(_open_to_everybody)


def outputs("""
"""A transformation of the stack that undoes what the components state."""


@pytest.fixture
def mistaken(cli: Cli) -> Cli:
    program = cli.project / "stacks" / "__main__.py"
    program.write_text(program.read_text().replace("def outputs(", MISTAKE.lstrip("\n"), 1))
    return cli


def state_file(cli: Cli) -> Path:
    return cli.project / ".bailiwick" / "state" / f"{STACK}.json"


def blocks(cli: Cli) -> list[dict[str, Any]]:
    """What keeps buckets from the public, as the stack's state has it."""
    state = json.loads(state_file(cli).read_text())
    return [one for one in state["deployment"]["resources"] if one["type"] == BLOCK]


def test_what_a_rule_puts_right_is_what_the_cloud_gets_and_what_the_state_shows(mistaken: Cli) -> None:
    refused = mistaken("up", STACK)
    assert refused.code == 1, refused.out + refused.err
    assert "NET-01" in refused.out
    assert "blockPublicPolicy is false; allowed: true" in " ".join(refused.out.split())
    assert not state_file(mistaken).exists()
    up = mistaken("up", STACK, "--remediate", "NET-01")
    assert up.code == 0, up.out + up.err
    made = blocks(mistaken)
    assert made
    told = " ".join(up.out.split())
    for one in made:
        name = one["urn"].rpartition("::")[2]
        assert f"NET-01 remediated {BLOCK} {name}: blockPublicPolicy false → true" in told
        assert one["inputs"]["blockPublicPolicy"] is True
        assert one["outputs"]["blockPublicPolicy"] is True
    refreshed = mistaken("refresh", STACK)
    assert refreshed.code == 0, refreshed.out + refreshed.err
    assert "unchanged" in refreshed.out
    again = mistaken("preview", STACK, "--remediate", "NET-01")
    assert again.code == 0, again.out + again.err
    assert "to update" not in again.out
