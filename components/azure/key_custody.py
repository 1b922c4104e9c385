"""Where the keys of a region are: in a vault, or in a Managed HSM, as its specification says."""

from typing import Any

import pulumi

import catalog
from components.azure import managed_hsm
from components.azure.key_vault import KeyVault, KeyVaultArgs
from components.azure.managed_hsm import ManagedHsm, ManagedHsmArgs
from components.azure.placement import Placement
from components.spec import KeySpec

KeyCustody = KeyVault | ManagedHsm


def key_custody(name: str, keys: KeySpec, *, opts: pulumi.ResourceOptions, **settings: Any) -> KeyCustody:
    """The component that `keys` asks for. settings: the inputs that both have."""
    settings |= {"soft_delete_days": keys.soft_delete_days, "rotation_days": keys.rotation_days}
    if keys.service == managed_hsm.SERVICE:
        return ManagedHsm(name, ManagedHsmArgs(administrators=keys.administrators, **settings), opts)
    return KeyVault(name, KeyVaultArgs(service=keys.service, **settings), opts)


def uri_in(keys: KeySpec, placement: Placement) -> str:
    """Data-plane URL of the keys, known before they exist."""
    return (ManagedHsm if keys.service == managed_hsm.SERVICE else KeyVault).uri_in(placement)


def private_service(key_service: str) -> str:
    """The private endpoint by which a key service is reached, as the catalogue names it."""
    return catalog.load().service("azure", key_service).private_endpoint or key_service
