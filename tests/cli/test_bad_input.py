"""A user's mistake: one clear line, an exit code that is not 0, no traceback, nothing lost."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.project import Project
from tests.cli.conftest import Cli, Result


def expect_refused(result: Result, *expected: str) -> None:
    text = " ".join((result.out + result.err).split())
    assert result.code != 0
    assert "Traceback" not in text
    for part in expected:
        assert part in text


def test_a_stack_that_does_not_exist(cli: Cli) -> None:
    expect_refused(cli("up", "azure-germny"), "no stack 'azure-germny'", "did you mean azure-germany?")


def test_a_stack_name_with_a_path_in_it(cli: Cli) -> None:
    expect_refused(cli("up", "../../etc/passwd"), "is not a name")


def test_outside_a_project(cli: Cli) -> None:
    (cli.project / "Pulumi.yaml").unlink()
    expect_refused(cli("up", "azure-germany"), "no Pulumi.yaml", "run bailiwick inside a Bailiwick project")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("germanywestcentral", "germanywestcentra", ("bailiwick:location", "germanywestcentral")),
        ("germanywestcentral", "eastus", ("bailiwick:location", "DE")),
        ("Standard_DC4as_v5", "Standard_D4as_v5", ("bailiwick:machines[0].size", "Standard_DC4as_v5")),
        ("config:", "config: [", ("Pulumi.azure-germany.yaml",)),
        ("bailiwick:owner:", "bailiwick:onwer:", ("onwer", "owner")),
    ],
    ids=["unknown region", "region outside", "machine without the TEE", "malformed YAML", "unknown key"],
)
def test_a_wrong_stack_file(cli: Cli, old: str, new: str, expected: tuple[str, ...]) -> None:
    cli.edit(old, new)
    expect_refused(cli("up", "azure-germany"), *expected)
    assert not (cli.project / ".bailiwick" / "state").exists()


def test_a_corrupt_state_file(cli: Cli) -> None:
    state = cli.project / ".bailiwick" / "state" / "azure-germany.json"
    state.parent.mkdir(parents=True)
    state.write_text('{"version": 3, "checkpoint": ')
    verdicts = state.with_name("azure-germany.verdicts.json")
    verdicts.write_text("what the last deployment left")
    result = cli("up", "azure-germany")
    expect_refused(result, "azure-germany.json")
    assert result.code == 2
    assert verdicts.read_text() == "what the last deployment left"
    assert state.read_text() == '{"version": 3, "checkpoint": '


@pytest.mark.parametrize("content", [b"", b"\xff\xfe"])
def test_a_passphrase_file_without_a_passphrase(cli: Cli, content: bytes) -> None:
    path = cli.project / ".bailiwick" / "passphrase"
    path.parent.mkdir()
    path.write_bytes(content)
    expect_refused(cli("stack", "ls"), "passphrase: is not a passphrase")
    assert path.read_bytes() == content


def test_a_passphrase_is_made_once_whoever_asks_first_and_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE", raising=False)
    with ThreadPoolExecutor(8) as pool:
        (made,) = set(pool.map(lambda _: Project(tmp_path).passphrase(), range(8)))
    assert len(made) >= 40
    assert [path.name for path in (tmp_path / ".bailiwick").iterdir()] == ["passphrase"]
    assert (tmp_path / ".bailiwick" / "passphrase").stat().st_mode & 0o777 == 0o600


def test_ctrl_c_says_that_nothing_is_lost(cli: Cli) -> None:
    (cli.project / "stacks" / "__main__.py").write_text("raise KeyboardInterrupt\n")
    result = cli("preview", "azure-germany")
    assert result.code == 130
    assert "interrupted: what was done is in the state" in result.err


def test_a_stack_with_a_real_account_is_not_the_sandboxs_to_deploy(cli: Cli) -> None:
    cli.edit(
        "bailiwick:subscriptionId: 00000000-0000-0000-0000-000000000000",
        "bailiwick:subscriptionId: 8a1c6bb0-4f0a-4b1e-9d3e-6f7a1f0f4c11",
    )
    expect_refused(cli("up", "azure-germany"), "bailiwick:subscriptionId")


def test_the_real_engine_where_there_is_none(cli: Cli) -> None:
    expect_refused(cli("up", "azure-germany", "--engine", "pulumi"), "no pulumi command on PATH", "install Pulumi")


def test_verify_a_truncated_report(cli: Cli) -> None:
    report = cli.project / "report.bin"
    report.write_bytes(b"\x02\x00\x00\x00" * 100)
    result = cli("verify", "report.bin", "--endorsements", ".")
    expect_refused(result, "report.bin", "1184")
    assert result.code == 2


def test_verify_with_a_time_that_is_none(cli: Cli) -> None:
    expect_refused(
        cli("verify", "report.bin", "--endorsements", ".", "--at", "yesterday"), "--at", "2026-07-01T00:00:00Z"
    )
