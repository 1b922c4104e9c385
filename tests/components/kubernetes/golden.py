"""The golden registrations of regions in a cluster.

    python -m tests.components.kubernetes.golden

writes the files anew; read the difference before committing them.
"""

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.components import golden
from tests.components.kubernetes import region
from tests.components.recorder import Recording

DIRECTORY = Path(__file__).parent / "golden"
SPECS: dict[str, dict[str, Any]] = {region.STACK: {}, "onprem-tdx": region.TRUST_DOMAINS}


def recordings(directory: Path) -> dict[str, Callable[[], Recording]]:
    """What is recorded for each golden file, with reference values in `directory`."""
    reference_values = region.write_reference_values(directory)
    return {stack: partial(region.deploy, reference_values, spec, stack=stack) for stack, spec in SPECS.items()}


def render(recording: Recording) -> str:
    """What the region registers, with the guests' init data decoded."""
    return golden.render(recording, {region.INIT_DATA: _init_data})


def _init_data(annotation: str) -> Any:
    document = region.init_data(annotation)
    files = document["data"]
    readable = {name: text.splitlines() for name, text in files.items()}
    return document | {
        "data": readable | {"bailiwick.json": golden.without_envelopes(json.loads(files["bailiwick.json"]))}
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, record in recordings(Path(directory)).items():
            recording = record()
            golden.write(DIRECTORY / f"{name}.yaml", recording, render(recording))


if __name__ == "__main__":
    main()
