"""Where Google Cloud resources are, and where their provider leads."""

import re
from collections.abc import Iterator

import catalog
from policies.conditions import OneOf
from policies.context import Declared
from policies.subject import Property, Resource
from policies.terms import Setting, Unwanted

_ZONE = re.compile(r"([a-z]+-[a-z]+\d+)-[a-z]")
_ENDPOINT_SUFFIX = "CustomEndpoint"

# Lists of further locations, by type: the path of the list and the key of the location in each element.
_MORE_LOCATIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "gcp:secretmanager:Secret": (("replication", "userManaged", "replicas"), "location"),
    "gcp:storage:Bucket": (("customPlacementConfig", "dataLocations"), ""),
}


def locations(resource: Resource) -> tuple[Property, ...]:
    """Every property of `resource` that names a region, or a zone, which is read as its region."""
    path, key = _MORE_LOCATIONS.get(resource.type, ((), ""))
    more = resource.props.at(*path).items() if path else ()
    zones = (resource.props.at("zone"), *resource.props.at("nodeLocations").items())
    found = (
        resource.props.at("location"),
        resource.props.at("region"),
        *(_region_of(zone) for zone in zones),
        *(element.at(key) if key else element for element in more),
    )
    return tuple(_region_of(one) for one in found if one.stated)


def _region_of(zone: Property) -> Property:
    if not zone.stated or zone.unknown:
        return zone
    match = _ZONE.fullmatch(zone.text or "")
    return Property(zone.path, match.group(1)) if match else zone


def location_of_verifier(_: str, __: catalog.Cloud) -> None:
    """Google's attestation service has one address for all regions."""
    return


def provider_settings(props: Property, declared: Declared) -> Iterator[Setting | Unwanted]:
    """What a provider must say to stay in the declared universe, area and project.

    The universe must be stated: without it the provider takes what `GOOGLE_UNIVERSE_DOMAIN` says.
    """
    cloud = declared.cloud
    universes = tuple(one.universe_domain for one in catalog.load().clouds.values() if one.universe_domain)
    if cloud.universe_domain is not None:
        yield Setting(props.at("universeDomain"), OneOf((cloud.universe_domain,)), universes)
    everywhere = tuple(region.id for region in catalog.load().regions(cloud=cloud.id))
    yield Setting(props.at("region"), OneOf(declared.regions), everywhere, unless_stated=True)
    yield Setting(_region_of(props.at("zone")), OneOf(declared.regions), everywhere, unless_stated=True)
    if declared.account is not None:
        yield Setting(props.at("project"), OneOf((declared.account,)))
    for key in props.names():
        if key.endswith(_ENDPOINT_SUFFIX):
            yield Unwanted(props.at(key), "a control plane that the catalogue does not know")
