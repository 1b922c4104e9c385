"""What Azure's role assignments and access policies, read together, let each principal do with keys."""

from collections.abc import Iterator
from typing import Final

from policies.clouds.azure.access import (
    ASSIGNMENT,
    HSM_ASSIGNMENT,
    HSM_ROLE,
    ROLE,
    VAULT,
    VAULT_ENTRY,
    access_policies,
    role,
)
from policies.subject import Principal, Property, Resource, Stack
from policies.terms import KeyRight

# Azure's own roles by the GUID of their definition, and those inside a Managed HSM: learn.microsoft.com/azure,
# role-based-access-control/built-in-roles and key-vault/managed-hsm/built-in-roles.
_USERS: Final = frozenset(
    {
        "12338af0-0e69-4776-bea7-57ae8d297424",  # Key Vault Crypto User
        "e147488a-f6f5-4113-8e2d-b22465e65bf6",  # Key Vault Crypto Service Encryption User
        "08bbd89e-9f13-488c-ac41-acfcb10c90ab",  # Key Vault Crypto Service Release User
        "21dbd100-6940-42c2-9190-5d6cb909625c",  # Managed HSM Crypto Service Release User
        "33413926-3206-4cdd-b39a-83574fe37a17",  # Managed HSM Crypto Service Encryption User
    }
)
_GOVERNORS: Final = frozenset(
    {
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",  # Owner
        "b24988ac-6180-42a0-ab88-20f7382dd24c",  # Contributor
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",  # User Access Administrator
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",  # Role Based Access Control Administrator
        "8b54135c-b56d-4d72-a534-26097cfdc8d8",  # Key Vault Data Access Administrator
        "f25e0fa2-a7c8-4377-a976-54943a77a395",  # Key Vault Contributor
        "18500a29-7fe2-46b2-a342-b16a415e101d",  # Managed HSM contributor
        "a290e904-7015-4bba-90c8-60543313cdb4",  # Managed HSM Administrator
        "515eb02d-2335-4d2d-92f2-b1cbdf9c3778",  # Managed HSM Crypto Officer
        "4bd23610-cdcf-4971-bdee-bdc562cc28e4",  # Managed HSM Policy Administrator
    }
)
_BOTH: Final = frozenset(
    {
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",  # Key Vault Administrator
        "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",  # Key Vault Crypto Officer
        "21dbd100-6940-42c2-9190-5d6cb909625b",  # Managed HSM Crypto User, which makes and deletes keys too
    }
)
_OPERATIONS: Final = ("encrypt", "decrypt", "wrap", "unwrap", "sign", "verify", "release")
"""What uses a key: as an action on data, and, with `Key` behind some, as a permission of a vault's access policy."""
_GOVERNING: Final = ("microsoft.authorization/", "microsoft.keyvault/")
_LOOKING: Final = ("get", "list", "getrotationpolicy")


def key_rights(stack: Stack) -> Iterator[KeyRight]:
    for one in stack.resources:
        if one.type in (ASSIGNMENT, HSM_ASSIGNMENT):
            for governs in sorted(_of_assignment(stack, one)):
                holder = stack.principal(one, one.props.at("principalId"), "principalId")
                yield KeyRight(holder, one, one.props.at("roleDefinitionId"), governs)
        elif one.type in (VAULT, VAULT_ENTRY):
            for entry in access_policies(one):
                yield from _of_access_policy(one, entry)


def _of_assignment(stack: Stack, assignment: Resource) -> set[bool]:
    """What the role that is assigned does: uses keys (False), governs them (True), both or neither."""
    definitions = [one for one in stack.references(assignment, "roleDefinitionId") if one.type in (ROLE, HSM_ROLE)]
    if definitions:
        return {governs for one in definitions for governs in _of_definition(one)}
    guid = (assignment.props.at("roleDefinitionId").text or "").rpartition("/")[2].lower()
    return {governs for governs, guids in ((False, _USERS | _BOTH), (True, _GOVERNORS | _BOTH)) if guid in guids}


def _of_definition(definition: Resource) -> Iterator[bool]:
    found = role(definition)
    for action in found.data_actions if found else ():
        parts = (action.text or "").lower().split("/")
        if "keys" in parts or "*" in parts:
            # keys/decrypt/action uses a key, keys/read/action looks at one; keys/write and keys/rotate/action change it
            verb = next(part for part in reversed(parts) if part != "action")
            yield from (False, True) if "*" in parts else () if verb == "read" else (verb not in _OPERATIONS,)
    for action in found.managing if found else ():
        if (action.text or "").lower().startswith((*_GOVERNING, "*")):
            yield True


def _of_access_policy(resource: Resource, entry: Property) -> Iterator[KeyRight]:
    """What an entry of a vault's own list lets a principal do, where the vault does not leave that to roles."""
    named = entry.at("objectId")
    holder = Principal(None if named.unknown else named.text, frozenset({f"{resource.urn} {entry.path}"}))
    for permission in entry.at("permissions", "keys").items():
        name = (permission.text or "").lower()
        if name not in _LOOKING:
            for governs in (False, True) if name == "all" else (not name.startswith(_OPERATIONS),):
                yield KeyRight(holder, resource, permission, governs)
