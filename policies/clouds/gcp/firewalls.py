"""Google Cloud's firewall rules: those of a network, and those of a firewall policy, which are asked first."""

from collections.abc import Iterator
from typing import Final

import catalog
from policies.conditions import EVERYWHERE, PrivateRange, is_private
from policies.subject import Property, Resource
from policies.terms import Destination, EgressGuard, EgressRule, Setting

FIREWALL: Final = "gcp:compute:Firewall"
_RULES: Final = frozenset(
    {FIREWALL, *(f"gcp:compute:{name}FirewallPolicyRule" for name in ("", "Network", "RegionNetwork"))}
)
_STOPPED: Final = ("deny", "goto_next")
_ANYWHERE: Final = ("AddressGroups", "Fqdns", "RegionCodes", "ThreatIntelligences")
"""What the match of a policy's rule may name besides ranges; none of it is read here, so that none is private."""
_PROBES: Final = "load-balancer-health-checks"
"""Whence Google Cloud asks backends whether they serve, as the catalogue names it."""


def sources(resource: Resource) -> Iterator[Setting]:
    """Whence `resource` lets traffic in, other than from machines of the network: from everywhere, if it does not say.
    Google Cloud's own probes come from public ranges that nobody else has."""
    props = resource.props
    if resource.type not in _RULES or _is_off(resource) or _about_egress(resource):
        return
    if resource.type == FIREWALL and props.at("allows").items():
        named = any(props.at(key).stated for key in ("sourceTags", "sourceServiceAccounts"))
        found = props.at("sourceRanges").items() or (() if named else (props.at("sourceRanges"),))
    elif resource.type != FIREWALL and _lets_through(props):
        ends = _ends(props.at("match"), "src")
        found = ends or (() if props.at("match", "srcSecureTags").stated else (props.at("match", "srcIpRanges"),))
    else:
        return
    yield from (Setting(one, PrivateRange(_probes()), EVERYWHERE) for one in found)


def egress_guard(resource: Resource) -> EgressGuard | None:
    """`resource` as one rule about egress."""
    if resource.type not in _RULES or not _about_egress(resource):
        return None
    rule = _of_network(resource) if resource.type == FIREWALL else _of_policy(resource)
    return EgressGuard((rule,), complete=False)


def _is_off(resource: Resource) -> bool:
    return resource.props.at("disabled").flag is True


def _about_egress(resource: Resource) -> bool:
    """What says nothing of the direction is about ingress."""
    return (resource.props.at("direction").text or "INGRESS").upper() == "EGRESS"


def _of_network(resource: Resource) -> EgressRule:
    props, on = resource.props, not _is_off(resource)
    ranges = props.at("destinationRanges").items()
    everything = any((rule.at("protocol").text or "").lower() == "all" for rule in props.at("denies").items())
    everywhere = not ranges or any(one.text in EVERYWHERE for one in ranges)
    narrowed = props.at("targetTags").stated or props.at("targetServiceAccounts").stated
    allows = bool(props.at("allows").items()) and on
    return EgressRule(
        property=props.at("allows"),
        allows=allows,
        denies_all=everything and everywhere and not narrowed and on,
        destinations=_destinations(ranges) if allows else (),
    )


def _of_policy(resource: Resource) -> EgressRule:
    """A rule of a policy closes no network by itself: which networks have the policy, another resource says."""
    match = resource.props.at("match")
    allows = _lets_through(resource.props) and not _is_off(resource)
    destinations = _destinations(_ends(match, "dest")) if allows else ()
    return EgressRule(property=match, allows=allows, denies_all=False, destinations=destinations)


def _destinations(ends: tuple[Property, ...]) -> tuple[Destination, ...]:
    return tuple(Destination(one, private=isinstance(one.value, str) and is_private(one.value)) for one in ends)


def _lets_through(rule: Property) -> bool:
    return (rule.at("action").text or "").lower() not in _STOPPED


def _ends(match: Property, side: str) -> tuple[Property, ...]:
    """What the match of a policy's rule says of one side, `src` or `dest`."""
    others = (match.at(f"{side}{name}") for name in _ANYWHERE)
    return (*match.at(f"{side}IpRanges").items(), *(one for one in others if one.stated))


def _probes() -> tuple[str, ...]:
    """The ranges from which load balancers ask backends whether they serve."""
    facts = catalog.load()
    clouds = [cloud.id for cloud in facts.clouds.values() if cloud.provider == "gcp"]
    known = [found for cloud in clouds if (found := facts.private_endpoints(cloud).get(_PROBES))]
    return tuple(dict.fromkeys(range_ for one in known for range_ in one.addresses))
