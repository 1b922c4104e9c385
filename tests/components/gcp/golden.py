"""The golden registrations of regions in Google Cloud.

    python -m tests.components.gcp.golden

writes the files anew; read the difference before committing them.
"""

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.components import golden
from tests.components.gcp import region
from tests.components.recorder import Recording

DIRECTORY = Path(__file__).parent / "golden"
SPECS = {"gcp-germany": region.GERMANY, "gcp-netherlands": region.NETHERLANDS, "gcp-limburg": region.LIMBURG}


def recordings(directory: Path) -> dict[str, Callable[[], Recording]]:
    """What is recorded for each golden file, with reference values in `directory`."""
    reference_values = region.write_reference_values(directory)
    regions = {name: partial(region.deploy, spec, reference_values, stack=name) for name, spec in SPECS.items()}
    return {**regions, "gcp-release": region.deploy_release}


def render(recording: Recording) -> str:
    """What the region registers, with the guests' configurations decoded."""
    return golden.render(recording, {"user-data": _user_data})


def _user_data(value: str) -> Any:
    return golden.without_envelopes(json.loads(value))


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, record in recordings(Path(directory)).items():
            recording = record()
            golden.write(DIRECTORY / f"{name}.yaml", recording, render(recording))


if __name__ == "__main__":
    main()
