"""Every id that a fact names must be there."""

from collections.abc import Collection

from catalog.errors import BadCatalog
from catalog.index import Catalog


def require(present: bool, where: str, value: str) -> None:
    """Raises `BadCatalog` unless `present`: the fact at `where` names `value`."""
    if not present:
        raise BadCatalog(f"{where}: names '{value}', which is not in the catalogue")


def check_references(catalog: Catalog) -> None:
    """Raises `BadCatalog` at the first fact that names a fact that is not there."""
    for law in catalog.laws.values():
        require(law.jurisdiction in catalog.jurisdictions, f"law '{law.id}'", law.jurisdiction)
    for cloud in catalog.clouds:
        regions = {region.id for region in catalog.regions(cloud=cloud)}
        _check_regions(catalog, cloud, regions)
        _check_machines(catalog, cloud, regions)
        _check_services(catalog, cloud, regions)


def _check_regions(catalog: Catalog, cloud: str, regions: Collection[str]) -> None:
    for region in catalog.regions(cloud=cloud):
        if region.paired_region is not None:
            require(region.paired_region in regions, f"region '{region.id}'", region.paired_region)
    for boundary in catalog.boundaries(cloud):
        require(boundary.operator_id in catalog.operators, f"boundary '{boundary.id}'", boundary.operator_id)
        _all(boundary.regions, regions, f"boundary '{boundary.id}'")


def _check_machines(catalog: Catalog, cloud: str, regions: Collection[str]) -> None:
    for family in catalog.machine_families(cloud).values():
        where = f"machine family '{family.family}'"
        _all(family.regions, regions, where)
        offered_in = f"{where}: offered in no such region"
        for named in (family.zones, family.disputed, family.dedicated_host, family.shared or ()):
            _all(named, family.regions, offered_in)
        for region, zones in family.zones.items():
            known = catalog.region(cloud, region).zone_names
            if known is not None:
                _all(zones, known, f"{where}: zone of {region}")
    for feature in catalog.cluster_features(cloud).values():
        _all(feature.families, catalog.machine_families(cloud), f"cluster feature '{feature.id}'")


def _check_services(catalog: Catalog, cloud: str, regions: Collection[str]) -> None:
    services, endpoints = catalog.services(cloud), catalog.private_endpoints(cloud)
    for service in services.values():
        where = f"service '{service.id}'"
        for named in (service.regions, service.absent, service.unpaired, service.not_extendable_from):
            _all(named, regions, where)
        if service.private_endpoint is not None:
            require(service.private_endpoint in endpoints, where, service.private_endpoint)
    for claim in catalog.release_claims(cloud):
        require(claim.service in services, f"release claim '{claim.id}'", claim.service)
    for guardrail in catalog.guardrails(cloud).values():
        where = f"guardrail '{guardrail.id}'"
        _all(guardrail.regions, regions, where)
        _all([area for area in guardrail.values if area != "{region}"], catalog.jurisdictions, where)


def _all(named: Collection[str], known: Collection[str], where: str) -> None:
    for value in sorted(named):
        require(value in known, where, value)
