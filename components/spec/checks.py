"""What a stack file says, held against the catalogue and against itself.

The checks read the raw mapping and skip what is absent or of the wrong type, so that they run beside the check of
the shape and one run reports everything.
"""

import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog import Catalog, Region, Tee, UnknownFact, nearest
from components.spec.problems import Problem, key_path

REFERENCE_VALUES = Path(__file__).parents[2] / "stacks" / "reference-values"

EMULATED_ACCOUNT = "00000000-0000-0000-0000-000000000000"

_TEE_NAMES: Mapping[Tee, str] = {"snp": "AMD SEV-SNP", "tdx": "Intel TDX"}
_RESERVED_NAMES = {"verifier"}
_PRIVATE = tuple(ipaddress.IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


def problems_of(mapping: Mapping[str, Any], facts: Catalog, reference_values: Path) -> list[Problem]:
    """Everything that the facts, or another part of the file, contradict."""
    region = _region(mapping, facts)
    return [
        *_place(mapping, facts, region),
        *_account(mapping),
        *_address_space(mapping),
        *_key_service(mapping, facts),
        *_machine(("verifier",), {"tee": "snp", **_mapping(mapping.get("verifier"))}, facts, region),
        *_machines(mapping, facts, region),
        *_images(mapping, reference_values),
    ]


def _region(mapping: Mapping[str, Any], facts: Catalog) -> Region | None:
    cloud, location = mapping.get("cloud"), mapping.get("location")
    if not isinstance(location, str) or cloud not in facts.clouds:
        return None
    try:
        return facts.region(str(cloud), location)
    except UnknownFact:
        return None


def _place(mapping: Mapping[str, Any], facts: Catalog, region: Region | None) -> Iterator[Problem]:
    cloud, location, area = (mapping.get(key) for key in ("cloud", "location", "jurisdiction"))
    known_area = isinstance(area, str) and area in facts.jurisdictions
    if isinstance(area, str) and not known_area:
        yield Problem(
            key_path("jurisdiction"),
            f"'{area}' is not a jurisdiction of the catalogue",
            nearest(area, facts.jurisdictions),
        )
    if not isinstance(location, str) or cloud not in facts.clouds:
        return
    inside = facts.regions(cloud=str(cloud), jurisdiction=area if known_area else None)
    if region is None:
        close = nearest(location, [candidate.id for candidate in inside])
        yield Problem(
            key_path("location"),
            f"'{location}' is not a region of {cloud}",
            close or nearest(location, [candidate.id for candidate in facts.regions(cloud=str(cloud))]),
        )
    elif known_area and region not in inside:
        yield Problem(
            key_path("location"),
            f"'{location}' is in {region.jurisdiction}, outside the jurisdiction {area}",
            _best_region(inside),
        )


def _best_region(regions: Sequence[Region]) -> str | None:
    """The region to suggest: open to everyone and with zones before the others."""
    best = min(regions, key=lambda region: (region.restricted_access, not region.zones, region.id), default=None)
    return best.id if best else None


def _account(mapping: Mapping[str, Any]) -> Iterator[Problem]:
    emulated = {"true": True, "false": False}.get(str(mapping.get("emulated", False)).lower())
    if emulated is None:
        return
    for key in ("subscriptionId", "tenantId"):
        account = mapping.get(key)
        if account == EMULATED_ACCOUNT and not emulated:
            yield Problem(key_path(key), "all zeros is the emulated account, and the region is not emulated")
        elif isinstance(account, str) and account != EMULATED_ACCOUNT and emulated:
            yield Problem(key_path(key), "names a real account, and the region is emulated", EMULATED_ACCOUNT)
    anchors = _mapping(mapping.get("verifier")).get("trustAnchors")
    for position, anchor in enumerate(anchors if isinstance(anchors, list | tuple) else ()):
        if anchor == "sandbox" and not emulated:
            yield Problem(
                key_path("verifier", "trustAnchors", position),
                "'sandbox' would accept evidence that no hardware signed, and the region is not emulated",
                "amd",
            )


def _address_space(mapping: Mapping[str, Any]) -> Iterator[Problem]:
    given = _mapping(mapping.get("network")).get("addressSpace")
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


def _key_service(mapping: Mapping[str, Any], facts: Catalog) -> Iterator[Problem]:
    cloud, given = mapping.get("cloud"), _mapping(mapping.get("keys")).get("service")
    if not isinstance(given, str) or cloud not in facts.clouds:
        return
    services = facts.services(str(cloud))
    able = [service.id for service in services.values() if service.kind == "key" and service.key_release]
    if given not in able:
        what = "releases no keys under a policy" if given in services else f"is not a key service of {cloud}"
        yield Problem(key_path("keys", "service"), f"'{given}' {what}", nearest(given, able) or min(able, default=None))


def _machines(mapping: Mapping[str, Any], facts: Catalog, region: Region | None) -> Iterator[Problem]:
    machines = _machine_mappings(mapping)
    names = Counter(machine["name"] for machine in machines.values() if isinstance(machine.get("name"), str))
    for position, machine in machines.items():
        name = machine.get("name")
        if isinstance(name, str) and (names[name] > 1 or name in _RESERVED_NAMES):
            why = "is reserved" if name in _RESERVED_NAMES else "is the name of another machine as well"
            yield Problem(key_path("machines", position, "name"), f"'{name}' {why}")
        yield from _machine(("machines", position), {"tee": "snp", **machine}, facts, region)


def _machine(
    path: tuple[str | int, ...], machine: Mapping[str, Any], facts: Catalog, region: Region | None
) -> Iterator[Problem]:
    if region is None:
        return
    size, tee, zone = machine.get("size"), machine.get("tee"), machine.get("zone")
    if isinstance(size, str):
        yield from _size(key_path(*path, "size"), size, tee, facts, region)
    if isinstance(zone, str) and region.zone_names is not None and zone not in region.zone_names:
        zones = f"has the zones {', '.join(region.zone_names)}" if region.zone_names else "has no zones"
        yield Problem(key_path(*path, "zone"), f"'{zone}' is not a zone: {region.id} {zones}")


def _size(path: str, size: str, wanted: object, facts: Catalog, region: Region) -> Iterator[Problem]:
    tee = next((tee for tee in _TEE_NAMES if tee == wanted), None)
    if tee is None:
        return
    offered = {machine.size for machine in facts.machine_types(region.cloud, region=region.id, tee=tee)}
    if size in offered:
        return
    try:
        known = facts.machine_type(region.cloud, size)
    except UnknownFact:
        yield Problem(path, f"'{size}' is not a machine size of the catalogue", nearest(size, offered))
        return
    what = f"has no {_TEE_NAMES[tee]}" if known.tee != tee else f"is not offered in {region.id}"
    best = facts.nearest_machine_type(known, region=region.id, tee=tee)
    nowhere = "" if best else f", and {region.id} offers no size with {_TEE_NAMES[tee]}"
    yield Problem(path, f"'{size}' {what}{nowhere}", best.size if best else None)


def _images(mapping: Mapping[str, Any], reference_values: Path) -> Iterator[Problem]:
    built = {path.stem for path in reference_values.glob("*.json")}
    images: dict[tuple[str | int, ...], Any] = {("verifier", "image"): _mapping(mapping.get("verifier")).get("image")}
    for position, machine in _machine_mappings(mapping).items():
        images["machines", position, "image"] = machine.get("image")
    for path, image in images.items():
        name, version = _mapping(image).get("name"), _mapping(image).get("version")
        if isinstance(name, str) and isinstance(version, str) and f"{name}-{version}" not in built:
            yield Problem(
                key_path(*path),
                f"'{name}-{version}' has no signed reference values in stacks/{reference_values.name}",
                nearest(f"{name}-{version}", built),
            )


def _machine_mappings(mapping: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """The entries of `machines` that are mappings, by position."""
    machines = mapping.get("machines")
    entries = enumerate(machines if isinstance(machines, list | tuple) else ())
    return {position: entry for position, entry in entries if isinstance(entry, Mapping)}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
