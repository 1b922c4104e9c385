"""Azure's roles: who may do what."""

from policies.conditions import OneOf
from policies.subject import Property, Resource
from policies.terms import Role, Setting

ROLE = "azure-native:authorization:RoleDefinition"
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
HSM_ROLE = "pulumi-python:dynamic/azure:ManagedHsmRoleDefinition"
HSM_ASSIGNMENT = "pulumi-python:dynamic/azure:ManagedHsmRoleAssignment"
_MANAGING = ("/write", "/delete", "/*")
_TAGS = "microsoft.resources/tags/"
_PRINCIPALS = ("User", "Group", "ForeignGroup", "ServicePrincipal", "Device")


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
    """Who gets a role by `resource`: workloads, and no person."""
    if resource.type not in (ASSIGNMENT, HSM_ASSIGNMENT):
        return None
    return Setting(resource.props.at("principalType"), OneOf(("ServicePrincipal",)), _PRINCIPALS)
