"""What a check asks of the project's git repository. Needs `git` on PATH, reads only."""

import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

from cli.errors import CliError
from cli.project import Project


def merge_base(project: Project, ref: str, option: str) -> str:
    """The commit from which the work in progress and `ref` part: what a pull request is compared with."""
    if ref.startswith("-"):
        raise CliError(f"{ref!r} is not a git reference: use a branch, a tag or a commit, for example origin/main")
    return _git(project, option, "merge-base", ref, "HEAD").decode().strip()


def changed_paths(project: Project, commit: str, option: str) -> list[str]:
    """Paths below the project's root that differ from `commit`, work in progress and new files included; both paths of
    a file that moved, as what is gone from the first may matter more than what came to the second."""
    found = _git(project, option, "diff", "--name-only", "--no-renames", "-z", "--relative", commit)
    found += _git(project, option, "ls-files", "--others", "--exclude-standard", "-z")
    return [path for path in found.decode(errors="surrogateescape").split("\0") if path]


def export(project: Project, commit: str, directory: Path, option: str) -> None:
    """Write the project's files as they were at `commit` into `directory`."""
    with zipfile.ZipFile(BytesIO(_git(project, option, "archive", "--format=zip", commit))) as content:
        content.extractall(directory)


def _git(project: Project, option: str, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(project.root), *arguments],  # noqa: S607 - git of whoever runs the check
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise CliError(f"{option} needs git on PATH") from None
    if done.returncode:
        reason = (done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[0]
        raise CliError(f"{option}: git {arguments[0]} failed: {reason}")
    return done.stdout
