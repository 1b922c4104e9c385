"""Facts as data, each with its source: jurisdictions, clouds, regions, machine types, services."""

from catalog.errors import BadCatalog, UnknownFact, nearest
from catalog.facts import (
    Application,
    Cloud,
    Confidence,
    Fact,
    GlobalType,
    Gpu,
    Jurisdiction,
    MachineFamily,
    MachineType,
    PrivateEndpoint,
    Region,
    Service,
    Source,
    Tee,
)
from catalog.index import Catalog, Index
from catalog.loader import load, load_from

__all__ = [
    "Application",
    "BadCatalog",
    "Catalog",
    "Cloud",
    "Confidence",
    "Fact",
    "GlobalType",
    "Gpu",
    "Index",
    "Jurisdiction",
    "MachineFamily",
    "MachineType",
    "PrivateEndpoint",
    "Region",
    "Service",
    "Source",
    "Tee",
    "UnknownFact",
    "load",
    "load_from",
    "nearest",
]
