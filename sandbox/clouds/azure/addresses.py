"""Private addresses: CIDR arithmetic, and who has which address of a virtual network."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache

from sandbox.clouds.resource import CloudError, Request, Undetermined
from sandbox.clouds.store import Object, Store
from sandbox.values import UNKNOWN, Value

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Azure keeps the network address, the gateway, two for DNS and the broadcast address of each subnet.
_RESERVED_LOW, _RESERVED_HIGH = 4, 1


@lru_cache(maxsize=65_536)
def network(prefix: str) -> Network:
    """The network of a CIDR prefix, in Azure's wording where it is none."""
    try:
        return ipaddress.ip_network(prefix)
    except ValueError:
        pass
    try:
        nearest = ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        raise CloudError(
            "InvalidAddressPrefixFormat",
            f"Address prefix {prefix} of resource is not formatted correctly. It should follow CIDR notation,"
            " for example 10.0.0.0/24.",
        ) from None
    raise CloudError(
        "InvalidCIDRNotation",
        f"The address prefix {prefix} has an invalid CIDR notation. For the given prefix length, the address prefix"
        f" should be {nearest}.",
    )


def contains(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # same version


def prefixes_of(subnet: Mapping[str, Value]) -> list[str]:
    """The CIDR prefixes of a subnet's properties."""
    several = subnet.get("addressPrefixes")
    found = several or [subnet.get("addressPrefix")]
    if found is UNKNOWN or any(prefix is UNKNOWN for prefix in found):
        raise Undetermined("addressPrefix")
    return [str(prefix) for prefix in found if prefix]


def allocate(request: Request, subnet_id: str, fixed: str | None, keep: str | None, label: str) -> str:
    """An address of a subnet for `request`: the fixed one, the one it had (`keep`), else the next free one.

    `label` is the id of the IP configuration. Raises `Undetermined` in a preview for an address that Azure chooses.
    """
    subnet = request.find(subnet_id)
    prefix = network(prefixes_of(subnet.inputs)[0])
    if fixed is not None:
        _judge_fixed(fixed, prefix)
    if request.preview and fixed is None:
        raise Undetermined("privateIPAddress")
    space = space_of(subnet.parent)
    for wanted in (fixed, keep):
        if wanted is None or (wanted is keep and not _inside(wanted, prefix)):
            continue
        holder = request.claims.take(space, _key(wanted), request.id)
        if holder is None:
            return wanted
        if wanted is fixed:
            raise CloudError(
                "PrivateIPAddressIsAllocated",
                f"IP configuration {label} is using the private IP address {fixed} which is already allocated to"
                f" resource {holder}.",
            )
    return _next_free(request, space, prefix, subnet)


def take_range(request: Request, prefix: Network) -> bool:
    """Take the range of a subnet in its virtual network; whether it was free.

    The ranges of a network are disjoint, so that only the last one that begins before the end of `prefix` can overlap.
    """
    space = f"range:{prefix.version}:{request.parent.lower()}"
    first, last = int(prefix.network_address), int(prefix.broadcast_address)
    before = request.claims.last(space, "", f"{last:040d}~")
    if before is not None and int(before.split("-")[1]) >= first:
        return False
    return request.claims.take(space, f"{first:040d}-{last:040d}", request.id) is None


def space_of(network_id: str) -> str:
    """The namespace of the addresses of a virtual network (its subnets never overlap)."""
    return f"address:{network_id.lower()}"


def holder(store: Store, network_id: str, address: str) -> Object | None:
    """The object of a virtual network that has `address`."""
    found = store.claims.holder(space_of(network_id), _key(address))
    return None if found is None else store.get(found)


def _key(address: str) -> str:
    """Fixed-width, so that the order of characters is that of numbers."""
    return f"{int(ipaddress.ip_address(address)):040d}"


def _inside(address: str, prefix: Network) -> bool:
    return ipaddress.ip_address(address) in prefix


def _judge_fixed(address: str, prefix: Network) -> None:
    try:
        position = int(ipaddress.ip_address(address)) - int(prefix.network_address)
    except ValueError:
        raise CloudError("InvalidIPAddressFormat", f"IP address {address} is invalid.") from None
    if not _inside(address, prefix):
        raise CloudError(
            "PrivateIPAddressNotInSubnet",
            f"Private static IP address {address} does not belong to the range of subnet prefix {prefix}.",
        )
    if position < _RESERVED_LOW or position >= prefix.num_addresses - _RESERVED_HIGH:
        raise CloudError(
            "PrivateIPAddressInReservedRange",
            f"Private static IP address {address} falls within reserved IP range of subnet prefix {prefix}.",
        )


def _next_free(request: Request, space: str, prefix: Network, subnet: Object) -> str:
    first = prefix.network_address + _RESERVED_LOW
    last = prefix.broadcast_address - _RESERVED_HIGH
    highest = request.claims.last(space, _key(str(first)), _key(str(last)))
    number = int(highest) + 1 if highest is not None else int(first)
    # After the highest one taken; the gaps below it only when that end of the subnet is reached.
    candidates = range(number, int(last) + 1) if number <= int(last) else range(int(first), int(last))
    for candidate in candidates:
        address = str(ipaddress.ip_address(candidate))
        if request.claims.holder(space, _key(address)) is None:
            request.claims.take(space, _key(address), request.id)
            return address
    raise CloudError(
        "SubnetIsFull",
        f"Subnet {subnet.name} with address prefix {prefix} does not have enough capacity for 1 IP addresses.",
    )
