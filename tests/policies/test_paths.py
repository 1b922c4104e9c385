"""Where rules look for what a service must state is a property of its: a misspelt one nobody could ever state."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from policies.clouds.aws import keys as aws
from policies.clouds.azure import keys as azure
from policies.clouds.azure import network as azure_network
from policies.clouds.azure.data import ENCRYPTED
from policies.clouds.gcp import keys as gcp
from policies.clouds.gcp import network as gcp_network
from sandbox.clouds import schema

TABLES: Mapping[str, Mapping[str, Sequence[tuple[str, ...]]]] = {
    "keys of Azure's": azure.SERVICE_KEYS,
    "keys of Google's": gcp.SERVICE_KEYS,
    "keys of AWS's": aws.SERVICE_KEYS,
    "doors of Azure's": {token: (path,) for token, path in azure_network.CLOSED.items()},
    "connections of Azure's": {token: [path for path, _ in stated] for token, stated in ENCRYPTED.items()},
    "doors of Google's": {token: [path for path, _ in closed] for token, closed in gcp_network.CLOSED.items()},
}


def missing(token: str, path: tuple[str, ...]) -> Iterator[str]:
    """The first part of `path` that the type does not have."""
    shape: Any = schema.resource(token).inputs
    for part in path:
        if part == "*":
            assert isinstance(shape, schema.ListOf), f"{token} {path}"
            shape = shape.item
        elif not isinstance(shape, schema.ObjectOf) or part not in shape.properties:
            yield f"{token}: {'.'.join(path)}: {part}"
            return
        else:
            shape = shape.properties[part].shape


@pytest.mark.parametrize("table", TABLES)
def test_every_path_is_one_of_the_sdk_s(table: str) -> None:
    assert [one for token, paths in TABLES[table].items() for path in paths for one in missing(token, path)] == []
