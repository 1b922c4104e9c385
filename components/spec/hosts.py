"""Whether the Dedicated Hosts that a stack file names are there for the machines that ask for one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog import Region
from components.spec.problems import Problem, key_path

KeyPath = tuple[str | int, ...]
Entry = tuple[KeyPath, Mapping[str, Any]]
"""One entry of the file that names a machine, with its path."""
_KEY = "hostIds"


def host_problems(
    mapping: Mapping[str, Any], entries: Iterable[Entry], region: Region, provider: str
) -> Iterator[Problem]:
    """What is wrong with `hostIds`, and with the machines that are to be on one of them."""
    given = mapping.get(_KEY)
    hosts = given if isinstance(given, Mapping) else {}
    if hosts and provider != "aws":
        yield Problem(key_path(_KEY), f"is a key of aws, and the cloud is {region.cloud}")
        return
    zones = region.zone_names or ()
    for zone in hosts:
        if zone not in zones:
            yield Problem(key_path(_KEY, zone), f"is not a zone: {region.id} has {', '.join(zones) or 'none'}")
    for path, entry in entries:
        if entry.get("tenancy") != "dedicated-host":
            continue
        count, zone = entry.get("count", 1), entry.get("zone")
        if isinstance(count, int) and count > 1:
            yield Problem(key_path(*path, "count"), "a group is not built on dedicated hosts", "1")
        elif not hosts:
            yield Problem(
                key_path(_KEY), "is missing, and a machine asks for a dedicated host; right is {zone: host id}"
            )
        elif isinstance(zone, str) and zone not in hosts:
            yield Problem(key_path(*path, "zone"), f"{_KEY} names no host in '{zone}'", min(map(str, hosts)))
