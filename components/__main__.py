"""Entry of the component plugin: Pulumi starts it with the engine's address (see PulumiPlugin.yaml)."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv" / "bin" / "python"
"""Interpreter of the checkout's environment, which `make setup` builds from pinned and hashed requirements."""


def main() -> None:
    """Serve the components; from the empty environment that Pulumi makes for the plugin, first go to the checkout's."""
    if importlib.util.find_spec("pulumi") is None:
        if not PYTHON.exists():
            sys.exit(f"bailiwick: {PYTHON} does not exist; run `make setup` in {ROOT}")
        os.execv(PYTHON, [str(PYTHON), *sys.argv])  # noqa: S606 - a path of this checkout, and no shell wanted
    # Pulumi runs this file by its path, so that the packages beside this one are found only from here.
    sys.path.insert(0, str(ROOT))
    from pulumi.provider import main as serve

    from components.hosted.provider import Host

    serve(Host(), sys.argv[1:])


if __name__ == "__main__":
    main()
