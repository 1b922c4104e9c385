"""`python -m sandbox.region.images [--output DIR]`: sign the reference values of every recipe anew."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from sandbox.region.images.build import REFERENCE_VALUES, build


def main() -> None:
    """Parse the command line, build, and print what was written."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.region.images", description="Sign reference values.")
    parser.add_argument("--output", type=Path, default=REFERENCE_VALUES, help="directory to write")
    for path in build(parser.parse_args().output, datetime.now(UTC)):
        print(path)


if __name__ == "__main__":
    main()
