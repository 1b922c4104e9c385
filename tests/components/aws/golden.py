"""The golden registrations of a region in AWS.

    python -m tests.components.aws.golden

writes the file anew; read the difference before committing it.
"""

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.components import golden
from tests.components.aws import region
from tests.components.recorder import Recording

FILE = Path(__file__).parent / "golden" / "aws-ireland.yaml"


def render(recording: Recording) -> str:
    """What the region registers, with policies and the guests' configurations decoded."""
    documents = dict.fromkeys(("policy", "assumeRolePolicy", "content"), json.loads)
    return golden.render(recording, {**documents, "userData": _user_data, "userDataBase64": _user_data})


def _user_data(value: str) -> Any:
    return golden.without_envelopes(json.loads(base64.b64decode(value)))


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        reference_values = region.write_reference_values(Path(directory))
        FILE.write_text(render(region.deploy(region.IRELAND, reference_values)), encoding="utf-8")


if __name__ == "__main__":
    main()
