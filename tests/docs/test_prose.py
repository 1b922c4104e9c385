"""What README and runbooks tell a reader to type exists: commands with their options, make targets, stack files."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.core
import typer.main
import yaml

from cli.main import app
from components.spec import RegionSpec

ROOT = Path(__file__).parents[2]
PROSE = [
    ROOT / "README.md",
    *sorted((ROOT / "docs" / "runbooks").glob("*.md")),
    *sorted(ROOT.glob("docs/verifier/*.md")),
]
COMMAND = re.compile(r"(?:^|`)(?:\.venv/bin/)?bailiwick ([a-z][^`\n#]*)", re.MULTILINE)


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Fenced blocks of a language, each with the file that holds it."""
    for page in PROSE:
        for block in re.findall(
            rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        ):
            yield page.name, block


def commands() -> list[tuple[str, str]]:
    """Every `bailiwick …` in the prose, each with its file."""
    return sorted({(page.name, found.strip()) for page in PROSE for found in COMMAND.findall(page.read_text("utf-8"))})


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_in_the_prose_exists_with_its_options(page: str, line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = line.split()
    while words and isinstance(command, typer.core.TyperGroup):
        name = words.pop(0).rstrip(",")
        command = command.get_command(None, name)  # type: ignore[arg-type]  # no group here reads the context
        assert command is not None, f"{page}: bailiwick {line}: there is no {name!r}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.rstrip(",.;:") for word in re.findall(r"(?<!\S)--[a-z][a-z-]*", " ".join(words))}
    assert used <= known | {"--help"}, f"{page}: bailiwick {line}"


def test_make_targets_in_the_prose_exist() -> None:
    named = {target for _, block in blocks("sh") for target in re.findall(r"^make ([a-z]+)", block, re.MULTILINE)}
    assert {"up", "test"} <= named
    for target in named:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    dry = subprocess.run(["make", "-n", "up"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "bailiwick up azure-germany" in dry.stdout


def test_stack_files_in_the_prose_are_accepted(tmp_path: Path) -> None:
    found = [(page, block) for page, block in blocks("yaml") if "config:" in block]
    assert found
    for page, block in found:
        config = yaml.safe_load(block)["config"]
        mapping = {key.removeprefix("bailiwick:"): value for key, value in config.items()}
        spec = RegionSpec.from_mapping(mapping, reference_values=ROOT / "stacks" / "reference-values")
        assert spec.machines, page
