"""Where KEY-02 looks for a service's key is where the service has one: a property that no SDK has is never stated."""

from collections.abc import Iterator
from typing import Any

import pytest

from policies.clouds.aws import keys as aws
from policies.clouds.azure import keys as azure
from policies.clouds.gcp import keys as gcp
from sandbox.clouds import schema

TABLES = {"azure": azure.SERVICE_KEYS, "gcp": gcp.SERVICE_KEYS, "aws": aws.SERVICE_KEYS}


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


@pytest.mark.parametrize("cloud", TABLES)
def test_every_path_is_one_of_the_sdk_s(cloud: str) -> None:
    assert [one for token, paths in TABLES[cloud].items() for path in paths for one in missing(token, path)] == []
