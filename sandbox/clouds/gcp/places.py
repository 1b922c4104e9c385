"""Where Google Cloud is and what it has there, from the catalogue: regions, zones and machine types."""

import re
from dataclasses import dataclass
from functools import cache

import catalog

CLOUD = "gcp"
TEES = {"SEV": "sev", "SEV_SNP": "snp", "TDX": "tdx"}
"""The catalogue's names of what `confidentialInstanceType` may be."""

# Locations of services that keep data in more than one region (Cloud KMS, Cloud Storage and Cloud Logging locations).
MULTI_REGIONS = frozenset(
    {"global", "asia", "eu", "europe", "us", "eur3", "eur4", "eur5", "eur7", "nam4", "nam6", "asia1"}
)
# The catalogue lists every machine type that attests and few others. Any other well-formed one of a general series is
# taken as offered everywhere, so that a stack that wrongly uses one is judged for that and not for its spelling.
_GENERAL = re.compile(
    r"(?:e2-(?:micro|small|medium)|(?:e2|n1|n2|n2d|n4|n4d|c2|c2d|c3|c3d|c4|c4a|c4d|t2d|t2a|m1|m2|m3|m4|z3|h3|h4d|x4)"
    r"-(?:standard|highmem|highcpu|ultramem|megamem|hypermem|custom)-\d+(?:-\d+)?(?:-lssd|-metal)?"
    r"|(?:a2|a3|a4|g2|g4)-(?:highgpu|megagpu|ultragpu|edgegpu|standard)-\d+g?(?:-nolssd)?)"
)


@dataclass(frozen=True, slots=True)
class MachineType:
    """A machine type. `tees` are those it can start with; `zones` the zones where it has the first of them, by region,
    None where that is not known; `purchase` how it is sold; `gpu`: one in confidential-computing mode."""

    name: str
    tees: tuple[str, ...]
    zones: dict[str, tuple[str, ...]] | None
    purchase: tuple[str, ...]
    min_cpu_platform: str | None
    gpu: str | None = None


@cache
def regions() -> frozenset[str]:
    return frozenset(region.id for region in catalog.load().regions(cloud=CLOUD))


@cache
def zones(region: str) -> tuple[str, ...]:
    return tuple(catalog.load().region(CLOUD, region).zone_names or ())


def region_of(zone: str) -> str:
    """`europe-west3-a` → `europe-west3`."""
    return zone.rpartition("-")[0]


def is_zone(zone: str) -> bool:
    region = region_of(zone)
    return region in regions() and zone in zones(region)


def within_region(location: str) -> str:
    """The region of a location that is a region or a zone."""
    return region_of(location) if is_zone(location) else location


@cache
def machine_type(name: str) -> MachineType | None:
    """The facts of a machine type; None when Google has none of that name."""
    facts = catalog.load()
    try:
        known = facts.machine_type(CLOUD, name)
    except catalog.UnknownFact:
        return _general(name)
    tees = tuple(tee for tee in (known.tee, *known.other_tees) if tee)
    gpu = known.gpu.name if known.gpu and known.gpu.cc else None
    return MachineType(name, tees, dict(known.zones) or None, known.purchase, known.min_cpu_platform, gpu)


def _general(name: str) -> MachineType | None:
    families = catalog.load().machine_families(CLOUD)
    family = next((family for family in families.values() if name.startswith(f"{family.family}-")), None)
    if not _GENERAL.fullmatch(name) or (family is not None and family.sizes):
        return None
    if family is None:
        return MachineType(name, (), None, ("on-demand",), None)
    tees = tuple(tee for tee in (family.tee, *family.other_tees) if tee)
    return MachineType(name, tees, None, family.purchase, family.min_cpu_platform)


def has_tee(machine: MachineType, tee: str, zone: str) -> bool:
    """Whether a machine type starts with `tee` in a zone, as far as the catalogue knows."""
    if tee not in machine.tees:
        return False
    return machine.zones is None or tee != machine.tees[0] or zone in machine.zones.get(region_of(zone), ())
