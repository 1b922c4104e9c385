"""Local roles of an emulated Managed HSM: the built-in ones, and who may do what at which scope.

The built-in roles and their data actions are those that a Managed HSM lists itself ("Local RBAC built-in roles for
Managed HSM", learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles).
"""

from collections.abc import Iterable, Mapping

from sandbox.values import Value

DEFINITIONS = "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions"
ADMINISTRATOR = "a290e904-7015-4bba-90c8-60543313cdb4"
_PREFIX = "Microsoft.KeyVault/managedHsm/"
_ROLE_MANAGEMENT = (
    "roleAssignments/delete/action",
    "roleAssignments/read/action",
    "roleAssignments/write/action",
    "roleDefinitions/read/action",
    "roleDefinitions/write/action",
    "roleDefinitions/delete/action",
)
_BUILT_IN: Mapping[str, tuple[str, ...]] = {
    ADMINISTRATOR: (*_ROLE_MANAGEMENT, "securitydomain/download/action", "securitydomain/download/read"),
    "515eb02d-2335-4d2d-92f2-b1cbdf9c3778": (
        *_ROLE_MANAGEMENT,
        "keys/deletedKeys/read/action",
        "keys/deletedKeys/delete",
        "keys/deletedKeys/recover/action",
        "keys/export/action",
    ),
    "21dbd100-6940-42c2-9190-5d6cb909625b": (
        "roleDefinitions/read/action",
        "roleAssignments/read/action",
        "keys/read/action",
        "keys/write/action",
        "keys/delete",
        "keys/create",
        "keys/rotate/action",
        "keys/release/action",
        "keys/wrap/action",
        "keys/unwrap/action",
    ),
    "33413926-3206-4cdd-b39a-83574fe37a17": ("keys/read/action", "keys/wrap/action", "keys/unwrap/action"),
    "21dbd100-6940-42c2-9190-5d6cb909625c": ("keys/release/action",),
    "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3": (
        "roleAssignments/read/action",
        "roleDefinitions/read/action",
        "keys/read/action",
        "keys/deletedKeys/read/action",
    ),
    "4bd23610-cdcf-4971-bdee-bdc562cc28e4": _ROLE_MANAGEMENT,
}
"""Data actions by the role's GUID, without the prefix they share; those on what is not emulated are left out."""


def is_built_in(name: str) -> bool:
    return name in _BUILT_IN


def allows(
    caller: str, action: str, scope: str, assignments: Iterable[Mapping[str, Value]], own: Mapping[str, Iterable[str]]
) -> bool:
    """Whether one of the assignments lets `caller` do `action` (without the prefix) at `scope`.

    own: data actions of the HSM's own roles, by GUID.
    """
    for assignment in assignments:
        role = str(assignment["roleDefinitionId"]).rsplit("/", 1)[-1]
        actions = {f"{_PREFIX}{one}" for one in _BUILT_IN.get(role, ())} | set(own.get(role, ()))
        held = assignment["principalId"] == caller and _is_within(scope, str(assignment["scope"]))
        if held and f"{_PREFIX}{action}" in actions:
            return True
    return False


def _is_within(scope: str, whole: str) -> bool:
    return whole == "/" or scope == whole or scope.startswith(f"{whole}/")
