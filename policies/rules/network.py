"""NET: no public way in, and no way out that nobody decided on."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from pulumi_policy import Severity

import catalog
from policies import examples, vocabulary
from policies.context import Declared
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Property, Resource, Stack
from policies.terms import EgressGuard
from policies.verdict import Finding, NotApplicable, meet, require, unknown


def _no_way_in(resource: Resource, _: Declared) -> Iterator[Finding]:
    ways = vocabulary.ways_into(resource)
    if not ways:
        raise NotApplicable("makes nothing that could have a public address")
    for way in ways:
        yield from meet(way)


NET_01 = Rule(
    id="NET-01",
    title="Nothing has a public address, and no guard lets the public network in",
    why="A machine with a public address is one open firewall away from the Internet.",
    severity=Severity.HIGH,
    remediation="remove the public address, and name private ranges as sources; reach it through the private network",
    check=_no_way_in,
    remedy=vocabulary.ways_into,
    passing=Example(
        "An interface with a private address only, under a guard that lets one private range in.",
        (
            examples.INTERFACE,
            examples.but(
                examples.SECURITY_GROUP,
                {
                    "securityRules": [
                        examples.allow_in("10.20.0.0/24"),
                        {**examples.allow_in("*"), "name": "deny-all-inbound", "access": "Deny"},
                    ]
                },
            ),
        ),
    ),
    failing=(
        Example(
            "A public address, whatever it is for.",
            (ExampleResource("azure-native:network:PublicIPAddress", "ip", {"location": examples.LOCATION}),),
        ),
        Example(
            "An interface that refers to a public address of another stack.",
            (examples.but(examples.INTERFACE, {"ipConfigurations.0.publicIPAddress": {"id": "/subscriptions/x"}}),),
        ),
        Example(
            "A load balancer with a public front.",
            (
                ExampleResource(
                    "azure-native:network:LoadBalancer",
                    "front",
                    {"frontendIPConfigurations": [{"name": "f", "publicIPPrefix": {"id": "/subscriptions/x"}}]},
                ),
            ),
        ),
        Example(
            "A store that the public network reaches, because that is the default.",
            (ExampleResource("azure-native:storage:StorageAccount", "models", {"location": examples.LOCATION}),),
        ),
        Example(
            "A guard that lets everybody in.",
            (examples.but(examples.SECURITY_GROUP, {"securityRules": [examples.allow_in("*")]}),),
        ),
        Example(
            "A rule of its own that lets the Internet in.",
            (ExampleResource("azure-native:network:SecurityRule", "rule", examples.allow_in("Internet")),),
        ),
        Example(
            "A machine that makes its own interface, with a public address.",
            (
                examples.but(
                    examples.VM,
                    {
                        "networkProfile": {
                            "networkInterfaceConfigurations": [
                                {
                                    "name": "nic",
                                    "ipConfigurations": [
                                        {"name": "ip", "publicIPAddressConfiguration": {"name": "public"}}
                                    ],
                                }
                            ]
                        }
                    },
                ),
            ),
        ),
    ),
)


def _no_way_out(resource: Resource, declared: Declared) -> Iterator[Finding]:
    ways, subnets, guard = (
        vocabulary.ways_out_of(resource),
        vocabulary.subnets_of(resource),
        vocabulary.egress_guard_of(resource),
    )
    if not ways and not subnets and guard is None:
        raise NotApplicable("does not decide on egress")
    for way in ways:
        yield from meet(way)
    for subnet in subnets:
        if subnet.default_outbound is not None:
            yield from require(subnet.default_outbound)
        if not subnet.guard.property.stated:
            yield Finding(subnet.guard.property.path, "is not stated", "a network security group of this stack")
    if guard is not None:
        yield from _guarded(guard, declared)


def _guarded(guard: EgressGuard, declared: Declared) -> Iterator[Finding]:
    if guard.complete and not any(rule.denies_all for rule in guard.rules):
        yield Finding(
            "securityRules", "do not end in a rule that denies all egress", "a deny-all outbound rule, of any priority"
        )
    for rule in guard.rules:
        if rule.allows and not rule.destinations:
            yield Finding(rule.property.path, "lets traffic out without naming a destination", "a named destination")
        for destination in rule.destinations:
            if destination.private or destination.location in declared.regions:
                continue
            where = _place(destination.location, declared)
            yield Finding(
                destination.property.path,
                f"lets traffic out to {where}",
                f"private ranges, and services of {', '.join(declared.regions)}",
            )


def _place(location: str | None, declared: Declared) -> str:
    """`location` with its jurisdiction, for a message."""
    if location is None:
        return "places that are in no region"
    regions = {region.id: region for region in catalog.load().regions(cloud=declared.cloud.id)}
    return f"'{location}' ({regions[location].jurisdiction})" if location in regions else "another cloud"


def _guards_are_known(stack: Stack, _: Declared) -> Iterator[Finding]:
    subnets = [(resource, subnet) for resource in stack.resources for subnet in vocabulary.subnets_of(resource)]
    networks = {one: name for one in stack.resources if (name := vocabulary.needs_guard(one)) is not None}
    if not subnets and not networks:
        raise NotApplicable("the stack has no subnet and no network")
    for closed in list(_closed_networks(stack, networks)):
        networks.pop(closed, None)
    somewhere = bool(networks) and _guards_of_nowhere(stack)
    for network, name in networks.items():
        if name.unknown or somewhere:
            yield unknown(name.path, "a name that a guard of this stack has too", network)
        else:
            yield Finding("egress", "is not denied by any rule of this stack", "a rule that denies all egress", network)
    for resource, subnet in subnets:
        guards = stack.references(resource, subnet.guard.through)
        if not any(vocabulary.egress_guard_of(one) for one in guards):
            yield Finding(
                subnet.guard.property.path,
                "does not come from a network security group of this stack, so that its rules cannot be judged",
                "a network security group of this stack",
                resource,
            )


def _closed_networks(stack: Stack, networks: Mapping[Resource, Property]) -> Iterator[Resource]:
    """The networks that a guard of this stack closes, so that only what other rules allow gets out. A guard refers to
    them, or has their name, where names are how a program refers to them."""
    named = defaultdict[str | None, list[Resource]](list)
    for one, name in networks.items():
        if name.stated and not name.unknown:
            named[name.text].append(one)
    for one in stack.resources:
        guard, network = vocabulary.egress_guard_of(one), vocabulary.guarded_network_of(one)
        if guard and network and any(rule.denies_all for rule in guard.rules):
            yield from stack.references(one, network.through)
            yield from named[network.property.text] if named and not network.property.unknown else ()


def _guards_of_nowhere(stack: Stack) -> bool:
    """Whether a guard belongs to a network that is known only after deployment, and that it does not refer to."""
    references = [(one, found) for one in stack.resources if (found := vocabulary.guarded_network_of(one))]
    return any(found.property.unknown and not stack.references(one, found.through) for one, found in references)


NET_02 = Rule(
    id="NET-02",
    title="Egress is denied by default, and allowed to named places inside the jurisdiction",
    why="Data leaves through egress; a rule that lets everything out makes every other rule a suggestion.",
    severity=Severity.HIGH,
    remediation="deny all egress, switch default outbound access off, and allow private destinations one by one, of"
    " named accounts where a private endpoint leads to a service of the cloud",
    check=_no_way_out,
    check_stack=_guards_are_known,
    passing=Example(
        "A subnet whose guard lets traffic go to one private range, then denies all.",
        (examples.SECURITY_GROUP, examples.SUBNET),
    ),
    failing=(
        Example(
            "Azure's default outbound access is left on.",
            (examples.SECURITY_GROUP, examples.but(examples.SUBNET, {"defaultOutboundAccess": None})),
        ),
        Example("A subnet without a guard.", (examples.but(examples.SUBNET, {"networkSecurityGroup": None}, uses={}),)),
        Example("A subnet whose guard is in another stack.", (examples.but(examples.SUBNET, {}, uses={}),)),
        Example(
            "A guard without a last rule: Azure's own lets everything out.",
            (examples.but(examples.SECURITY_GROUP, {"securityRules": []}),),
        ),
        Example(
            "A guard that lets traffic out to the Internet.",
            (
                examples.but(
                    examples.SECURITY_GROUP,
                    {"securityRules": [examples.allow_out("Internet"), examples.DENY_ALL_OUT]},
                ),
            ),
        ),
        Example(
            "A guard that lets traffic out to a storage service abroad.",
            (
                examples.but(
                    examples.SECURITY_GROUP,
                    {"securityRules": [examples.allow_out("Storage.EastUS"), examples.DENY_ALL_OUT]},
                ),
            ),
        ),
        Example(
            "A rule of its own that lets traffic out to a public address.",
            (ExampleResource("azure-native:network:SecurityRule", "rule", examples.allow_out("198.51.100.7")),),
        ),
        Example(
            "A NAT gateway.",
            (ExampleResource("azure-native:network:NatGateway", "nat", {"location": examples.LOCATION}),),
        ),
        Example(
            "A route to the Internet.",
            (
                ExampleResource(
                    "azure-native:network:RouteTable",
                    "routes",
                    {"routes": [{"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}]},
                ),
            ),
        ),
    ),
)

RULES = (NET_01, NET_02)
