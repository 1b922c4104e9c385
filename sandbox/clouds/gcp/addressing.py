"""Addresses of VPC networks: those that Google hands out, and those that a program reserves."""

import ipaddress
import secrets

from sandbox.clouds import addresses
from sandbox.clouds.gcp import ids, references
from sandbox.clouds.gcp.errors import ApiError, FieldError
from sandbox.clouds.gcp.networks import cidr
from sandbox.clouds.gcp.rules import one_of, rfc1035_name
from sandbox.clouds.resource import Reference, Request, ResourceType, Undetermined, constant
from sandbox.clouds.store import Object, Store
from sandbox.values import Value

# Google keeps the network address, the gateway, the second-to-last address and the broadcast address of each subnet.
_RESERVED_LOW, _RESERVED_HIGH = 2, 2
_AUTO_MODE = ipaddress.ip_network("10.128.0.0/20")
PRIVATE_SERVICE_CONNECT = "PRIVATE_SERVICE_CONNECT"


def public_address() -> str:
    """A public address for show, of a range that is for documentation (RFC 5737)."""
    return str(ipaddress.ip_address("203.0.113.0") + 1 + secrets.randbelow(254))


def allocate(request: Request, subnet: Object, fixed: str | None, keep: str | None, field: str) -> str:
    """An address of a subnetwork for `request`: the fixed one, the one it had (`keep`), else a free one.

    Raises `Undetermined` in a preview for an address that Google chooses.
    """
    prefix = cidr(str(subnet.inputs["ipCidrRange"]), "ipCidrRange")
    network = network_id(subnet)
    if fixed is not None:
        _require_inside(fixed, prefix, subnet, field)
        take(request, network, fixed, field)
        return fixed
    if request.preview:
        raise Undetermined("networkIp")
    space = addresses.space_of(network)
    if keep is not None and request.claims.take(space, addresses.key(keep), request.id) is None:
        return keep
    found = addresses.take_next(request.claims, space, prefix, _RESERVED_LOW, _RESERVED_HIGH, request.id)
    if found is None:
        raise ApiError(400, f"IP_SPACE_EXHAUSTED: The IP space of '{subnet.id}' is exhausted", "IP_SPACE_EXHAUSTED")
    return found


def take(request: Request, network: str, address: str, field: str) -> None:
    """Take an address of a network for a request, unless a reservation has it: that is there to be used."""
    space = addresses.space_of(network)
    holder = request.claims.holder(space, addresses.key(address))
    owner = request.session.lookup(holder, preview=request.preview) if holder else None
    if owner is not None and owner.kind in (ids.ADDRESS, ids.GLOBAL_ADDRESS) and request.type.kind != owner.kind:
        return
    taken = request.claims.take(space, addresses.key(address), request.id)
    if taken is not None:
        raise FieldError(field, address, f"IP address '{address}' is already being used by '{taken}'.")


def network_id(subnet: Object) -> str:
    return str(subnet.outputs["network"]).removeprefix(f"{ids.API}/compute/v1/")


def holder_of(store: Store, network: str, address: str) -> Object | None:
    """The object that has an address of a network."""
    found = store.claims.holder(addresses.space_of(network), addresses.key(address))
    return None if found is None else store.get(found)


def _require_inside(address: str, prefix: addresses.Network, subnet: Object, field: str) -> None:
    try:
        inside = ipaddress.ip_address(address) in prefix
    except ValueError:
        raise FieldError(field, address, "Must be a valid IP address.") from None
    if not inside:
        raise FieldError(field, address, f"Requested internal IP {address} is outside the network/subnet {subnet.id}.")


def _address(request: Request) -> Value:
    """The address that a reservation has."""
    fixed, before = request.inputs["address"], None
    if request.before is not None:
        before = request.before.outputs.get("address")
    if request.inputs["subnetwork"]:
        subnet = references.find(request, ids.SUBNETWORK, request.inputs.text("subnetwork"))
        return allocate(request, subnet, fixed, before, "address")
    if fixed is not None:
        if request.inputs["network"]:
            network = references.find(request, ids.NETWORK, request.inputs.text("network"))
            take(request, network.id, str(fixed), "address")
        return fixed
    internal = request.inputs["addressType"] == "INTERNAL"
    return request.keep("address", lambda: str(_AUTO_MODE[5]) if internal else public_address())


def _type_and_purpose(request: Request) -> None:
    internal = request.inputs["addressType"] == "INTERNAL"
    purpose = request.inputs["purpose"]
    if purpose is not None and not internal:
        raise FieldError("purpose", purpose, "Purpose can only be specified for INTERNAL addresses.")
    if request.type.kind == ids.GLOBAL_ADDRESS:
        if internal and purpose is None:
            raise FieldError("purpose", "", "A global internal address needs a purpose.")
        if internal and not request.inputs["network"]:
            raise FieldError("network", "", "A global internal address needs a network.")
    elif internal and not (request.inputs["subnetwork"] or request.inputs["network"]):
        raise FieldError("subnetwork", "", "An internal address needs a subnetwork.")


def _outside_subnets(request: Request) -> None:
    """The address of a Private Service Connect endpoint for Google's APIs is in none of the network's subnetworks."""
    fixed = request.inputs["address"]
    if request.inputs["purpose"] != PRIVATE_SERVICE_CONNECT or fixed is None:
        return
    network = references.find(request, ids.NETWORK, request.inputs.text("network"))
    subnets = request.session.siblings(request.parent, ids.SUBNETWORK, preview=request.preview)
    for subnet in subnets:
        inside = ipaddress.ip_address(fixed) in cidr(str(subnet.inputs["ipCidrRange"]), "ipCidrRange")
        if inside and ids.short(str(subnet.inputs["network"])) == network.name:
            raise FieldError("address", fixed, f"The address overlaps with the range of subnetwork '{subnet.id}'.")


_FIXED = ("name", "project", "region", "address", "addressType", "purpose", "network", "subnetwork", "prefixLength",
          "networkTier", "description", "ipVersion")  # fmt: skip

TYPES = (
    ResourceType(
        pulumi_type="gcp:compute/globalAddress:GlobalAddress",
        kind=ids.GLOBAL_ADDRESS,
        identify=ids.compute(ids.GLOBAL_ADDRESS),
        name_property="name",
        replace_on=_FIXED,
        references=(Reference("network", (ids.NETWORK,)),),
        checks=(
            rfc1035_name,
            one_of("addressType", "INTERNAL", "EXTERNAL"),
            one_of("purpose", "VPC_PEERING", PRIVATE_SERVICE_CONNECT),
            _type_and_purpose,
            _outside_subnets,
        ),
        outputs={"address": _address, "addressType": lambda request: request.inputs["addressType"] or "EXTERNAL"},
        in_use=references.in_use,
    ),
    ResourceType(
        pulumi_type="gcp:compute/address:Address",
        kind=ids.ADDRESS,
        identify=ids.compute(ids.ADDRESS),
        name_property="name",
        replace_on=_FIXED,
        references=(
            Reference("network", (ids.NETWORK,)),
            Reference("subnetwork", (ids.SUBNETWORK,), same_location=True),
        ),
        checks=(rfc1035_name, one_of("addressType", "INTERNAL", "EXTERNAL"), _type_and_purpose),
        outputs={
            "address": _address,
            "addressType": lambda request: request.inputs["addressType"] or "EXTERNAL",
            "users": constant([]),
        },
        in_use=references.in_use,
    ),
)
