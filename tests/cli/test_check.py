"""`bailiwick check` on stacks: which ones, in which format, with which exit code, and where a finding is."""

import json
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from cli.changed import stacks_changed_since
from cli.errors import CliError
from cli.project import Project
from sandbox.engine.secrets import SecretBox
from tests.cli.conftest import ROOT, Cli, Result

ABROAD = """
from pulumi_azure_native import Provider, resources

resources.ResourceGroup(
    "elsewhere",
    location="eastus",
    tags={"jurisdiction": "DE", "data-class": "confidential"},
    opts=pulumi.ResourceOptions(
        provider=Provider(
            "elsewhere",
            location="germanywestcentral",
            environment="public",
            subscription_id="00000000-0000-0000-0000-000000000000",
        )
    ),
)
"""
WAITS_FOR_EVER = """
import asyncio

from pulumi_azure_native import resources

never = pulumi.Output.from_input(asyncio.get_running_loop().create_future())
resources.ResourceGroup("waiting", location=never)
"""
LEAKY = """
from pulumi_azure_native import storage

storage.StorageAccount(
    "leaky",
    resource_group_name="x",
    location="germanywestcentral",
    kind="StorageV2",
    sku={"name": "Standard_ZRS"},
    allow_cross_tenant_replication=False,
    minimum_tls_version="TLS1_0",
    enable_https_traffic_only=True,
    public_network_access="Disabled",
    tags={"owner": "o", "jurisdiction": "DE", "data-class": "confidential"},
)
"""


def program(cli: Cli) -> Path:
    return cli.project / "stacks" / "__main__.py"


def extend(cli: Cli, code: str) -> None:
    with program(cli).open("a") as file:
        file.write(code)


def unusable(result: Result, *expected: str) -> None:
    assert result.code == 2, result.out + result.err
    assert "Traceback" not in result.out + result.err
    for text in expected:
        assert text in result.out + result.err


def test_the_shipped_stacks_pass_and_every_status_is_told_apart(cli: Cli) -> None:
    result = cli("check", "--all", "--format", "json")
    assert result.code == 0, result.out + result.err
    lines: list[int] = []
    for stack in json.loads(result.out)["stacks"].values():
        assert {verdict["status"] for verdict in stack["verdicts"]} == {"pass", "not_applicable"}
        assert [one["urn"] for one in stack["verdicts"] if one["rule"] == "CVM-01" and one["status"] == "pass"]
        lines += [one["line"] for one in stack["verdicts"] if "confidentialvm" in one["urn"].lower()]
    assert min(lines) > 0, "a region of keys and log has no machine, the others have"


def test_a_violation_is_reported_at_the_line_that_made_the_resource(cli: Cli) -> None:
    extend(cli, ABROAD)
    line = program(cli).read_text().splitlines().index("resources.ResourceGroup(") + 1
    junit, baseline = cli.project / "report.xml", cli.project / "baseline.json"

    result = cli("check", "azure-germany", "--format", "junit", "--output", str(junit))
    assert result.code == 1, result.out + result.err
    assert f"mandatory fail stacks/__main__.py:{line}: RES-01" in result.out
    (failure,) = ET.parse(junit).iter("failure")
    assert failure.get("message", "").startswith(f"stacks/__main__.py:{line}: RES-01 ")

    assert cli("check", "azure-germany", "--format", "json", "--output", str(baseline)).code == 1
    accepted = cli("check", "azure-germany", "--baseline", str(baseline))
    assert accepted.code == 0, accepted.out + accepted.err
    assert "1 in the baseline" in accepted.out


def test_several_stacks_are_checked_side_by_side_and_the_worst_counts(cli: Cli) -> None:
    text = cli.stack_file.read_text()
    (cli.project / "stacks" / "Pulumi.broken.yaml").write_text(text.replace("germanywestcentral", "eastus"))
    document = json.loads(cli("check", "azure-germany", "broken", "--format", "json", "--theme", "KEY").out)
    stacks = document["stacks"]
    assert document["exit_code"] == 2
    assert stacks["azure-germany"]["exit_code"] == 0
    assert "bailiwick:location" in stacks["broken"]["error"]
    assert stacks["broken"]["verdicts"] == []
    assert {verdict["rule"][:3] for verdict in stacks["azure-germany"]["verdicts"]} == {"KEY"}


@pytest.mark.parametrize(
    ("end", "says"),
    [
        ('raise ValueError("planted")', ("ValueError: planted", "stacks/__main__.py:")),
        ("raise GeneratorExit", ("GeneratorExit",)),
        ("import os; os._exit(0)", ("ended by itself",)),
    ],
)
def test_a_program_that_raises_or_ends_is_no_pass(cli: Cli, end: str, says: tuple[str, ...]) -> None:
    extend(cli, f"\n{end}\n")
    told = cli("check", "azure-germany", "--format", "github")
    unusable(told, "::error file=stacks/Pulumi.azure-germany.yaml,title=could not check", *says)


def test_a_pack_that_raises(cli: Cli) -> None:
    pack = cli.project / "broken" / "policies" / "__init__.py"
    pack.parent.mkdir(parents=True)
    pack.write_text('raise ValueError("planted")')
    path = {"PYTHONPATH": f"{pack.parents[1]}:{ROOT}"}
    told = cli("check", "azure-germany", env=path)
    unusable(told, f"error: defect: ValueError: planted ({pack}:1); BAILIWICK_TRACEBACK=1 shows")
    assert "Traceback" in cli("check", "azure-germany", env={**path, "BAILIWICK_TRACEBACK": "1"}).err


def test_a_stack_with_a_secret_is_judged_where_the_passphrase_is_stated(cli: Cli) -> None:
    box = SecretBox.new("the passphrase")
    sealed = f"  app:password:\n    secure: {box.seal_text('planted')}\n"
    cli.edit("config:\n", f"encryptionsalt: {box.salt}\nconfig:\n{sealed}")
    extend(cli, '\nassert pulumi.Config("app").require("password") == "planted"\n')
    arguments = ("check", "azure-germany", "--theme", "KEY")
    unusable(cli(*arguments), "app:password: wrong passphrase: set PULUMI_CONFIG_PASSPHRASE")
    told = cli(*arguments, env={"PULUMI_CONFIG_PASSPHRASE": "the passphrase"})
    assert told.code == 0, told.out + told.err


def test_a_terminal_without_the_characters_of_a_report(cli: Cli) -> None:
    arguments = ("check", "azure-germany", "--theme", "KEY", "--format", "markdown")
    told = cli(*arguments, env={"PYTHONIOENCODING": "ascii"})
    assert told.code == 0, told.err
    assert "| azure-germany | \\u2705 pass |" in told.out


def test_an_output_that_cannot_be_written(cli: Cli) -> None:
    arguments = ("check", "azure-germany", "--theme", "KEY", "--output")
    unusable(cli(*arguments, "/dev/full"), "error: --output /dev/full: No space left on device")
    unusable(cli(*arguments, "none/report.json"), "error: --output none/report.json: No such file or directory")


def test_a_resource_that_waits_for_what_never_comes(cli: Cli) -> None:
    extend(cli, WAITS_FOR_EVER)
    unusable(cli("check", "azure-germany", "--timeout", "8"), "could not check", "not done after 8 s")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "name a stack, or use --all"),
        (("azure-germany", "--all"), "one of the three"),
        (("../azure-germany",), "is not a name"),
        (("azure-germny",), "did you mean azure-germany?"),
        (("azure-germany", "--theme", "KEZ"), "no theme 'KEZ'; did you mean KEY?"),
        (("azure-germany", "--severity", "fatal"), "no severity 'fatal'"),
        (("azure-germany", "--framework", "nsit"), "no framework 'nsit'; did you mean nist?"),
        (("azure-germany", "--config", "bailiwick:cloud=azure"), "--config goes with --state or --preview-json"),
        (("azure-germany", "--baseline", "none.json"), "none.json: No such file"),
        (("azure-germany", "--baseline", "Pulumi.yaml"), "is not a report of `bailiwick check --format json`"),
        (("azure-germany", "--remediate", "NET-05"), "no remedy of rule 'NET-05'; did you mean NET-0"),
        (
            ("azure-germany", "--remediate", "RES-01", "--state", "Pulumi.yaml"),
            "a file of --state or --preview-json is",
        ),
        (("--changed-since", "--output=x"), "is not a git reference"),
        (("--all", "--state", "Pulumi.yaml"), "--state and --preview-json judge one file instead"),
        (("--changed-since", "HEAD", "--preview-json", "Pulumi.yaml"), "judge one file instead"),
    ],
)
def test_a_wrong_command_line(cli: Cli, arguments: tuple[str, ...], expected: str) -> None:
    unusable(cli("check", *arguments), expected)


@pytest.fixture
def repository(cli: Cli) -> Project:
    (cli.project / "stacks" / "Pulumi.other.yaml").write_text(cli.stack_file.read_text())
    git(cli.project, "init", "--quiet", "--initial-branch=main")
    commit(cli.project)
    git(cli.project, "checkout", "--quiet", "-b", "change")
    return Project(cli.project)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "state")


def test_the_stacks_that_a_change_touches(repository: Project) -> None:
    assert stacks_changed_since(repository, "main", "--changed-since") == []
    (repository.root / "README.md").write_text("prose")
    assert stacks_changed_since(repository, "main", "--changed-since") == []
    with repository.stack_file("other").open("a") as file:
        file.write("# changed\n")
    assert stacks_changed_since(repository, "main", "--changed-since") == ["other"]
    commit(repository.root)
    assert stacks_changed_since(repository, "main", "--changed-since") == ["other"]
    (repository.root / "shared.py").write_text("x = 1\n")
    assert stacks_changed_since(repository, "main", "--changed-since") == repository.stack_names()


@pytest.mark.parametrize("chosen", [("--changed-since", "main"), ("--diff", "main"), ("--all",), ()])
def test_a_project_without_stacks_has_not_passed(cli: Cli, repository: Project, chosen: tuple[str, ...]) -> None:
    for name in repository.stack_names():
        repository.stack_file(name).unlink()
    unusable(cli("check", *chosen), "holds no Pulumi.STACK.yaml: there is nothing to check")


def test_what_is_moved_to_where_no_stack_is_made_of_it_touches_every_stack(repository: Project) -> None:
    (repository.root / "docs").mkdir()
    git(repository.root, "mv", "stacks/__main__.py", "docs/__main__.py")
    assert stacks_changed_since(repository, "main", "--changed-since") == repository.stack_names()


def test_a_reference_that_does_not_exist(repository: Project) -> None:
    with pytest.raises(CliError, match="--changed-since: git merge-base failed"):
        stacks_changed_since(repository, "nowhere", "--changed-since")


def test_a_rule_puts_right_what_it_finds_where_it_is_let_and_says_so(cli: Cli) -> None:
    extend(cli, LEAKY)
    line = "NET-04 remediated azure-native:storage:StorageAccount leaky: minimumTlsVersion TLS1_0 → TLS1_2"
    refused = cli("check", "azure-germany", "--theme", "NET", "--format", "json")
    assert refused.code == 1, refused.out + refused.err
    mended = cli("check", "azure-germany", "--theme", "NET", "--remediate", "NET-04", "--format", "json")
    assert mended.code == 0, mended.out + mended.err
    stack = json.loads(mended.out)["stacks"]["azure-germany"]
    assert stack["remedied"] == [line]
    (verdict,) = [one for one in stack["verdicts"] if one["rule"] == "NET-04" and one["urn"].endswith("::leaky")]
    assert verdict["status"] == "pass"
