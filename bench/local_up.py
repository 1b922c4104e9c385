"""`python -m bench.local_up COUNT`: deploy COUNT emulated Azure resources with the local engine, from nothing."""

import sys
import tempfile
from pathlib import Path

from sandbox.clouds.azure import AzureCloud
from sandbox.clouds.hardware import NullHardware
from sandbox.engine import LocalEngine, StateFile

PROGRAM = Path(__file__).parent / "programs" / "many"


def main(count: int) -> int:
    with tempfile.TemporaryDirectory(prefix="bailiwick-bench-") as scratch:
        cloud = AzureCloud(Path(scratch), NullHardware())
        engine = LocalEngine(
            PROGRAM,
            "bench",
            providers={cloud.package: cloud},
            state=StateFile(Path(scratch) / "state.json", passphrase="bench"),
            config={"bench:count": str(count)},
        )
        outcome = engine.up()
    if not outcome.ok:
        sys.stderr.write(f"{outcome.error}\n")
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
