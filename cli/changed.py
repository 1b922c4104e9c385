"""Which stacks a change touches, by `git diff`."""

import subprocess
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from cli.errors import CliError
from cli.project import Project

_OF_NO_STACK: Final = ("docs", "tests", "bench", ".github", "scripts")
"""Folders whose content no stack is made of."""
_PROSE: Final = ".md"


def stacks_changed_since(project: Project, ref: str) -> list[str]:
    """The stacks whose own file changed since the merge base with `ref`, work in progress included; all of them where
    anything changed that they share: the program, components, catalogue, policies."""
    if ref.startswith("-"):
        raise CliError(f"{ref!r} is not a git reference: use a branch, a tag or a commit, for example origin/main")
    base = _git(project, "merge-base", ref, "HEAD").strip()
    paths = _git(project, "diff", "--name-only", "-z", "--relative", base).split("\0")
    paths += _git(project, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    return _touched(project, [path for path in paths if path])


def _touched(project: Project, paths: Sequence[str]) -> list[str]:
    names = project.stack_names()
    own = {f"stacks/Pulumi.{name}.yaml": name for name in names}
    touched = {own[path] for path in paths if path in own}
    shared = [path for path in paths if path not in own and not _of_no_stack(PurePosixPath(path))]
    return names if shared else sorted(touched)


def _of_no_stack(path: PurePosixPath) -> bool:
    return path.parts[0] in _OF_NO_STACK or (len(path.parts) == 1 and path.suffix == _PROSE)


def _git(project: Project, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(project.root), *arguments],  # noqa: S607 - git of whoever runs the check
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise CliError("--changed-since needs git on PATH") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise CliError(f"--changed-since: git {arguments[0]} failed: {reason}")
    return done.stdout
