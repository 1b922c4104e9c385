"""The components as other languages see them."""

from components.hosted.azure import (
    AzureAuditLog,
    AzureConfidentialVm,
    AzureModelStore,
    AzureResidencyGuard,
    AzureSovereignNetwork,
)
from components.hosted.package import COMPONENTS, PACKAGE, VERSION, schema_text

__all__ = [
    "COMPONENTS",
    "PACKAGE",
    "VERSION",
    "AzureAuditLog",
    "AzureConfidentialVm",
    "AzureModelStore",
    "AzureResidencyGuard",
    "AzureSovereignNetwork",
    "schema_text",
]
