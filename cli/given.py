"""Judges what another engine wrote: a state file, or the output of `pulumi preview --json`."""

from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path

import pulumi.runtime
import pulumi.runtime.config
import pulumi.runtime.settings

from cli.checking import guarded
from cli.errors import CliError
from cli.foreign import Foreign, read_preview, read_state
from cli.project import Project
from policies import pack
from policies.report.model import StackReport
from sandbox.engine import PolicyHost
from sandbox.engine.events import Verdict
from sandbox.engine.project import load_configuration, load_project
from sandbox.engine.secrets import Redactor
from sandbox.engine.urn import STACK_TYPE, make_urn

Configuration = Mapping[str, str]


def check_state(
    file: Path, stack_file: Path | None, config: Sequence[str], rules: Sequence[str], timeout_s: float
) -> StackReport:
    """The verdict on a checkpoint or on what `pulumi stack export` writes."""
    return _check(file, lambda: read_state(file), lambda: _configuration(stack_file, config), rules, timeout_s)


def check_preview(
    file: Path, stack_file: Path | None, config: Sequence[str], rules: Sequence[str], timeout_s: float
) -> StackReport:
    """The verdict on what `pulumi preview --json --show-sames` writes; it holds the stack's configuration itself."""
    return _check(file, lambda: read_preview(file), lambda: _configuration(stack_file, config), rules, timeout_s)


def _check(
    file: Path,
    read: Callable[[], Foreign],
    configuration: Callable[[], Configuration],
    rules: Sequence[str],
    timeout_s: float,
) -> StackReport:
    def judge() -> tuple[Sequence[Verdict], str | None]:
        foreign = read()
        config = {**foreign.configuration, **configuration()}
        return copy_context().run(_judge, foreign, config, rules), None

    return guarded(file.name, str(file), judge, timeout_s, last=True)


def _configuration(stack_file: Path | None, given: Sequence[str]) -> Configuration:
    """The configuration that the rules see: the stack file's without its secrets, and over it what the command line
    says."""
    config: dict[str, str] = {}
    if stack_file is not None:
        project = Project.find(stack_file.parent)
        stack = stack_file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        config |= load_configuration(load_project(project.root), stack, passphrase=None).values
    for setting in given:
        key, separator, value = setting.partition("=")
        if not separator or ":" not in key:
            raise CliError(f"--config {setting!r}: write NAMESPACE:KEY=VALUE, for example bailiwick:jurisdiction=DE")
        config[key] = value
    return config


def _judge(foreign: Foreign, config: Configuration, rules: Sequence[str]) -> list[Verdict]:
    pulumi.runtime.settings.configure(
        pulumi.runtime.Settings(project=foreign.project, stack=foreign.stack, dry_run=foreign.preview)
    )
    pulumi.runtime.config.set_all_config(dict(config))
    host, redactor = PolicyHost(pack.build(rules)), Redactor()
    by_urn = {state.urn: state for state in foreign.resources}
    verdicts: list[Verdict] = []
    for state in foreign.resources:
        redactor.learn(state.inputs)
        redactor.learn(state.outputs)
    for state in foreign.resources:
        verdicts += host.judge_resource(state, state.inputs, by_urn.get(state.provider_urn), redactor)
    root = make_urn(foreign.stack, foreign.project, "", STACK_TYPE, f"{foreign.project}-{foreign.stack}")
    verdicts += host.judge_stack(root, foreign.resources, redactor)
    return [replace(verdict, position=foreign.positions.get(verdict.urn, "")) for verdict in verdicts]
