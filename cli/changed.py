"""Which stacks a change touches, by `git diff`."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from cli import git
from cli.project import Project

_OF_NO_STACK: Final = ("docs", "tests", "bench", ".github", "scripts")
"""Folders whose content no stack is made of."""
_PROSE: Final = ".md"


def stacks_changed_since(project: Project, ref: str, option: str) -> list[str]:
    """The stacks whose own file changed since the merge base with `ref`, work in progress included; all of them where
    anything changed that they share: the program, components, catalogue, policies. `option` asks for it."""
    return _touched(project, git.changed_paths(project, git.merge_base(project, ref, option), option))


def _touched(project: Project, paths: Sequence[str]) -> list[str]:
    names = project.stack_names()
    own = {project.named(name): name for name in names}
    touched = {own[path] for path in paths if path in own}
    shared = [path for path in paths if path not in own and not _of_no_stack(PurePosixPath(path))]
    return names if shared else sorted(touched)


def _of_no_stack(path: PurePosixPath) -> bool:
    return path.parts[0] in _OF_NO_STACK or (len(path.parts) == 1 and path.suffix == _PROSE)
