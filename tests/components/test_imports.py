"""Importing the components loads no resource of a provider's SDK: each is loaded when a program first makes one."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("cloud", ["azure", "gcp", "aws", "kubernetes"])
def test_components_are_imported_without_the_sdk_s_resources(cloud: str) -> None:
    script = (
        "import sys, pulumi; before = set(sys.modules)\n"
        f"import components.{cloud}\n"
        "print([name for name in set(sys.modules) - before if name.startswith('pulumi_') and name.count('.') > 1])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
