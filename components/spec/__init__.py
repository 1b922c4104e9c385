"""The stack specification: one typed model of a stack file, and everything that can be wrong with one."""

from components.spec.checks import EMULATED_ACCOUNT, REFERENCE_VALUES
from components.spec.model import (
    AuditSpec,
    ImageSpec,
    KeySpec,
    MachineSpec,
    NetworkSpec,
    RegionSpec,
    VerifierSpec,
)
from components.spec.problems import Problem, SpecError
from components.spec.schema import json_schema

__all__ = [
    "EMULATED_ACCOUNT",
    "REFERENCE_VALUES",
    "AuditSpec",
    "ImageSpec",
    "KeySpec",
    "MachineSpec",
    "NetworkSpec",
    "Problem",
    "RegionSpec",
    "SpecError",
    "VerifierSpec",
    "json_schema",
]
