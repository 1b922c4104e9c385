"""Private addresses of virtual networks, by Azure's rules and in its wording."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache

from sandbox.clouds.addresses import Network, key, space_of, take_next
from sandbox.clouds.resource import CloudError, Request, Undetermined
from sandbox.clouds.store import Object, Store
from sandbox.values import UNKNOWN, Value

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
        holder = request.claims.take(space, key(wanted), request.id)
        if holder is None:
            return wanted
        if wanted is fixed:
            raise CloudError(
                "PrivateIPAddressIsAllocated",
                f"IP configuration {label} is using the private IP address {fixed} which is already allocated to"
                f" resource {holder}.",
            )
    return _next_free(request, space, prefix, subnet)


def holder(store: Store, network_id: str, address: str) -> Object | None:
    """The object of a virtual network that has `address`."""
    found = store.claims.holder(space_of(network_id), key(address))
    return None if found is None else store.get(found)


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
    address = take_next(request.claims, space, prefix, _RESERVED_LOW, _RESERVED_HIGH, request.id)
    if address is None:
        raise CloudError(
            "SubnetIsFull",
            f"Subnet {subnet.name} with address prefix {prefix} does not have enough capacity for 1 IP addresses.",
        )
    return address
