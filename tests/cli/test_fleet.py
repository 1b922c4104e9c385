"""Several regions at once, new regions, drawings and faults, as a platform engineer uses them."""

import re
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Cli


def test_several_regions_come_up_at_once(cli: Cli) -> None:
    made = cli("new", "azure-sweden", "--jurisdiction", "SE", "--owner", "team@example.org")
    assert made.code == 0, made.out + made.err
    assert "0 fail" in made.out
    result = cli("up", "azure-germany", "azure-sweden")
    assert result.code == 0, result.out + result.err
    rows = [line for line in result.out.splitlines() if line.startswith("│ azure-")]
    assert len(rows) == 2
    assert all(" up " in row and "1 of 1" in row for row in rows)


@pytest.mark.parametrize(("data_class", "outside"), [("confidential", True), ("internal", False)])
def test_new_has_sensitive_data_s_keys_outside_the_cloud(cli: Cli, data_class: str, outside: bool) -> None:
    made = cli("new", "gcp-hesse", "--cloud", "gcp", "--data-class", data_class)
    assert made.code == 0, made.out + made.err
    written = (cli.project / "stacks" / "Pulumi.gcp-hesse.yaml").read_text()
    assert ("externalManager is an example" in made.out, "host: keys.trustee.example" in written) == (outside, outside)


def test_one_region_that_fails_is_named_and_the_others_come_up(cli: Cli) -> None:
    assert cli("new", "azure-sweden", "--jurisdiction", "SE").code == 0
    cli.edit("Standard_DC4as_v5", "Standard_D4as_v5")
    result = cli("up", "azure-germany", "azure-sweden")
    assert result.code == 1
    assert re.search(r"azure-germany +│ failed", result.out)
    assert re.search(r"azure-sweden +│ up", result.out)
    assert "bailiwick:machines[0].size" in result.out


def test_new_refuses_what_no_region_of_the_jurisdiction_offers(cli: Cli) -> None:
    result = cli("new", "azure-paris", "--jurisdiction", "FR", "--tee", "tdx")
    assert result.code == 2
    assert "no region of azure in FR offers tdx" in result.err
    assert not (cli.project / "stacks" / "Pulumi.azure-paris.yaml").exists()
    taken = cli("new", "azure-germany")
    assert taken.code == 2
    assert "exists" in taken.err


def test_graph_draws_the_jurisdiction_and_the_resources_before_anything_exists(cli: Cli) -> None:
    mermaid = cli("graph", "azure-germany")
    assert mermaid.code == 0, mermaid.err
    assert 'subgraph inside ["DE"]' in mermaid.out
    assert "-.->|control-plane|" in mermaid.out
    resources = cli("graph", "azure-germany", "--format", "resources")
    assert "azure-germany-inference-vm<br/>compute:VirtualMachine" in resources.out
    drawn = cli("graph", "azure-germany", "--format", "svg", "--output", "graph.svg")
    assert drawn.code == 0, drawn.err
    image = ElementTree.parse(cli.project / "graph.svg").getroot()
    assert image.tag.endswith("svg")
    assert not (cli.project / ".bailiwick" / "region").exists()


def test_a_stack_resumes_after_faults_of_the_cloud(cli: Cli) -> None:
    broken = cli("up", "azure-germany", "--faults", "fail=0.04,throttle=0.2,retry_after=0.01,seed=3")
    assert broken.code == 1
    assert "failed" in broken.out
    assert "Stopped" in broken.out
    for _ in range(8):  # each run gets past what failed in the one before
        result = cli("up", "azure-germany", "--faults", "fail=0.04,throttle=0.2,retry_after=0.01,seed=3")
        if result.code == 0:
            break
    assert result.code == 0, result.out
    assert ": attested" in result.out
    for verb in ("up", "destroy"):
        unreadable = cli(verb, "azure-germany", "--faults", "explode=1")
        assert unreadable.code == 2
        assert "throttle" in unreadable.err
    down = cli("destroy", "azure-germany", "--faults", "throttle=0.2,unavailable=0.2,retry_after=0.01,seed=3")
    assert down.code == 0, down.out
