"""A region with a cluster, its GPUs included, passes the pack."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Cli, make_project

CLUSTERS: dict[str, dict[str, Any]] = {
    "gcp-netherlands": {
        "size": "c3-standard-8",
        "tee": "tdx",
        "gpuPool": {"size": "a3-highgpu-1g", "purchase": "flex-start", "nodes": 2},
    },
    "azure-netherlands": {
        "size": "Standard_DC4as_v5",
        "tee": "snp",
        "gpuPool": {"size": "Standard_NCC40ads_H100_v5", "nodes": 2},
    },
    "aws-ireland": {"size": "m6a.xlarge", "tee": "snp", "release": "1.35.7-20260903"},
}


def _with_cluster(folder: Path, stack: str, **changes: Any) -> Cli:
    """A project in which the stack has a cluster."""
    cli = make_project(folder)
    file = folder / "stacks" / f"Pulumi.{stack}.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["config"]["bailiwick:clusters"] = [{"name": "serving", **CLUSTERS[stack], **changes}]
    if stack.startswith("azure"):
        document["config"]["bailiwick-azure:clusterAdminGroupIds"] = ["00000000-0000-0000-0000-0000000000ad"]
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return cli


@pytest.mark.parametrize("stack", CLUSTERS)
def test_a_region_with_a_cluster_breaks_no_rule(stack: str, tmp_path: Path) -> None:
    checked = _with_cluster(tmp_path, stack)("check", stack)
    assert checked.code == 0, checked.out + checked.err
    assert "0 fail, 0 unknown" in checked.out


def test_nodes_that_a_cloud_does_not_have_are_refused_in_one_line(tmp_path: Path) -> None:
    cli = _with_cluster(tmp_path, "azure-netherlands", size="Standard_DC4es_v6", tee="tdx", gpuPool=None)
    checked = cli("check", "azure-netherlands")
    assert checked.code != 0
    assert "tee: AKS has no 'tdx' nodes; nearest supported: snp" in checked.out + checked.err
    assert "Traceback" not in checked.out + checked.err
