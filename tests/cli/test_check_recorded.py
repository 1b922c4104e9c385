"""What Pulumi itself writes is judged: recorded files of one program, and, where there is a `pulumi`, fresh ones."""

import json
import shutil
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path

import pytest

from bench.pulumi_command import PulumiCommand
from cli.given import check_preview, check_state
from policies import examples, pack
from policies.context import TODAY
from policies.report.model import StackReport
from sandbox.clouds import open_cloud, providers_of
from sandbox.clouds.hardware import NullHardware
from sandbox.clouds.server import serve

RECORDED = Path(__file__).parent / "recorded"
RULES = tuple(rule.id for rule in pack.RULES)
CONFIG = [f"bailiwick:{key}={value}" for key, value in examples.CONFIG.items()]
VAULT, STORE = "azure-native:keyvault:Vault::keys", "azure-native:storage:StorageAccount::data"
BROKEN = {
    ("KEY-06", VAULT, "fail"),
    ("KEY-07", VAULT, "fail"),
    ("LOG-01", "pulumi:pulumi:Stack::bailiwick-azure-germany", "fail"),
    ("NET-01", STORE, "fail"),
    ("NET-04", STORE, "unknown"),  # neither file shows a secret
}


def found(preview: Path | None = None, state: Path | None = None) -> set[object]:
    """Rule, resource and status of everything that blocks."""

    def judge() -> StackReport:
        TODAY.set(examples.TODAY)
        if preview is not None:
            return check_preview(preview, None, [], RULES, 60)
        assert state is not None
        return check_state(state, None, CONFIG, RULES, 60)

    report = copy_context().run(judge)
    assert report.error is None
    return {(one.rule, one.urn.split("::", 2)[2], one.status) for one in report.results if one.blocks}


def test_a_recorded_preview() -> None:
    assert found(preview=RECORDED / "preview.json") == BROKEN


def test_a_recorded_state() -> None:
    assert found(state=RECORDED / "export.json") == BROKEN


@pytest.fixture
def pulumi(tmp_path: Path) -> Iterator[PulumiCommand]:
    """The `pulumi` command on the program that was recorded."""
    cloud = open_cloud("azure", tmp_path / "cloud", NullHardware())
    served = serve(providers_of(cloud))
    try:
        command = PulumiCommand(tmp_path, "azure-germany", served.debug_providers)
        shutil.copy(RECORDED / "program.py", tmp_path / "project" / "stacks" / "__main__.py")
        yield command
    finally:
        served.stop()
        cloud.close()


@pytest.mark.pulumi
@pytest.mark.skipif(
    shutil.which("pulumi") is None, reason="needs the pulumi command on PATH (https://www.pulumi.com/docs/install)"
)
def test_what_pulumi_writes_today_reads_the_same(pulumi: PulumiCommand, tmp_path: Path) -> None:
    written = tmp_path / "written.json"
    preview = ("preview", "--json", "--show-sames", "--stack", "azure-germany")
    written.write_text(pulumi(*preview))
    assert found(preview=written) == BROKEN
    pulumi("up", "--yes", "--stack", "azure-germany")
    written.write_text(json.dumps(pulumi.checkpoint()))
    assert found(state=written) == BROKEN
    written.write_text(pulumi(*preview))
    assert found(preview=written) == BROKEN
