"""The golden registrations of regions in Google Cloud.

    python -m tests.components.gcp.golden

writes the files anew; read the difference before committing them.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.components import golden
from tests.components.gcp import region
from tests.components.recorder import Recording

DIRECTORY = Path(__file__).parent / "golden"
SPECS = {"gcp-germany": region.GERMANY, "gcp-netherlands": region.NETHERLANDS}


def render(recording: Recording) -> str:
    """What the region registers, with the guests' configurations decoded."""
    return golden.render(recording, {"user-data": _user_data})


def _user_data(value: str) -> Any:
    return golden.without_envelopes(json.loads(value))


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        reference_values = region.write_reference_values(Path(directory))
        for stack, spec in SPECS.items():
            text = render(region.deploy(spec, reference_values))
            (DIRECTORY / f"{stack}.yaml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
