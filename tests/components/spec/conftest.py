"""A valid stack, and the images it names, for the tests of the specification."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]


@pytest.fixture
def stack_file() -> Path:
    """The stack file that the repository ships."""
    return ROOT / "stacks" / "Pulumi.azure-germany.yaml"


@pytest.fixture
def stack(stack_file: Path) -> dict[str, Any]:
    """The stack file of the repository as a plain mapping, a fresh one for each test."""
    config = yaml.safe_load(stack_file.read_text())["config"]
    return {key.removeprefix("bailiwick:"): value for key, value in config.items()}


@pytest.fixture
def reference_values(tmp_path: Path) -> Path:
    directory = tmp_path / "reference-values"
    directory.mkdir()
    for image in ("verifier-1.0.0", "inference-guest-1.0.0"):
        (directory / f"{image}.json").write_text("{}")
    return directory
