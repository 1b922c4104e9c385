"""Where Azure is and what it has there, from the catalogue: regions, zones and machine sizes."""

import re
from dataclasses import dataclass
from functools import cache

import catalog

CLOUD = "azure"
# The catalogue lists every confidential size and few others. Any other well-formed size of a general series is taken
# as offered in every region, so that a stack that wrongly uses one is judged for that and not for its spelling.
_GENERAL_SERIES = re.compile(r"Standard_(?:[ABDEFL]|N[CDVG])\d+(?:-\d+)?[a-z]*(?:_[A-Z]\d+)?(?:_v[2-9])?")


@dataclass(frozen=True, slots=True)
class Size:
    """A machine size: its TEE and confidential GPU, None where it has none; the regions that offer it, None for all."""

    name: str
    tee: str | None
    regions: frozenset[str] | None
    gpu: str | None = None


@cache
def regions() -> frozenset[str]:
    return frozenset(region.id for region in catalog.load().regions(cloud=CLOUD))


@cache
def zones(region: str) -> tuple[str, ...]:
    """The availability zones of a region; none where it has none."""
    names = catalog.load().region(CLOUD, region).zone_names
    return tuple(names or ())


@cache
def size(name: str) -> Size | None:
    """The facts of a size; None when Azure has no such size."""
    try:
        known = catalog.load().machine_type(CLOUD, name)
    except catalog.UnknownFact:
        return Size(name, None, None) if _GENERAL_SERIES.fullmatch(name) else None
    return Size(name, known.tee, frozenset(known.regions), known.gpu.name if known.gpu and known.gpu.cc else None)


@cache
def sizes_in(region: str) -> tuple[str, ...]:
    """The confidential sizes that a region offers."""
    return tuple(sorted(known.size for known in catalog.load().machine_types(CLOUD, region=region)))


def host_suffix(service: str) -> str:
    """The DNS suffix of a service's host names: `vault` → `vault.azure.net`."""
    return catalog.load().cloud(CLOUD).dns[service]
