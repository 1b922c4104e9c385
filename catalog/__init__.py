"""Facts as data, each with its source: jurisdictions, operators, clouds, regions, machine types, services."""

from catalog.assessment import Assessment, Finding, assess
from catalog.errors import BadCatalog, UnknownFact, nearest
from catalog.facts import Boundary, Cloud, Confidence, Fact, Jurisdiction, Law, Operator, Region, Source
from catalog.index import Catalog, Index
from catalog.loader import load, load_from
from catalog.machines import (
    ATTESTED_TEES,
    ClusterFeature,
    Gpu,
    MachineFamily,
    MachineRequirement,
    MachineType,
    Purchase,
    Tee,
    Tenancy,
)
from catalog.services import Application, GlobalType, Guardrail, PrivateEndpoint, ReleaseClaim, Service

__all__ = [
    "ATTESTED_TEES",
    "Application",
    "Assessment",
    "BadCatalog",
    "Boundary",
    "Catalog",
    "Cloud",
    "ClusterFeature",
    "Confidence",
    "Fact",
    "Finding",
    "GlobalType",
    "Gpu",
    "Guardrail",
    "Index",
    "Jurisdiction",
    "Law",
    "MachineFamily",
    "MachineRequirement",
    "MachineType",
    "Operator",
    "PrivateEndpoint",
    "Purchase",
    "Region",
    "ReleaseClaim",
    "Service",
    "Source",
    "Tee",
    "Tenancy",
    "UnknownFact",
    "assess",
    "load",
    "load_from",
    "nearest",
]
