"""What Azure checks of virtual networks, subnets, security groups and interfaces."""

import ipaddress
import re

from sandbox.clouds.addresses import Network, contains, take_range
from sandbox.clouds.azure import addresses
from sandbox.clouds.resource import CloudError, Request, Undetermined, View
from sandbox.clouds.store import Object
from sandbox.values import UNKNOWN, Value

SUBNET = "Microsoft.Network/virtualNetworks/subnets"
_PRIORITIES = range(100, 4097)
_PORTS = re.compile(r"\d{1,5}(-\d{1,5})?|\*")
_SERVICE_TAG = re.compile(r"[A-Z][A-Za-z0-9]+(\.[A-Za-z0-9]+)*")


def address_space(request: Request) -> None:
    """A virtual network has at least one CIDR prefix; its prefixes are well formed and do not overlap."""
    prefixes = request.inputs["addressSpace.addressPrefixes"]
    if not prefixes:
        raise CloudError("InvalidRequestFormat", "Required parameter 'addressSpace.addressPrefixes' is missing (null).")
    _known(prefixes)
    networks = [addresses.network(prefix) for prefix in prefixes]
    for index, one in enumerate(networks):
        for other in networks[:index]:
            if one.overlaps(other):
                raise CloudError(
                    "VnetAddressSpaceOverlapsWithAlreadyExistingAddressSpace",
                    f"Address prefixes {other} and {one} of virtual network '{request.name}' overlap.",
                )


def inline_subnets(request: Request) -> None:
    """The subnets stated inside a virtual network lie inside it and do not overlap."""
    spaces = [addresses.network(prefix) for prefix in _known(request.inputs["addressSpace.addressPrefixes"])]
    seen: list[tuple[str, Network]] = []
    for subnet in request.inputs.items("subnets"):
        for prefix in addresses.prefixes_of(subnet.properties):
            _require_place(subnet.text("name"), addresses.network(prefix), spaces, seen, request.name)
            seen.append((subnet.text("name"), addresses.network(prefix)))


def kept_address_space(request: Request) -> None:
    """A changed address space still holds every subnet that the virtual network has."""
    if not request.changed("addressSpace.addressPrefixes"):
        return
    spaces = [addresses.network(prefix) for prefix in request.inputs["addressSpace.addressPrefixes"]]
    for subnet in request.siblings(request.id, SUBNET):
        for prefix in addresses.prefixes_of(subnet.inputs):
            if not any(contains(space, addresses.network(prefix)) for space in spaces):
                raise CloudError(
                    "InUsePrefixCannotBeDeleted",
                    f"IpPrefix {prefix} on Vnet {request.name} has active allocations and cannot be deleted.",
                )


def subnet_place(request: Request) -> None:
    """A subnet lies inside its virtual network and does not overlap its siblings."""
    prefixes = addresses.prefixes_of(request.inputs.properties)
    if not prefixes:
        raise CloudError(
            "NoAddressPrefixOrPoolProvided",
            f"Subnet '{request.name}' must have either address prefixes or IPAM pool allocations.",
        )
    wanted = [addresses.network(prefix) for prefix in prefixes]
    network = request.find(request.parent)
    spaces = [addresses.network(prefix) for prefix in _known(View(network.inputs)["addressSpace.addressPrefixes"])]
    inline = [item for item in network.inputs.get("subnets") or () if item is not UNKNOWN]
    seen = [
        (str(item.get("name")), addresses.network(prefix)) for item in inline for prefix in addresses.prefixes_of(item)
    ]
    request.claims.release(request.id)
    for prefix in wanted:
        _require_place(request.name, prefix, spaces, seen, network.name)
        if not take_range(request.claims, request.parent, prefix, request.id):
            raise _overlap(request.name, network.name)


def shrink(request: Request) -> None:
    """A subnet in which addresses are taken keeps its prefix."""
    if request.before is None or request.preview or not (
        request.changed("addressPrefix") or request.changed("addressPrefixes")
    ):  # fmt: skip
        return
    users = request.store.referrers(request.id)
    if users:
        raise CloudError(
            "InUsePrefixCannotBeDeleted",
            f"IpPrefix {addresses.prefixes_of(request.before.inputs)[0]} on Subnet {request.name} has active"
            f" allocations and cannot be deleted: {users[0].id}.",
        )


def security_rules(request: Request) -> None:
    """Priorities from 100 to 4096, one for each direction; ports and prefixes are well formed."""
    taken: dict[tuple[str, float], str] = {}
    for rule in request.inputs.items("securityRules"):
        security_rule(rule)
        key = (rule.text("direction"), rule["priority"])
        if key in taken:
            raise CloudError(
                "SecurityRuleConflict",
                f"Security rule {rule.text('name')} conflicts with rule {taken[key]}. Rules cannot have the same"
                f" Priority and Direction.",
            )
        taken[key] = rule.text("name")


def security_rule(rule: View) -> None:
    """One rule of a security group."""
    priority = rule["priority"]
    if priority not in _PRIORITIES:
        raise CloudError(
            "SecurityRuleInvalidPriority",
            f"Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096.",
        )
    for side in ("source", "destination"):
        for ports in _one_or_many(rule, f"{side}PortRange"):
            if not _PORTS.fullmatch(ports) or any(int(port) > 65535 for port in ports.split("-") if port != "*"):
                raise CloudError(
                    "SecurityRuleInvalidPortRange",
                    f"Security rule has invalid Port range. Value provided: {ports}. Value should be an integer OR"
                    " integer range with '-' delimiter. Valid range 0-65535.",
                )
        for prefix in _one_or_many(rule, f"{side}AddressPrefix", f"{side}AddressPrefixes"):
            if not _is_address_prefix(prefix):
                raise CloudError(
                    "SecurityRuleInvalidAddressPrefix",
                    f"Security rule has invalid Address prefix. Value provided: {prefix}",
                )


def interface(request: Request) -> None:
    """A network interface has at least one IP configuration, each with a name of its own and a subnet."""
    configurations = request.inputs.items("ipConfigurations")
    if not configurations:
        raise CloudError(
            "NetworkInterfaceMustHaveIpConfigurations", f"Network interface {request.id} must have IP configurations."
        )
    for configuration in configurations:
        if configuration["subnet.id"] is None:
            raise CloudError(
                "SubnetMissingInIpConfiguration",
                f"Ip Configuration {configuration.text('name')} of {request.id} does not have a subnet.",
            )


def subnet_in_use(request: Request, users: list[Object]) -> None:
    if users:
        raise CloudError(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {request.name} is in use by {users[0].id} and cannot be deleted. In order to delete the subnet,"
            " delete all the resources within the subnet. See aka.ms/deletesubnet.",
        )


def network_in_use(request: Request, users: list[Object]) -> None:
    """A virtual network goes with its subnets, not while something lies in one of them or peers with it."""
    for user in users:
        if not user.kind.endswith("/virtualNetworkLinks"):
            raise CloudError(
                "InUseSubnetCannotBeDeleted",
                f"Virtual network {request.id} has a subnet in use by {user.id} and cannot be deleted. In order to"
                " delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
            )


def security_group_in_use(request: Request, users: list[Object]) -> None:
    if users:
        raise CloudError(
            "InUseNetworkSecurityGroupCannotBeDeleted",
            f"Network security group {request.id} cannot be deleted because it is in use by the following resources:"
            f" {', '.join(user.id for user in users)}. In order to delete the Network security group, remove the"
            " association with the resource(s). To learn how to do this, see aka.ms/deletensg.",
        )


def route_table_in_use(request: Request, users: list[Object]) -> None:
    if users:
        raise CloudError(
            "InUseRouteTableCannotBeDeleted",
            f"Route table {request.name} is in use and cannot be deleted. It is associated with {users[0].id}.",
        )


def interface_in_use(request: Request, users: list[Object]) -> None:
    if users:
        raise CloudError(
            "NicInUse",
            f"Network Interface {request.id} is used by existing resource {users[0].id}. In order to delete the"
            " network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
        )


def public_address_in_use(request: Request, users: list[Object]) -> None:
    if users:
        raise CloudError(
            "PublicIPAddressCannotBeDeleted",
            f"Public IP address {request.id} can not be deleted since it is still allocated to resource"
            f" {users[0].id}. In order to delete the public IP, disassociate/detach the Public IP address from the"
            " resource. To learn how to do this, see aka.ms/deletepublicip.",
        )


def load_balancer_in_use(request: Request, users: list[Object]) -> None:
    if users:
        raise CloudError(
            "InUseLoadBalancerCannotBeDeleted",
            f"Load balancer {request.id} cannot be deleted: a pool of it is used by {users[0].id}.",
        )


def _require_place(
    name: str,
    prefix: Network,
    spaces: list[Network],
    seen: list[tuple[str, Network]],
    network_name: str,
) -> None:
    if not any(contains(space, prefix) for space in spaces):
        raise CloudError(
            "NetcfgSubnetRangeOutsideVnet",
            f"Subnet '{name}' is not valid because its IP address range is outside the IP address range of virtual"
            f" network '{network_name}'.",
        )
    for other, range_ in seen:
        if other.lower() != name.lower() and range_.version == prefix.version and range_.overlaps(prefix):
            raise _overlap(name, network_name)


def _overlap(name: str, network_name: str) -> CloudError:
    return CloudError(
        "NetcfgSubnetRangesOverlap",
        f"Subnet '{name}' is not valid because its IP address range overlaps with that of an existing subnet in virtual"
        f" network '{network_name}'.",
    )


def _known(values: list[Value]) -> list[str]:
    if any(value is UNKNOWN for value in values):
        raise Undetermined
    return [str(value) for value in values]


def _one_or_many(rule: View, one: str, many: str | None = None) -> list[str]:
    single = rule[one]
    return [str(value) for value in ([single] if single is not None else rule[many or f"{one}s"] or [])]


def _is_address_prefix(value: str) -> bool:
    if value == "*" or _SERVICE_TAG.fullmatch(value):
        return True
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True
