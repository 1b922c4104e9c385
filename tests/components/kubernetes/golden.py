"""The golden registrations of a region in a cluster.

    python -m tests.components.kubernetes.golden

writes the file anew; read the difference before committing it.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.components import golden
from tests.components.kubernetes import region
from tests.components.recorder import Recording

FILE = Path(__file__).parent / "golden" / f"{region.STACK}.yaml"


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
        recording = region.deploy(region.write_reference_values(Path(directory)))
        FILE.write_text(render(recording), encoding="utf-8")


if __name__ == "__main__":
    main()
