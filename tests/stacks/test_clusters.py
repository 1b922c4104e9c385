"""A region with a cluster, its GPUs included, passes the pack."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import make_project

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


@pytest.mark.parametrize("stack", CLUSTERS)
def test_a_region_with_a_cluster_breaks_no_rule(stack: str, tmp_path: Path) -> None:
    cli = make_project(tmp_path)
    file = tmp_path / "stacks" / f"Pulumi.{stack}.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["config"]["bailiwick:clusters"] = [{"name": "serving", **CLUSTERS[stack]}]
    if stack.startswith("azure"):
        document["config"]["bailiwick-azure:clusterAdminGroupIds"] = ["00000000-0000-0000-0000-0000000000ad"]
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    checked = cli("check", stack)
    assert checked.code == 0, checked.out + checked.err
    assert "0 fail, 0 unknown" in checked.out
