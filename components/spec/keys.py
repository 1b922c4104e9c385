"""What a stack file says of the keys, held against the catalogue and against itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from catalog import Catalog, Cloud, Region, nearest
from components.spec.accounts import EMULATED_OBJECT_ID
from components.spec.external_manager import KEY, external_manager_problems
from components.spec.machines import as_mapping
from components.spec.parts import PARTS
from components.spec.problems import Problem, key_path


def key_problems(
    mapping: Mapping[str, Any], facts: Catalog, cloud: Cloud | None, region: Region | None
) -> Iterator[Problem]:
    """Everything that is wrong with `keys`; cloud and region: those that the file names, where they are known."""
    keys = as_mapping(mapping.get("keys"))
    yield from _administrators(mapping, keys)
    if cloud is not None:
        yield from _key_service(keys, facts, cloud, region)
        yield from _soft_delete(keys, cloud)
        yield from _external_manager(mapping, keys, facts, cloud)


def _key_service(keys: Mapping[str, Any], facts: Catalog, cloud: Cloud, region: Region | None) -> Iterator[Problem]:
    given = keys.get("service")
    if not isinstance(given, str):
        return
    services = facts.services(cloud.id)
    able = key_services(facts, cloud.id)
    if not able:
        yield Problem(key_path("cloud"), f"{cloud.name} has no key service whose keys only attested guests get")
    elif given not in able:
        what = "gives no keys to attested guests" if given in services else f"is not a key service of {cloud.id}"
        best = nearest(given, able) or able[0]
        yield Problem(key_path("keys", "service"), f"'{given}' {what}", best)
    elif region is not None and services[given].offered_in(region.id) is False:
        there = next((id_ for id_ in able if services[id_].offered_in(region.id)), None)
        yield Problem(key_path("keys", "service"), f"'{given}' is not offered in {region.id}", there)


def _soft_delete(keys: Mapping[str, Any], cloud: Cloud) -> Iterator[Problem]:
    given = keys.get("softDeleteDays")
    if not isinstance(given, int):
        return
    allowed = PARTS[cloud.provider].soft_delete_days
    if given not in allowed:
        between = f"from {allowed[0]} to {allowed[-1]}" if len(allowed) > 1 else f"{allowed[0]}"
        path = key_path("keys", "softDeleteDays")
        yield Problem(path, f"{given} must be {between} on {cloud.id}", str(min(max(given, allowed[0]), allowed[-1])))


def _external_manager(
    mapping: Mapping[str, Any], keys: Mapping[str, Any], facts: Catalog, cloud: Cloud
) -> Iterator[Problem]:
    """The service for keys outside the cloud has a manager to reach, and no other service has one."""
    external, given = PARTS[cloud.provider].external_keys, keys.get(KEY)
    if given is not None:
        if external and keys.get("service") != external:
            yield Problem(
                key_path("keys", "service"), f"'{keys.get('service')}' makes keys itself, and {KEY} is named", external
            )
        yield from external_manager_problems(given, facts, cloud.provider, mapping.get("jurisdiction"))
    elif external and keys.get("service") == external:
        yield Problem(key_path("keys", KEY), f"is missing: {external} uses keys of a manager outside the cloud")


def _administrators(mapping: Mapping[str, Any], keys: Mapping[str, Any]) -> Iterator[Problem]:
    """A Managed HSM takes its administrators when it is made, and a service that is shared has none to name."""
    named, path = keys.get("administrators"), key_path("keys", "administrators")
    if keys.get("service") != "managed-hsm":
        if named:
            yield Problem(path, "is for the key service managed-hsm: leave the key out")
    elif not named:
        best = EMULATED_OBJECT_ID if mapping.get("emulated") in (True, "true") else None
        yield Problem(path, "is missing: object ids of the service principals that activate the HSM and deploy", best)


def key_services(facts: Catalog, cloud: str) -> list[str]:
    """Key services of a cloud whose keys only attested guests get, the one to take by default first."""
    return [
        service.id
        for service in facts.services(cloud).values()
        if service.kind == "key" and service.key_release and service.in_provider_sdk
    ]
