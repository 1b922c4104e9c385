"""Role definitions and role assignments inside a Managed HSM, which are no ARM resources: dynamic providers."""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult

from components.azure.hsm_client import HsmProvider, Props, refusals
from components.azure.placement import Placement
from components.naming import deterministic_guid

if TYPE_CHECKING:
    from azure.keyvault.administration import (
        KeyVaultAccessControlClient,
        KeyVaultRoleAssignment,
        KeyVaultRoleDefinition,
    )

_DEFINITIONS = "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions"
_EVERYWHERE = "/"


class HsmRole(StrEnum):
    """Built-in roles of every Managed HSM, by the GUIDs that are the same in each.

    Source: "Local RBAC built-in roles for Managed HSM"
    (learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles).
    """

    ENCRYPTION_USER = "33413926-3206-4cdd-b39a-83574fe37a17"
    """Read a key, wrap and unwrap with it, for a service that encrypts."""
    RELEASE_USER = "21dbd100-6940-42c2-9190-5d6cb909625c"
    """Ask for a key's release; its release policy still decides."""

    @property
    def definition_id(self) -> str:
        """Id of the role definition inside the HSM."""
        return f"{_DEFINITIONS}/{self.value}"


class _RoleProvider(HsmProvider):
    """What is named by a GUID and never changes: another wish is another object."""

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        replaces = [name for name in self.required if olds.get(name) != news.get(name)]
        return DiffResult(changes=bool(replaces), replaces=replaces, delete_before_replace=True)

    def roles(self, props: Props) -> "KeyVaultAccessControlClient":
        """The client for roles of the HSM that `props` names."""
        from azure.keyvault.administration import KeyVaultAccessControlClient

        return self.client(KeyVaultAccessControlClient, props["hsmUri"])


class HsmRoleDefinitionProvider(_RoleProvider):
    """A role of one's own; an HSM knows them for itself as a whole only."""

    required = ("hsmUri", "roleDefinitionName", "roleName", "description", "dataActions")

    def create(self, props: Props) -> CreateResult:
        from azure.keyvault.administration import KeyVaultPermission

        with refusals(f"role {props['roleName']}"):
            made = self.roles(props).set_role_definition(
                _EVERYWHERE,
                name=props["roleDefinitionName"],
                role_name=props["roleName"],
                description=props["description"],
                permissions=[KeyVaultPermission(data_actions=props["dataActions"])],
                assignable_scopes=[_EVERYWHERE],
            )
        return CreateResult(str(made.id), _live_definition(props, made))

    def read(self, id_: str, props: Props) -> ReadResult:
        from azure.core.exceptions import ResourceNotFoundError

        with refusals(f"role {props['roleName']}"):
            try:
                found = self.roles(props).get_role_definition(_EVERYWHERE, props["roleDefinitionName"])
            except ResourceNotFoundError:
                return ReadResult("", {})
        live = _live_definition(props, found)
        return ReadResult(id_, live, live)

    def delete(self, _id: str, props: Props) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        with refusals(f"role {props['roleName']}"), suppress(ResourceNotFoundError):
            self.roles(props).delete_role_definition(_EVERYWHERE, props["roleDefinitionName"])


class HsmRoleAssignmentProvider(_RoleProvider):
    """One role for one principal at one scope: `/`, `/keys` or `/keys/<name>`."""

    required = ("hsmUri", "roleAssignmentName", "scope", "roleDefinitionId", "principalId", "principalType")

    def create(self, props: Props) -> CreateResult:
        from azure.core.exceptions import ResourceExistsError

        roles = self.roles(props)
        with refusals(f"role assignment at {props['scope']}"):
            try:
                made = roles.create_role_assignment(
                    props["scope"], props["roleDefinitionId"], props["principalId"], name=props["roleAssignmentName"]
                )
            except ResourceExistsError:  # the name says who, what and where: an earlier deployment has made it
                made = roles.get_role_assignment(props["scope"], props["roleAssignmentName"])
        return CreateResult(str(made.role_assignment_id), _live_assignment(props, made))

    def read(self, id_: str, props: Props) -> ReadResult:
        from azure.core.exceptions import ResourceNotFoundError

        with refusals(f"role assignment at {props['scope']}"):
            try:
                found = self.roles(props).get_role_assignment(props["scope"], props["roleAssignmentName"])
            except ResourceNotFoundError:
                return ReadResult("", {})
        live = _live_assignment(props, found)
        return ReadResult(id_, live, live)

    def delete(self, _id: str, props: Props) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        with refusals(f"role assignment at {props['scope']}"), suppress(ResourceNotFoundError):
            self.roles(props).delete_role_assignment(props["scope"], props["roleAssignmentName"])


class HsmRoleDefinition(pulumi.dynamic.Resource, module="azure", name="ManagedHsmRoleDefinition"):
    """A role of a Managed HSM, known in that HSM only; its id is what an assignment names."""

    def __init__(
        self,
        name: str,
        *,
        hsm_uri: pulumi.Input[str],
        role_definition_name: str,
        role_name: str,
        description: str,
        data_actions: list[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """role_definition_name: a GUID."""
        props = {
            "hsmUri": hsm_uri,
            "roleDefinitionName": role_definition_name,
            "roleName": role_name,
            "description": description,
            "dataActions": data_actions,
        }
        super().__init__(HsmRoleDefinitionProvider(), name, props, opts)


class HsmRoleAssignment(pulumi.dynamic.Resource, module="azure", name="ManagedHsmRoleAssignment"):
    """A role that one service principal has inside a Managed HSM; the HSM itself knows principals by their ids only."""

    def __init__(
        self,
        name: str,
        *,
        hsm_uri: pulumi.Input[str],
        role_assignment_name: str,
        scope: pulumi.Input[str],
        role_definition_id: pulumi.Input[str],
        principal_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """role_assignment_name: a GUID."""
        props = {
            "hsmUri": hsm_uri,
            "roleAssignmentName": role_assignment_name,
            "scope": scope,
            "roleDefinitionId": role_definition_id,
            "principalId": principal_id,
            "principalType": "ServicePrincipal",
        }
        super().__init__(HsmRoleAssignmentProvider(), name, props, opts)


@dataclass(frozen=True, slots=True)
class HsmGrant:
    """One role of a Managed HSM at one scope; the counterpart of `Grant` for what ARM does not know."""

    name: str
    """Stable name of the grant within its identity; part of the Pulumi name and of the assignment's GUID."""
    hsm_uri: pulumi.Input[str]
    """Data-plane URL of the HSM."""
    role_definition_id: pulumi.Input[str]
    """Id of the role definition inside the HSM."""
    scope: pulumi.Input[str]
    """`/keys`, or `/keys/<name>` for one key."""

    def assign(
        self, name: str, *, placement: Placement, principal_id: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> pulumi.Resource:
        """Assign the role under a GUID that follows from the subscription, the stack and `name`."""
        return HsmRoleAssignment(
            name,
            hsm_uri=self.hsm_uri,
            role_assignment_name=deterministic_guid(placement.subscription_id, placement.stack, name),
            scope=self.scope,
            role_definition_id=self.role_definition_id,
            principal_id=principal_id,
            opts=opts,
        )


def _live_definition(props: Props, definition: "KeyVaultRoleDefinition") -> Props:
    return {
        **{name: props[name] for name in HsmRoleDefinitionProvider.required},
        "roleName": definition.role_name,
        "description": definition.description,
        "dataActions": [
            str(getattr(action, "value", action))
            for permission in definition.permissions or []
            for action in permission.data_actions or []
        ],
    }


def _live_assignment(props: Props, assignment: "KeyVaultRoleAssignment") -> Props:
    found = assignment.properties
    return {
        **{name: props[name] for name in HsmRoleAssignmentProvider.required},
        "roleDefinitionId": found.role_definition_id if found else None,
        "principalId": found.principal_id if found else None,
    }
