"""AWS's security groups: their rules, which deny what they do not list, and the machines that are under them."""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.conditions import EVERYWHERE, OneOf, PrivateRange, is_private
from policies.subject import Property, Resource
from policies.terms import Destination, EgressGuard, EgressRule, Reference, Setting, Subnet

_EC2: Final = "aws:ec2:"
_GROUPS: Final = frozenset({_EC2 + "SecurityGroup", _EC2 + "DefaultSecurityGroup"})
_RULE: Final = _EC2 + "SecurityGroupRule"
_RULES: Final[Mapping[str, str]] = {
    "egress": "aws:vpc:SecurityGroupEgressRule",
    "ingress": "aws:vpc:SecurityGroupIngressRule",
}
"""By direction: the type of one rule that is a resource of its own."""
MACHINES: Final = frozenset({_EC2 + "Instance", _EC2 + "SpotInstanceRequest"})
TEMPLATE: Final = _EC2 + "LaunchTemplate"
CONFIGURATION: Final = _EC2 + "LaunchConfiguration"
_INTERFACE: Final = _EC2 + "NetworkInterface"


def subnets(resource: Resource) -> Iterator[Subnet]:
    """Where machines are attached: AWS guards that, and not the subnet. What names no guard of the stack's own gets the
    network's default one, which lets everything out."""
    props = resource.props
    if resource.type in MACHINES | {CONFIGURATION}:
        through = "vpcSecurityGroupIds" if resource.type in MACHINES else "securityGroups"
        private = Setting(props.at("associatePublicIpAddress"), OneOf((False,)))
        yield Subnet(default_outbound=private, guard=Reference(props.at(through), through))
    elif resource.type == _INTERFACE:
        yield Subnet(default_outbound=None, guard=Reference(props.at("securityGroups"), "securityGroups"))
    elif resource.type == TEMPLATE:
        interfaces = props.at("networkInterfaces").items()
        for interface in interfaces:
            guard = Reference(interface.at("securityGroups"), "networkInterfaces")
            yield Subnet(default_outbound=private_interface(interface), guard=guard)
        if not interfaces:
            guard = Reference(props.at("vpcSecurityGroupIds"), "vpcSecurityGroupIds")
            yield Subnet(default_outbound=None, guard=guard)


def private_interface(interface: Property) -> Setting:
    """That an interface of a launch template gets no public address; the provider takes the word and the boolean."""
    return Setting(interface.at("associatePublicIpAddress"), OneOf(("false", False)))


def egress_guard(resource: Resource) -> EgressGuard | None:
    """The outbound rules of `resource`; the provider removes AWS's own, which lets everything out."""
    rules = _rules(resource, "egress")
    return EgressGuard(tuple(_egress_rule(rule) for rule in rules), complete=False) if rules is not None else None


def sources(resource: Resource) -> Iterator[Setting]:
    """Whence the inbound rules of `resource` let traffic in, other than from groups. Nothing tells what a list of
    prefixes holds, so that none is taken for private."""
    for rule in _rules(resource, "ingress") or ():
        outside = (*_ranges(rule), *_lists(rule))
        if not outside and not _groups(rule):
            outside = (rule.at("cidrBlocks"),)
        yield from (Setting(one, PrivateRange(), EVERYWHERE) for one in outside)


def _rules(resource: Resource, direction: str) -> tuple[Property, ...] | None:
    """The rules of one direction in `resource`; None where it has no rules."""
    props = resource.props
    if resource.type in _GROUPS:
        return props.at(direction).items()
    if resource.type == _RULE:
        stated = props.at("type")
        return (props,) if not stated.stated or stated.text == direction else ()
    return (props,) if resource.type == _RULES[direction] else None


def _egress_rule(rule: Property) -> EgressRule:
    destinations = (
        *(Destination(one, private=is_private(one.text or "")) for one in _ranges(rule)),
        *(Destination(one, private=True) for one in _groups(rule)),
        *(Destination(one, private=False) for one in _lists(rule)),
    )
    return EgressRule(property=rule, allows=True, denies_all=False, destinations=destinations)


def _ranges(rule: Property) -> tuple[Property, ...]:
    return (
        *rule.at("cidrBlocks").items(),
        *rule.at("ipv6CidrBlocks").items(),
        *_stated(rule, "cidrIpv4", "cidrIpv6"),
    )


def _groups(rule: Property) -> tuple[Property, ...]:
    """Other groups, and the rule's own."""
    one_of_them = _stated(rule, "sourceSecurityGroupId", "referencedSecurityGroupId", "self")
    return (*rule.at("securityGroups").items(), *one_of_them)


def _lists(rule: Property) -> tuple[Property, ...]:
    return (*rule.at("prefixListIds").items(), *_stated(rule, "prefixListId"))


def _stated(rule: Property, *keys: str) -> tuple[Property, ...]:
    return tuple(one for one in map(rule.at, keys) if one.stated)
