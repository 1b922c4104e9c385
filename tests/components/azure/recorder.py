"""Records what a program for Azure registers."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from components.azure import drop_version_aliases
from tests.components import recorder
from tests.components.recorder import Recording, Registration

STACK = "azure-germany"
_ASSIGNED = {
    "AttestationProvider": ("attestUri",),
    "Key": ("keyUriWithVersion",),
    "ManagedCluster": ("privateFQDN",),
    "ManagedHsmKey": ("keyUriWithVersion",),
    "UserAssignedIdentity": ("clientId", "principalId"),
}
"""Outputs that only a cloud would know, by type."""
_NAMED_BY = {
    "ManagedCluster": "resourceName",
    "ManagedHsm": "name",
    "PrivateEndpoint": "privateEndpointName",
    "PrivateZone": "privateZoneName",
    "ResourceGroup": "resourceGroupName",
    "StorageAccount": "accountName",
    "Vault": "vaultName",
    "VirtualNetwork": "virtualNetworkName",
}
"""The input that becomes the output `name`, by type."""
_ANSWERS = {
    "azure-native:keyvault:getManagedHsm": {
        "properties": {"securityDomainProperties": {"activationStatus": "Active"}},
    }
}


def _computed(registration: Registration) -> dict[str, Any]:
    """The outputs that a cloud would add to the inputs."""
    kind = registration.type.rpartition(":")[2]
    inputs = registration.inputs
    outputs: dict[str, Any] = {name: f"<{registration.name}.{name}>" for name in _ASSIGNED.get(kind, ())}
    if kind in _NAMED_BY:
        outputs["name"] = inputs[_NAMED_BY[kind]]
    if "identity" in inputs:  # a list of ids goes in, a mapping by id comes out
        ids = inputs["identity"]["userAssignedIdentities"]
        outputs["identity"] = {"userAssignedIdentities": {id_: {} for id_ in ids}}
    return outputs


def record(
    program: Callable[[], object], *, config: Mapping[str, str] | None = None, version_aliases: bool = False
) -> Recording:
    """Run `program` and return what it registered.

    As in the stacks' own program, aliases of older API versions are dropped, unless `version_aliases`.
    """

    def register() -> None:
        if not version_aliases:
            pulumi.runtime.register_stack_transformation(drop_version_aliases)
        program()

    return recorder.record(register, stack=STACK, computed=_computed, config=config, answers=_ANSWERS)
