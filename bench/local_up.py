"""`python -m bench.local_up CLOUD COUNT`: deploy COUNT emulated resources with the local engine, from nothing."""

import sys
import tempfile
from pathlib import Path

from sandbox.clouds import open_cloud, providers_of
from sandbox.clouds.hardware import NullHardware
from sandbox.engine import LocalEngine, StateFile

PROGRAM = Path(__file__).parent / "programs" / "many"


def main(name: str, count: int) -> int:
    with tempfile.TemporaryDirectory(prefix="bailiwick-bench-") as scratch:
        cloud = open_cloud(name, Path(scratch), NullHardware())
        engine = LocalEngine(
            PROGRAM,
            "bench",
            providers=providers_of(cloud),
            state=StateFile(Path(scratch) / "state.json", passphrase="bench"),
            config={"bench:cloud": name, "bench:count": str(count)},
        )
        outcome = engine.up()
        cloud.close()
    if not outcome.ok:
        sys.stderr.write(f"{outcome.error}\n")
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
