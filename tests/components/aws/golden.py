"""The golden registrations of regions in AWS.

    python -m tests.components.aws.golden

writes the files anew; read the difference before committing them.
"""

import base64
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.components import golden
from tests.components.aws import region
from tests.components.recorder import Recording

DIRECTORY = Path(__file__).parent / "golden"
SPECS = {"aws-ireland": region.IRELAND, "aws-eusc": region.EUSC, "aws-frankfurt": region.FRANKFURT}


def recordings(directory: Path) -> dict[str, Callable[[], Recording]]:
    """What is recorded for each golden file, with reference values in `directory`."""
    reference_values = region.write_reference_values(directory)
    return {stack: partial(region.deploy, spec, reference_values, stack=stack) for stack, spec in SPECS.items()}


def render(recording: Recording) -> str:
    """What the region registers, with policies and the guests' configurations decoded."""
    documents = dict.fromkeys(("policy", "assumeRolePolicy", "content"), json.loads)
    return golden.render(recording, {**documents, "userData": _user_data, "userDataBase64": _user_data})


def _user_data(value: str) -> Any:
    return golden.without_envelopes(json.loads(base64.b64decode(value)))


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, record in recordings(Path(directory)).items():
            recording = record()
            golden.write(DIRECTORY / f"{name}.yaml", recording, render(recording))


if __name__ == "__main__":
    main()
