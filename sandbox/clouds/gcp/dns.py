"""Cloud DNS: zones and records, and what a name means to a guest."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from sandbox.clouds.gcp import addressing, ids
from sandbox.clouds.gcp.errors import ApiError, RefusedError
from sandbox.clouds.gcp.machines import members
from sandbox.clouds.gcp.rules import RFC1035, matches, number, one_of
from sandbox.clouds.resource import Account, Reference, Request, ResourceType, View, creation_time
from sandbox.clouds.store import Object, Store
from sandbox.values import UNKNOWN, Value

ZONE: Final = "dns.googleapis.com/ManagedZone"
RECORD: Final = "dns.googleapis.com/ResourceRecordSet"
_TYPES: Final = ("A", "AAAA", "CAA", "CNAME", "DNSKEY", "DS", "HTTPS", "IPSECKEY", "MX", "NAPTR", "NS", "PTR", "SOA",
                 "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT")  # fmt: skip


def resolve(store: Store, host: str, network_id: str) -> list[str]:
    """The ids of the machines that `host` leads to from a network; none where it leads nowhere.

    A private zone answers only in the networks that it is visible to. An address is an instance's own, or that of an
    internal forwarding rule; then every member of its backend service's groups answers.
    """
    found: dict[str, None] = {}
    for address in addresses_of(store, host, network_id):
        found |= dict.fromkeys(_machines(store, network_id, address))
    return list(found)


def addresses_of(store: Store, host: str, network_id: str) -> list[str]:
    """The IPv4 addresses that a network's private zones have for a name."""
    return list(_addresses(store, f"{host.rstrip('.').lower()}.", network_id))


def _addresses(store: Store, host: str, network_id: str) -> Iterator[str]:
    for zone in store.of_kind(ZONE):
        if host.endswith(str(zone.inputs["dnsName"]).lower()) and network_id in _networks(zone):
            for record in store.children(zone.id, RECORD):
                if record.inputs["type"] == "A" and str(record.inputs["name"]).lower() == host:
                    yield from record.inputs.get("rrdatas") or ()


def _networks(zone: Object) -> list[str]:
    visible = View(zone.inputs).items("privateVisibilityConfig.networks")
    project = "/".join(zone.id.split("/")[:2])
    return [_network(project, item.text("networkUrl")) for item in visible]


def _network(project: str, value: str) -> str:
    return value[value.find("projects/") :] if "projects/" in value else f"{project}/global/networks/{ids.short(value)}"


def _machines(store: Store, network_id: str, address: str) -> Iterator[str]:
    holder = addressing.holder_of(store, network_id, address)
    if holder is not None and holder.kind == ids.INSTANCE:
        yield holder.id
    for rule in store.of_kind(ids.FORWARDING_RULE):
        network = str(rule.outputs.get("network")).removeprefix(ids.self_link(""))
        if rule.outputs.get("ipAddress") == address and network == network_id:
            yield from _behind(store, rule)


def _behind(store: Store, rule: Object) -> Iterator[str]:
    for service in _named(store, rule, ids.BACKEND_SERVICE):
        for manager in _named(store, service, ids.GROUP_MANAGER):
            yield from (member.id for member in members(manager))
        for group in _named(store, service, ids.INSTANCE_GROUP):
            yield from (machine.id for machine in _named(store, group, ids.INSTANCE))


def _named(store: Store, item: Object, kind: str) -> Iterator[Object]:
    """The objects of one type that an object names."""
    for target in store.targets(item.id):
        found = store.get(target)
        if found is not None and found.kind == kind:
            yield found


def _dns_name(request: Request) -> None:
    name = request.inputs.text("dnsName")
    if not name.endswith("."):
        raise ApiError(
            400, f"Invalid value for 'entity.managedZone.dnsName': '{name}': it must end with a dot", "invalid"
        )


def _visibility(request: Request) -> None:
    """A private zone says to which networks, and only it does."""
    private = request.inputs["visibility"] == "private"
    networks = request.inputs.items("privateVisibilityConfig.networks")
    if networks and not private:
        raise ApiError(400, "A public managed zone cannot have privateVisibilityConfig", "invalid")
    if not private:
        return
    for other in request.siblings():
        mine = {_network_named(request, item.text("networkUrl")) for item in networks}
        if other.inputs.get("dnsName") == request.inputs["dnsName"] and mine & set(_networks(other)):
            raise ApiError(
                409,
                f"The network is already bound to a zone of DNS name '{request.inputs['dnsName']}': {other.id}",
                "alreadyExists",
            )


def _network_named(request: Request, value: str) -> str:
    return ids.target(ids.NETWORK, value, request.session.account, request.inputs)


def _zone_identity(account: Account, inputs: View) -> tuple[str, str]:
    return ids.in_project("managedZones/{name}")(account, inputs)


def _record_identity(account: Account, inputs: View) -> tuple[str, str]:
    zone = f"projects/{ids.project_of(account, inputs)}/managedZones/{ids.short(inputs.text('managedZone'))}"
    return f"{zone}/rrsets/{inputs.text('name')}/{inputs.text('type')}", zone


def _record(request: Request) -> None:
    """A record lies in its zone and says something that its type can say."""
    name, kind = request.inputs.text("name"), request.inputs.text("type")
    if kind not in _TYPES:
        raise ApiError(400, f"Invalid value for 'entity.change.additions[0].type': '{kind}'", "invalid")
    if not name.endswith("."):
        raise ApiError(
            400, f"Invalid value for 'entity.change.additions[0].name': '{name}': it must end with a dot", "invalid"
        )
    if not request.inputs["rrdatas"] and not request.inputs["routingPolicy"]:
        raise RefusedError("one of `routing_policy,rrdatas` must be specified")
    for value in request.inputs["rrdatas"] or ():
        if kind == "A" and value is not UNKNOWN and not _is_v4(str(value)):
            raise ApiError(
                400,
                f"Invalid value for 'entity.change.additions[0].rrdata[0]': '{value}': not an IPv4 address",
                "invalid",
            )
    zone = request.session.lookup(request.parent, preview=request.preview)
    if zone is None and not request.preview:
        raise ApiError(
            404,
            f"The 'parameters.managedZone' resource named '{ids.short(request.parent)}' does not exist.",
            "notFound",
        )
    if zone is not None and not f".{name}".endswith(f".{zone.inputs['dnsName']}"):
        raise ApiError(
            400,
            f"Invalid value for 'entity.change.additions[0].name': '{name}': not in zone '{zone.inputs['dnsName']}'",
            "invalid",
        )


def _is_v4(value: str) -> bool:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return False
    return True


def _empty(request: Request, _users: list[Object]) -> None:
    if request.store.children(request.id, RECORD) and request.inputs["forceDestroy"] is not True:
        raise ApiError(
            400,
            f"The resource 'entity.managedZone' named '{request.name}' cannot be deleted because it contains one or"
            " more 'resource records'.",
            "containerNotEmpty",
        )


def _name_servers(request: Request) -> Value:
    if request.inputs["visibility"] == "private":
        return ["ns-gcp-private.googledomains.com."]
    return [f"ns-cloud-a{number}.googledomains.com." for number in (1, 2, 3, 4)]


TYPES = (
    ResourceType(
        pulumi_type="gcp:dns/managedZone:ManagedZone",
        kind=ZONE,
        identify=_zone_identity,
        name_property="name",
        replace_on=("name", "project", "dnsName", "visibility"),
        references=(Reference("privateVisibilityConfig.networks[].networkUrl", (ids.NETWORK,)),),
        checks=(matches("name", RFC1035), one_of("visibility", "public", "private"), _dns_name, _visibility),
        outputs={
            "managedZoneId": number("managedZoneId", text=True),
            "creationTime": creation_time("creationTime"),
            "nameServers": _name_servers,
            "visibility": lambda request: request.inputs["visibility"] or "public",
        },
        in_use=_empty,
    ),
    ResourceType(
        pulumi_type="gcp:dns/recordSet:RecordSet",
        kind=RECORD,
        identify=_record_identity,
        name_property=None,
        replace_on=("name", "type", "managedZone", "project"),
        checks=(_record,),
    ),
)
