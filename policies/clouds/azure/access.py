"""Azure's roles: who may do what."""

from dataclasses import dataclass

from policies.conditions import OneOf
from policies.subject import Property, Resource
from policies.terms import Role, Setting

ROLE = "azure-native:authorization:RoleDefinition"
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
HSM_ROLE = "pulumi-python:dynamic/azure:ManagedHsmRoleDefinition"
HSM_ASSIGNMENT = "pulumi-python:dynamic/azure:ManagedHsmRoleAssignment"
VAULT = "azure-native:keyvault:Vault"
VAULT_ENTRY = "azure-native:keyvault:AccessPolicy"
_MANAGING = ("/write", "/delete", "/*")
_TAGS = "microsoft.resources/tags/"
_PRINCIPALS = ("User", "Group", "ForeignGroup", "ServicePrincipal", "Device")


@dataclass(frozen=True, slots=True)
class _OfKnownKind:
    allowed: str = "a role assignment, which says of what kind the principal is"

    def holds(self, _: object) -> bool:
        return False


def role(resource: Resource) -> Role | None:
    """`resource` as a role of one's own."""
    if resource.type == HSM_ROLE:
        return Role(actions=(), data_actions=resource.props.at("dataActions").items())
    if resource.type != ROLE:
        return None
    permissions = resource.props.at("permissions").items()
    actions = _listed(permissions, "actions")
    managing = tuple(action for action in actions if (action.text or "").endswith(_MANAGING))
    relabelling = tuple(action for action in managing if (action.text or "").casefold().startswith(_TAGS))
    return Role(actions, _listed(permissions, "dataActions"), managing, relabelling)


def _listed(permissions: tuple[Property, ...], key: str) -> tuple[Property, ...]:
    return tuple(action for permission in permissions for action in permission.at(key).items())


def holder(resource: Resource) -> Setting | None:
    """Who gets a role by `resource`: workloads, and no person. A vault's own list does not say which of them one is."""
    if resource.type in (ASSIGNMENT, HSM_ASSIGNMENT):
        return Setting(resource.props.at("principalType"), OneOf(("ServicePrincipal",)), _PRINCIPALS)
    listed = access_policies(resource) if resource.type in (VAULT, VAULT_ENTRY) else ()
    return Setting(listed[0].at("objectId"), _OfKnownKind()) if listed else None


def access_policies(vault: Resource) -> tuple[Property, ...]:
    """The entries of the list by which a vault decides who may use it; none where it leaves that to roles."""
    if vault.type == VAULT_ENTRY:
        return (vault.props.at("policy"),)
    by_roles = vault.props.at("properties", "enableRbacAuthorization")
    if not by_roles.unknown and by_roles.flag:
        return ()
    return vault.props.at("properties", "accessPolicies").items()
