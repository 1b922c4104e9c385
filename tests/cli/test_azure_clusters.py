"""Clusters in an Azure stack file."""

from tests.cli.conftest import Cli

STACK = "azure-germany"
GROUPS = 'bailiwick-azure:clusterAdminGroupIds: ["11111111-1111-4111-8111-111111111111"]'


def _ask(cli: Cli, cluster: str, *more: str) -> str:
    """What `check` says of the stack with a cluster."""
    lines = ("bailiwick:clusters:", f"  - {cluster}", *more)
    with cli.stack_file.open("a") as file:
        file.writelines(f"  {line}\n" for line in lines)
    result = cli("check", STACK)
    return " ".join((result.out + result.err).split())


def test_a_cluster_passes_the_pack(cli: Cli) -> None:
    text = _ask(cli, "{name: serving, size: Standard_DC4as_v5, nodes: 2}", GROUPS)
    assert "azure-germany pass in" in text
    assert "0 fail, 0 unknown" in text


def test_what_is_asked_for_and_cannot_be(cli: Cli) -> None:
    text = _ask(cli, "{name: serving, size: Standard_DC4as_v5}")
    assert "cluster_admin_group_ids: is empty: without local accounts nobody could administer a cluster" in text


def test_a_size_that_has_no_confidential_nodes(cli: Cli) -> None:
    text = _ask(cli, "{name: serving, size: Standard_DC4as_v6}", GROUPS)
    assert "Standard_DC4as_v6" in text
    assert "Standard_DC4as_v5" in text
