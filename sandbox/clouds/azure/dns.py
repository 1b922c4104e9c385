"""Private DNS as a guest sees it: from a host name to the machines behind it."""

from collections.abc import Iterator, Mapping

from sandbox.clouds.azure import addresses
from sandbox.clouds.store import Object, Store
from sandbox.values import Value

ZONE = "Microsoft.Network/privateDnsZones"
ZONE_LINK = f"{ZONE}/virtualNetworkLinks"
RECORD_SET = f"{ZONE}/recordSets"
LOAD_BALANCER = "Microsoft.Network/loadBalancers"
NIC = "Microsoft.Network/networkInterfaces"
MACHINE = "Microsoft.Compute/virtualMachines"


def resolve(store: Store, host: str, network_id: str) -> list[str]:
    """The ids of the machines that `host` leads to from a virtual network; none where it leads nowhere.

    A zone answers only in the networks that are linked to it. An address is a machine's own, or the frontend of a
    load balancer; then every machine of the backend pools that the frontend's rules name answers.
    """
    found: dict[str, None] = {}
    for address in addresses_of(store, host, network_id):
        holder = addresses.holder(store, network_id, address)
        if holder is not None:
            found |= dict.fromkeys(_machines(store, holder, address))
    return list(found)


def addresses_of(store: Store, host: str, network_id: str) -> list[str]:
    """The IPv4 addresses of the A records of `host`."""
    host = host.rstrip(".").lower()
    found: list[str] = []
    for zone in store.of_kind(ZONE):
        suffix = f".{zone.name.lower()}"
        relative = "@" if host == suffix[1:] else host.removesuffix(suffix)
        if relative == host or not is_linked(store, zone, network_id):
            continue
        for record in store.children(zone.id, RECORD_SET):
            if record.name.lower() == relative and record.inputs.get("recordType") == "A":
                found += [entry["ipv4Address"] for entry in record.inputs.get("aRecords") or ()]
    return found


def is_linked(store: Store, zone: Object, network_id: str) -> bool:
    """Whether a private zone answers in a virtual network."""
    links = store.children(zone.id, ZONE_LINK)
    return any(str(link.inputs["virtualNetwork"]["id"]).lower() == network_id.lower() for link in links)


def _machines(store: Store, holder: Object, address: str) -> Iterator[str]:
    """The machines behind the object that has an address."""
    if holder.kind == NIC:
        yield from _machines_of(store, holder)
    elif holder.kind == LOAD_BALANCER:
        for pool in _pools(holder, address):
            for member in store.referrers(pool):
                if member.kind == NIC:
                    yield from _machines_of(store, member)


def _machines_of(store: Store, interface: Object) -> Iterator[str]:
    return (user.id for user in store.referrers(interface.id) if user.kind == MACHINE)


def _pools(balancer: Object, address: str) -> set[str]:
    """The backend pools of the rules of the frontend that has `address`."""
    frontends = {
        str(item["id"]).lower()
        for item in balancer.outputs.get("frontendIPConfigurations") or ()
        if item.get("privateIPAddress") == address
    }
    found: set[str] = set()
    for rule in balancer.inputs.get("loadBalancingRules") or ():
        if _id(rule.get("frontendIPConfiguration")) in frontends:
            pools = [rule.get("backendAddressPool"), *(rule.get("backendAddressPools") or ())]
            found |= {pool for each in pools if (pool := _id(each))}
    return found


def _id(reference: Value) -> str:
    return str(reference.get("id") or "").lower() if isinstance(reference, Mapping) else ""
