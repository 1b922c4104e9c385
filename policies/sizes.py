"""The catalogue's machine types by their sizes, in whichever letters a program writes them."""

from collections.abc import Mapping
from functools import cache

import catalog
from catalog import MachineType
from policies.subject import Property


def machine_type(cloud: str, size: Property) -> MachineType | None:
    """The type of `size`; None for one that the catalogue does not know. Raises `UnknownProperty`."""
    return _by_size(cloud).get((size.text or "").casefold())


@cache
def _by_size(cloud: str) -> Mapping[str, MachineType]:
    return {one.size.casefold(): one for one in catalog.load().machine_types(cloud)}
