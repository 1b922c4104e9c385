"""Azure's built-in roles that a region grants, by the ids that are the same in every tenant.

Source: "Azure built-in roles" (learn.microsoft.com/azure/role-based-access-control/built-in-roles).
"""

from enum import StrEnum

from components.azure.placement import Placement


class Role(StrEnum):
    """Built-in roles; the value is the role definition's GUID."""

    KEY_ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
    """Key Vault Crypto Service Encryption User: read a key, wrap and unwrap with it."""
    KEY_RELEASE_USER = "08bbd89e-9f13-488c-ac41-acfcb10c90ab"
    """Key Vault Crypto Service Release User: ask for a key's release; its release policy still decides."""
    KEY_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
    """Key Vault Crypto User: read a key, encrypt, decrypt, wrap, unwrap, sign and verify with it."""
    NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
    """Network Contributor: on one subnet, what joins it and what is attached to it."""
    IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
    """Managed Identity Operator: give one identity to machines."""
    REGISTRY_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    """AcrPull: pull images from one registry."""
    READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    """Reader: see one resource's settings."""
    BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
    """Storage Blob Data Reader."""
    BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    """Storage Blob Data Contributor: read, write and delete blobs."""

    def definition_id(self, placement: Placement) -> str:
        """ARM id of the role definition in the placement's subscription."""
        return f"{placement.subscription_scope}/providers/Microsoft.Authorization/roleDefinitions/{self.value}"
