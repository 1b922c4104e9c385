"""Where AWS resources are, and where their provider leads."""

import json
import re
from collections.abc import Iterator

import catalog
from policies.conditions import OneOf
from policies.context import Declared
from policies.subject import Property, Resource
from policies.terms import Setting, Unwanted

_ZONE = re.compile(r"([a-z]+(?:-[a-z]+)+-\d+)[a-z]")


def locations(resource: Resource) -> tuple[Property, ...]:
    """Every property of `resource` that names a region, or a zone, which is read as its region.

    A zone counts where no region is stated: AWS refuses one of another region.
    """
    region, zone = resource.props.at("region"), resource.props.at("availabilityZone")
    found = (
        region,
        *(() if region.stated else (zone,)),
        *(replica.at("regionName") for replica in resource.props.at("replicas").items()),
    )
    return tuple(_region_of(one) for one in found if one.stated)


def _region_of(zone: Property) -> Property:
    match = None if zone.unknown else _ZONE.fullmatch(zone.text or "")
    return Property(zone.path, match.group(1)) if match else zone


def provider_settings(props: Property, declared: Declared) -> Iterator[Setting | Unwanted]:
    """What a provider must say to stay in the declared area and account; a region belongs to one partition.

    Region and account must be stated: without them the provider takes what `AWS_REGION` and the login say.
    """
    everywhere = tuple(region.id for region in catalog.load().regions(cloud=declared.cloud.id))
    yield Setting(props.at("region"), OneOf(declared.regions), everywhere)
    yield Setting(props.at("stsRegion"), OneOf(declared.regions), everywhere, unless_stated=True)
    if declared.account is not None:
        yield from (Setting(one, OneOf((declared.account,))) for one in _accounts(props.at("allowedAccountIds")))
    yield Unwanted(props.at("endpoints"), "a control plane that the catalogue does not know")


def _accounts(stated: Property) -> tuple[Property, ...]:
    """A provider's lists arrive as JSON text."""
    if stated.stated and not stated.unknown and isinstance(stated.value, str):
        try:
            stated = Property(stated.path, json.loads(stated.value))
        except (ValueError, RecursionError):
            return (stated,)
    single = stated.unknown or not stated.stated or not isinstance(stated.value, list)
    return (stated,) if single else (stated.items() or (stated,))
