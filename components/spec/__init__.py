"""The stack specification: one typed model of a stack file, and everything that can be wrong with one."""

from components.spec.accounts import EMULATED_ACCOUNT
from components.spec.checks import REFERENCE_VALUES
from components.spec.external_manager import ExternalManagerSpec
from components.spec.model import (
    AuditSpec,
    ClusterSpec,
    GpuPoolSpec,
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
    "ClusterSpec",
    "ExternalManagerSpec",
    "GpuPoolSpec",
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
