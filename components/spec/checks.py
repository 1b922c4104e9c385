"""What a stack file says, held against the catalogue and against itself.

The checks read the raw mapping and skip what is absent or of the wrong type, so that they run beside the check of
the shape and one run reports everything.
"""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog import Catalog, Cloud, Region, UnknownFact, nearest
from components.spec.accounts import account_problems
from components.spec.keys import key_problems
from components.spec.machines import as_mapping, machine_problems
from components.spec.problems import Problem, key_path

REFERENCE_VALUES = Path(__file__).parents[2] / "stacks" / "reference-values"

_PRIVATE = tuple(ipaddress.IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


def problems_of(mapping: Mapping[str, Any], facts: Catalog, reference_values: Path) -> list[Problem]:
    """Everything that the facts, or another part of the file, contradict."""
    region = _region(mapping, facts)
    return [
        *_place(mapping, facts, region),
        *_registries(mapping, facts),
        *_account(mapping, facts),
        *_address_space(mapping),
        *key_problems(mapping, facts, _cloud(mapping, facts), region),
        *machine_problems(mapping, facts, region, reference_values),
    ]


def _region(mapping: Mapping[str, Any], facts: Catalog) -> Region | None:
    cloud, location = _cloud(mapping, facts), mapping.get("location")
    if not isinstance(location, str) or cloud is None:
        return None
    try:
        return facts.region(cloud.id, location)
    except UnknownFact:
        return None


def _place(mapping: Mapping[str, Any], facts: Catalog, region: Region | None) -> Iterator[Problem]:
    named, location, area = (mapping.get(key) for key in ("cloud", "location", "jurisdiction"))
    cloud = _cloud(mapping, facts)
    if isinstance(named, str) and cloud is None:
        yield Problem(key_path("cloud"), f"'{named}' is not a cloud of the catalogue", nearest(named, facts.clouds))
    known_area = isinstance(area, str) and area in facts.jurisdictions
    if isinstance(area, str) and not known_area:
        yield Problem(
            key_path("jurisdiction"),
            f"'{area}' is not a jurisdiction of the catalogue",
            nearest(area, facts.jurisdictions),
        )
    if not isinstance(location, str) or cloud is None:
        return
    inside = facts.regions(cloud=cloud.id, jurisdiction=area if known_area else None)
    if region is None:
        close = nearest(location, [candidate.id for candidate in inside])
        yield Problem(
            key_path("location"),
            f"'{location}' is not a region of {cloud.id}",
            close or nearest(location, [candidate.id for candidate in facts.regions(cloud=cloud.id)]),
        )
    elif known_area and region not in inside:
        yield Problem(
            key_path("location"),
            f"'{location}' is in {region.jurisdiction}, outside the jurisdiction {area}",
            _best_region(inside),
        )


def _registries(mapping: Mapping[str, Any], facts: Catalog) -> Iterator[Problem]:
    stated, area = mapping.get("registries"), mapping.get("jurisdiction")
    for position, registry in enumerate(stated if isinstance(stated, list | tuple) else ()):
        path, where = key_path("registries", position, "jurisdiction"), as_mapping(registry).get("jurisdiction")
        if not isinstance(where, str):
            continue
        if where not in facts.jurisdictions:
            close = nearest(where, facts.jurisdictions)
            yield Problem(path, f"'{where}' is not a jurisdiction of the catalogue", close)
        elif isinstance(area, str) and area in facts.jurisdictions and not facts.within(where, area):
            yield Problem(path, f"'{where}' is outside the jurisdiction {area}, and images come from there", area)


def _best_region(regions: Sequence[Region]) -> str | None:
    """The region to suggest: open to everyone and with zones before the others."""
    best = min(regions, key=lambda region: (region.restricted_access, not region.zones, region.id), default=None)
    return best.id if best else None


def _account(mapping: Mapping[str, Any], facts: Catalog) -> Iterator[Problem]:
    emulated = {"true": True, "false": False}.get(str(mapping.get("emulated", False)).lower())
    if emulated is None:
        return
    if cloud := _cloud(mapping, facts):
        yield from account_problems(mapping, cloud.provider, cloud.project_prefix, emulated=emulated)
    anchors = as_mapping(mapping.get("verifier")).get("trustAnchors")
    for position, anchor in enumerate(anchors if isinstance(anchors, list | tuple) else ()):
        if anchor == "sandbox" and not emulated:
            yield Problem(
                key_path("verifier", "trustAnchors", position),
                "'sandbox' would accept evidence that no hardware signed, and the region is not emulated",
                "amd",
            )


def _address_space(mapping: Mapping[str, Any]) -> Iterator[Problem]:
    given = as_mapping(mapping.get("network")).get("addressSpace")
    if not isinstance(given, str):
        return
    path = key_path("network", "addressSpace")
    try:
        network = ipaddress.IPv4Network(given, strict=False)
    except ValueError:
        yield Problem(path, f"'{given}' is not an IPv4 range; right is for example 10.20.0.0/16")
        return
    if not any(network.subnet_of(block) for block in _PRIVATE):
        yield Problem(path, f"'{given}' is not inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918)")
    elif not 16 <= network.prefixlen <= 22:
        prefix = min(max(network.prefixlen, 16), 22)
        yield Problem(path, f"'{given}' must be between /16 and /22", f"{network.network_address}/{prefix}")
    elif str(network) != given:
        yield Problem(path, f"'{given}' does not start at the first address of its range", str(network))


def _cloud(mapping: Mapping[str, Any], facts: Catalog) -> Cloud | None:
    given = mapping.get("cloud")
    return facts.cloud(given) if isinstance(given, str) and given in facts.clouds else None
