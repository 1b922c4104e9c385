"""What a machine is told at boot."""

import base64
import json
from typing import Any


def decode(text: str) -> Any:
    """The guest configuration in `text`: JSON, or base64 of it as Azure wants it. Raises `ValueError`."""
    try:
        return json.loads(text if text.startswith("{") else base64.b64decode(text, validate=True))
    except RecursionError:
        raise ValueError("nests too deeply") from None
