"""NET, continued: names that stay private, networks that stay apart, connections that stay encrypted."""

from collections.abc import Iterator

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.conditions import OneOf
from policies.context import Declared
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Property, Resource, Stack
from policies.terms import Setting
from policies.verdict import Finding, NotApplicable, refuse, require


def _apart(resource: Resource, _: Declared) -> Iterator[Finding]:
    peerings = vocabulary.peerings_of(resource)
    if not peerings:
        raise NotApplicable("joins no networks")
    for peering in peerings:
        yield from refuse(peering)


def _named_privately(stack: Stack, _: Declared) -> Iterator[Finding]:
    doors = [(one, door) for one in stack.resources if (door := vocabulary.private_door_of(one))]
    if not doors:
        raise NotApplicable("the stack has no private endpoint")
    names = [(one, name) for one in stack.resources if (name := vocabulary.private_name_of(one))]
    hosts = [host for one in stack.resources if (host := vocabulary.private_host_of(one))]
    for resource, door in doors:
        referred = any(resource in stack.references(one, name.through) for one, name in names)
        if not referred and not any(_same_host(door.host, host) for host in hosts):
            found = "is missing: clients would ask public DNS for the way to it"
            yield Finding("private DNS", found, "a private name for this endpoint", resource)


def _same_host(door: Property | None, host: Property) -> bool:
    return door is not None and (door.text or "").rstrip(".") == (host.text or "").rstrip(".")


_NETWORK = ExampleResource("azure-native:network:VirtualNetwork", "network", {"location": examples.LOCATION})
_DNS = ExampleResource(
    "azure-native:network:PrivateDnsZoneGroup",
    "keys-endpoint-dns",
    {"privateEndpointName": "keys-endpoint"},
    uses={"privateEndpointName": ("keys-endpoint",)},
)

NET_03 = Rule(
    id="NET-03",
    title="Private endpoints have private names, and networks have no peers",
    why="A private endpoint under a public name is found by nobody; a peered network is as open as its peer.",
    severity=Severity.MEDIUM,
    remediation="add a private DNS zone group to each endpoint, and remove peerings",
    check=_apart,
    check_stack=_named_privately,
    passing=Example("An endpoint with its name, in a network of its own.", (_NETWORK, examples.VAULT_DOOR, _DNS)),
    failing=(
        Example("An endpoint without a name.", (_NETWORK, examples.VAULT_DOOR)),
        Example(
            "A network with a peer.",
            (
                ExampleResource(
                    "azure-native:network:VirtualNetworkPeering", "to-office", {"virtualNetworkName": "network"}
                ),
                examples.VAULT_DOOR,
                _DNS,
            ),
        ),
    ),
)


def _encrypted(resource: Resource, _: Declared) -> Iterator[Finding]:
    settings = [*vocabulary.transport_of(resource), *_to_models(resource)]
    if not settings:
        raise NotApplicable("offers no connections that its program encrypts")
    for setting in settings:
        yield from require(setting)


def _to_models(resource: Resource) -> Iterator[Setting]:
    """A gateway of the region's own has no callers that would need an older version."""
    if vocabulary.is_gateway(resource):
        yield Setting(resource.props.at("minimumTlsVersion"), OneOf(("1.3",)), ("1.0", "1.1", "1.2"))


NET_04 = Rule(
    id="NET-04",
    title="Connections are encrypted with TLS 1.2 or newer, and those to a gateway of models with 1.3",
    why="Older versions and plain HTTP can be read and changed on the way.",
    severity=Severity.HIGH,
    remediation="require HTTPS and TLS 1.2, of callers of the gateway 1.3",
    check=_encrypted,
    remedy=vocabulary.transport_of,
    passing=Example(
        "An account that takes TLS 1.2 and nothing less, and a gateway that takes 1.3.",
        (examples.AUDIT_STORE, examples.GATEWAY),
    ),
    failing=(
        Example("TLS 1.0.", (examples.but(examples.AUDIT_STORE, {"minimumTlsVersion": "TLS1_0"}),)),
        Example("Plain HTTP.", (examples.but(examples.AUDIT_STORE, {"enableHttpsTrafficOnly": False}),)),
        Example("Whatever the default is.", (examples.but(examples.AUDIT_STORE, {"minimumTlsVersion": None}),)),
        Example(
            "A database that takes any version.",
            (ExampleResource("azure-native:sql:Server", "records", {"location": examples.LOCATION}),),
        ),
        Example("A gateway that takes TLS 1.2.", (examples.but(examples.GATEWAY, {"minimumTlsVersion": "1.2"}),)),
    ),
)

RULES = (NET_03, NET_04)
