"""Names for resources that a program leaves unnamed, as providers make them."""

import hashlib
import uuid
from collections.abc import Callable

from sandbox.clouds.resource import ResourceType
from sandbox.engine.urn import name_of
from sandbox.provider import Properties

AUTO_NAMED = "__createBeforeDelete"
"""Marks the inputs of a resource that the provider named (azure-native's own marker)."""


def fill_name(
    kind: ResourceType,
    urn: str,
    inputs: Properties,
    olds: Properties,
    spell: Callable[[str, str], str],
    is_taken: Callable[[], bool],
) -> None:
    """Name a resource that the program did not name: the old name, else one made from the URN, in place.

    `spell` makes a name from the logical one and hexadecimal digits; `is_taken` looks at `inputs` as they are then.
    """
    name = kind.name_property
    if name is None or inputs.get(name) is not None:
        return
    if olds.get(name) is not None:
        inputs[name] = olds[name]
        if AUTO_NAMED in olds:
            inputs[AUTO_NAMED] = olds[AUTO_NAMED]
        return
    logical = name_of(urn)
    if kind.naming == "copy":
        inputs[name] = logical
        return
    inputs[AUTO_NAMED] = True
    for attempt in range(1_000):
        digest = hashlib.sha256(f"{urn}#{attempt}".encode()).hexdigest()
        inputs[name] = str(uuid.UUID(digest[:32])) if kind.naming == "uuid" else spell(logical, digest)
        if not is_taken():
            return
