"""What every example has: the day on which it is judged, the stack that it is in, and a way to vary a resource."""

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from policies.rule import ExampleResource

TODAY = date(2026, 11, 23)
"""The day on which the examples are judged."""
LOCATION = "germanywestcentral"
CONFIG: Mapping[str, str] = {
    "cloud": "azure",
    "jurisdiction": "DE",
    "location": LOCATION,
    "subscriptionId": "00000000-0000-0000-0000-000000000000",
    "tenantId": "00000000-0000-0000-0000-000000000000",
    "emulated": "true",
    "dataClass": "confidential",
}
"""The stack configuration of every example, without the `bailiwick:` prefix."""
MEASUREMENT = "5c2f" * 24
"""The launch measurement of the examples' image."""


def but(resource: ExampleResource, changes: Mapping[str, Any], **others: Any) -> ExampleResource:
    """`resource` with some properties set (`"properties.sku.name"`), or removed where the value is None."""
    props = copy.deepcopy(dict(resource.props))
    for path, value in changes.items():
        *parents, last = path.split(".")
        holder: Any = props
        for key in parents:
            holder = holder[int(key)] if isinstance(holder, list) else holder.setdefault(key, {})
        if value is None:
            holder.pop(last)
        else:
            holder[last] = value
    return replace(resource, props=props, **others)


def approval(needed: int = 2, *people: str) -> str:
    """A stack's declaration of who must agree to a deployment, as Pulumi hands it on."""
    return json.dumps({"needed": needed, "people": people or ("alice@example.org", "bob@example.org")})


def registries(jurisdiction: str = "DE") -> str:
    """A stack's declaration of a registry and of where that is, as Pulumi hands it on."""
    return json.dumps([{"name": "registry.example.org", "jurisdiction": jurisdiction}])


def state(**others: str) -> str:
    """A stack's declaration of where its state is, with some of it changed, as Pulumi hands it on."""
    declared = {
        "backend": "azblob://state?storage_account=platform",
        "secretsProvider": "azurekeyvault://platform.vault.azure.net/keys/state",
        "location": LOCATION,
        **others,
    }
    return json.dumps({key: value for key, value in declared.items() if value})
