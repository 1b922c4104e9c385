"""The golden registrations of a region in Azure.

    python -m tests.components.azure.golden

writes the files anew; read the difference before committing it.
"""

import base64
import json
import pickle
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.components import golden
from tests.components.azure.region import NETHERLANDS, deploy, deploy_parts, write_reference_values
from tests.components.recorder import Recording

DIRECTORY = Path(__file__).parent / "golden"
REGIONS: Mapping[str, Mapping[str, Any]] = {"azure-germany": {}, "azure-netherlands": NETHERLANDS}
"""By golden file: what its specification has that `region.SPEC` has not."""
PARTS = "azure-parts"
"""Golden file of the components that no region of a stack file has."""


def recordings(directory: Path) -> dict[str, Callable[[], Recording]]:
    """What is recorded for each golden file, with reference values in `directory`."""
    reference_values = write_reference_values(directory)
    regions = {name: partial(deploy, reference_values, dict(changes)) for name, changes in REGIONS.items()}
    return {**regions, PARTS: deploy_parts}


def render(recording: Recording) -> str:
    """What the region registers, with user data and release policies decoded."""
    return golden.render(recording, {"userData": _user_data, "data": _release_policy, "__provider": _provider})


def _user_data(value: str) -> Any:
    return golden.without_envelopes(json.loads(base64.b64decode(value)))


def _release_policy(value: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))


def _provider(value: str) -> str:
    """The class that a dynamic resource's provider is of."""
    return type(pickle.loads(base64.b64decode(value))).__name__


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, record in recordings(Path(directory)).items():
            recording = record()
            golden.write(DIRECTORY / f"{name}.yaml", recording, render(recording))


if __name__ == "__main__":
    main()
