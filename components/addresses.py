"""How a region's private address space is cut into subnets: the same on every cloud."""

import ipaddress
from enum import StrEnum
from itertools import islice

from components.errors import InputError

_PRIVATE_RANGES = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918, section 3."""
_LARGEST_SUBNET_PREFIX = 24
_SMALLEST_SUBNET_PREFIX = 28
_SMALLEST_SPACE_PREFIX = 26


class Segment(StrEnum):
    """The subnets of a region, in the order in which they take their part of the address space."""

    WORKLOAD = "workload"
    VERIFIER = "verifier"
    ENDPOINTS = "endpoints"


def subnets(component: str, address_space: str, count: int) -> list[ipaddress.IPv4Network]:
    """The first `count` of equal parts of a private range: a /24 each, or the largest that fits four times.

    Raises `InputError` in the name of `component` for a range that is not private (RFC 1918) or too small.
    """
    try:
        space = ipaddress.IPv4Network(address_space)
    except ValueError as error:
        raise InputError(component, "address_space", f"{error}", "10.20.0.0/16") from error
    if not any(space.subnet_of(private) for private in _PRIVATE_RANGES):
        raise InputError(component, "address_space", f"{space} is not in a private range (RFC 1918)", "10.20.0.0/16")
    if space.prefixlen > _SMALLEST_SPACE_PREFIX:
        nearest = f"{space.network_address}/{_SMALLEST_SPACE_PREFIX}"
        raise InputError(component, "address_space", f"{space} is too small for {count} subnets", nearest)
    prefix = min(max(_LARGEST_SUBNET_PREFIX, space.prefixlen + 2), _SMALLEST_SUBNET_PREFIX)
    parts = list(islice(space.subnets(new_prefix=prefix), count))
    if len(parts) < count:
        raise InputError(component, "address_space", f"{space} has room for {len(parts)} subnets, not {count}")
    return parts
