"""Private addresses of any cloud: who has which address and which range of a network, in logarithmic time."""

import ipaddress

from sandbox.clouds.claims import Claims

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def contains(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # same version


def key(address: str) -> str:
    """Fixed-width, so that the order of characters is that of numbers."""
    return f"{int(ipaddress.ip_address(address)):040d}"


def space_of(network_id: str) -> str:
    """The namespace of the addresses of a network (its subnets never overlap)."""
    return f"address:{network_id.lower()}"


def take_range(claims: Claims, network_id: str, prefix: Network, holder: str) -> bool:
    """Take the range of a subnet in its network; whether it was free.

    The ranges of a network are disjoint, so that only the last one that begins before the end of `prefix` can overlap.
    """
    space = f"range:{prefix.version}:{network_id.lower()}"
    first, last = int(prefix.network_address), int(prefix.broadcast_address)
    before = claims.last(space, "", f"{last:040d}~")
    if before is not None and int(before.split("-")[1]) >= first:
        return False
    return claims.take(space, f"{first:040d}-{last:040d}", holder) is None


def take_next(claims: Claims, space: str, prefix: Network, low: int, high: int, holder: str) -> str | None:
    """Take a free address of `prefix` but for its `low` first and `high` last ones; None when there is none left.

    The one after the highest one taken; the gaps below it only when that end of the prefix is reached.
    """
    first, last = prefix.network_address + low, prefix.broadcast_address - high
    highest = claims.last(space, key(str(first)), key(str(last)))
    number = int(highest) + 1 if highest is not None else int(first)
    candidates = range(number, int(last) + 1) if number <= int(last) else range(int(first), int(last))
    for candidate in candidates:
        address = str(ipaddress.ip_address(candidate))
        if claims.holder(space, key(address)) is None:
            claims.take(space, key(address), holder)
            return address
    return None


def text(address_key: str) -> str:
    """The IPv4 address that a key stands for."""
    return str(ipaddress.IPv4Address(int(address_key)))
