"""What the README shows is what a reader gets: its first command and the transcript of it, and its own region."""

import re
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import ROOT, Cli

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The README's fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_make_up_prints_the_transcript(cli: Cli) -> None:
    first, test = (line.split("#")[0].strip() for line in blocks("sh")[0].splitlines())
    assert (first, test) == ("make up", "make test"), "the second is what runs this"
    printed = set(map(_constant, _make(cli, "up").splitlines()))
    transcript = [line for block in blocks("text") for line in block.splitlines() if "more …" not in line]
    missing = [line for line in transcript if _constant(line) not in printed]
    assert not missing, "the README shows lines that `make up` does not print"
    assert "nothing changed" in _make(cli, "up")


def test_the_stack_file_is_a_region(cli: Cli) -> None:
    """As a reader makes it: written down, judged, brought up, proved and taken down."""
    (block,) = blocks("yaml")
    (cli.project / "stacks" / "Pulumi.mine.yaml").write_text(block)

    up = cli("up", "mine")
    assert up.code == 0, up.out + up.err
    assert "mine-inference (inference-guest/1.0.0): attested" in up.out
    assert "Key release  default/model-key/llm: released" in up.out
    again = cli("up", "mine")
    assert "nothing changed" in again.out
    exported = cli("evidence", "export", "mine", "--output", "bundle.json")
    assert exported.code == 0, exported.err
    gone = cli("destroy", "mine")
    assert gone.code == 0, gone.out + gone.err


def _make(cli: Cli, target: str) -> str:
    """What `make` prints for a target in the project, with this environment in place of one that it would set up."""
    command = ["make", "-f", str(ROOT / "Makefile"), "-o", "setup", f"BIN={Path(sys.executable).parent}", target]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(cli.project)}
    done = subprocess.run(command, cwd=cli.project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _constant(line: str) -> str:
    """A line without what differs from run to run: digests, ids, times, counts, the order of siblings in the tree."""
    return re.sub(r"[0-9A-Za-z_-]*\d[0-9A-Za-z_-]*…?", "#", " ".join(line.replace("└", "├").split()))
