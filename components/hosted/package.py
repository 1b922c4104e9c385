"""The package that the plugin hosts, and its schema as the repository publishes it.

    python -m components.hosted.package

writes `components/hosted/schema.json`, from which Pulumi makes the SDKs of other languages.
"""

import json
from pathlib import Path
from typing import Final

import pulumi
from pulumi.provider.experimental.component import ComponentProvider

from components.hosted.azure import (
    AzureAuditLog,
    AzureConfidentialVm,
    AzureModelStore,
    AzureResidencyGuard,
    AzureSovereignNetwork,
)

PACKAGE: Final = "bailiwick"
VERSION: Final = "0.1.0"
SCHEMA_FILE = Path(__file__).with_name("schema.json")
COMPONENTS: list[type[pulumi.ComponentResource]] = [
    AzureAuditLog,
    AzureConfidentialVm,
    AzureModelStore,
    AzureResidencyGuard,
    AzureSovereignNetwork,
]


def schema_text() -> str:
    """The schema that the host infers from the components, as canonical text."""
    inferred = ComponentProvider(COMPONENTS, PACKAGE, version=VERSION).schema
    return json.dumps(json.loads(inferred or "{}"), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
