"""Managed HSMs beyond Azure Resource Manager: the dynamic resources inside them, on an emulated data plane."""

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sandbox.clouds.dynamic import DynamicProvider, Known
from sandbox.provider import Provider

if TYPE_CHECKING:
    from pulumi.dynamic import ResourceProvider

    from sandbox.clouds.azure.cloud import AzureCloud


def companions(cloud: "AzureCloud", lock: threading.RLock, clock: Callable[[], float]) -> Mapping[str, Provider]:
    """The provider of dynamic resources, by package, connected to the HSMs of `cloud`."""
    return {DynamicProvider.package: DynamicProvider(lambda: _known(cloud, lock, clock))}


def _known(cloud: "AzureCloud", lock: threading.RLock, clock: Callable[[], float]) -> Known:
    from components.azure.hsm_activation import HsmActivationProvider
    from components.azure.hsm_client import HsmProvider
    from components.azure.hsm_key import HsmKeyProvider
    from components.azure.hsm_roles import HsmRoleAssignmentProvider, HsmRoleDefinitionProvider
    from sandbox.clouds.azure.hsm_service import HsmService
    from sandbox.clouds.azure.hsm_transport import EmulatedLogin, transport

    service = HsmService(cloud, clock)

    def connect(provider: "ResourceProvider") -> None:
        if isinstance(provider, HsmProvider):
            provider.credential = EmulatedLogin(cloud.account.object_id)
            provider.transport = transport(service, lock, cloud.account.tenant_id)

    providers: dict[str, type[ResourceProvider]] = {
        "azure:ManagedHsmActivation": HsmActivationProvider,
        "azure:ManagedHsmKey": HsmKeyProvider,
        "azure:ManagedHsmRoleAssignment": HsmRoleAssignmentProvider,
        "azure:ManagedHsmRoleDefinition": HsmRoleDefinitionProvider,
    }
    return providers, connect
