"""An identity without a secret, and the few things that it may do."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, managedidentity

from components.azure.hsm_roles import HsmGrant
from components.azure.placement import Placement
from components.component import Component, ComponentArgs
from components.naming import deterministic_guid

TYPE = "bailiwick:index:AzureWorkloadIdentity"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role on one resource."""

    name: str
    """Stable name of the grant within its identity; part of the Pulumi name and of the assignment's GUID."""
    role_definition_id: pulumi.Input[str]
    """ARM id of the role definition."""
    scope: pulumi.Input[str]
    """ARM id of the narrowest resource on which the role is needed."""

    def assign(
        self, name: str, *, placement: Placement, principal_id: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> "authorization.RoleAssignment":
        """Assign the role under a GUID that follows from the subscription, the stack and `name`."""
        return authorization.RoleAssignment(
            name,
            role_assignment_name=deterministic_guid(placement.subscription_id, placement.stack, name),
            scope=self.scope,
            role_definition_id=self.role_definition_id,
            principal_id=principal_id,
            # Without it Azure looks a new principal up in the directory, which may not have heard of it yet.
            principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
            opts=opts,
        )


@dataclass(frozen=True, slots=True)
class WorkloadIdentityArgs(ComponentArgs):
    """Inputs of `WorkloadIdentity`."""

    placement: Placement
    """Where the identity is kept."""
    role: str
    """What the holder is, such as `verifier`; part of the identity's name."""
    grants: Sequence[Grant | HsmGrant] = ()
    """Everything that the identity may do."""


class WorkloadIdentity(Component):
    """`bailiwick:index:AzureWorkloadIdentity`: a user-assigned managed identity with exactly the grants it is given.

    Creates the identity and one role assignment for each grant, under a GUID that follows from its names: a second
    deployment finds the same assignments.

    Guarantees: no secret exists; each grant is on one resource.

    Does not: grant anything by itself. An identity alone releases no key: the verifier asks for evidence besides.
    """

    id: pulumi.Output[str]
    """Resource id of the identity."""
    client_id: pulumi.Output[str]
    """Its application (client) id."""
    principal_id: pulumi.Output[str]
    """Object id of its service principal."""
    assignments: Sequence[pulumi.Resource]
    """The role assignments, for what must wait until they hold."""

    def __init__(self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, args, opts)
        placement = args.placement
        child = pulumi.ResourceOptions(parent=self)
        identity = managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_name_=placement.name("managed identity", args.role),
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            tags=placement.tag_mapping,
            opts=child,
        )
        self.id = identity.id
        self.client_id = identity.client_id
        self.principal_id = identity.principal_id
        self.assignments = [
            grant.assign(f"{name}-{grant.name}", placement=placement, principal_id=self.principal_id, opts=child)
            for grant in args.grants
        ]
        self.register_outputs({"id": self.id, "principalId": self.principal_id})
