"""`python -m bench.stack_up STACK FOLDER`: bring a stack up from nothing with the local engine, without guests.

In FOLDER it leaves what the engine did (`acts.json`) and its state (`checkpoint.json`).
"""

import json
import sys
from pathlib import Path

from bench.recorder import recorded
from components.spec import RegionSpec
from sandbox.clouds import open_cloud
from sandbox.clouds.hardware import NullHardware
from sandbox.engine import LocalEngine, StateFile

ROOT = Path(__file__).parents[1]


def main(stack: str, folder: Path) -> int:
    spec = RegionSpec.from_stack_file(ROOT / "stacks" / f"Pulumi.{stack}.yaml")
    cloud = open_cloud(spec.provider, folder, NullHardware())
    providers, acts = recorded(cloud)
    state = StateFile(folder / "state.json", passphrase="bench")
    outcome = LocalEngine(ROOT, stack, providers=providers, state=state).up()
    (folder / "acts.json").write_text(json.dumps(acts), encoding="utf-8")
    (folder / "checkpoint.json").write_text(json.dumps(state.export()), encoding="utf-8")
    cloud.close()
    if not outcome.ok:
        sys.stderr.write(f"{outcome.error}\n")
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
