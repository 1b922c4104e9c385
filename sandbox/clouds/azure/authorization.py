"""Microsoft.Authorization: role assignments and definitions, policy assignments, management locks."""

from sandbox.clouds.azure import arm, policy
from sandbox.clouds.azure.managedidentity import CLIENT_IDS
from sandbox.clouds.resource import CloudError, Reference, Request, ResourceType, creation_time

ROLE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
ROLE_DEFINITION = "Microsoft.Authorization/roleDefinitions"
LOCK = "Microsoft.Authorization/locks"


def _principal(request: Request) -> None:
    """The directory knows the principal. Only one mistake can be told apart: a client id in its place."""
    principal = request.inputs.text("principalId")
    if request.claims.holder(CLIENT_IDS, principal) is not None:
        raise CloudError(
            "PrincipalNotFound",
            f"Principal {principal.replace('-', '')} does not exist in the directory"
            f" {arm.account_of(request).tenant_id}. Check that you have the correct principal ID.",
        )


def _only_once(request: Request) -> None:
    """One assignment for each scope, role and principal."""
    role = request.inputs.text("roleDefinitionId").rsplit("/", 1)[-1]
    triple = f"{request.inputs.text('scope')}|{role}|{request.inputs.text('principalId')}"
    holder = request.claims.take("role assignment", triple, request.id)
    if holder is not None:
        name = holder.rsplit("/", 1)[-1].replace("-", "")
        raise CloudError(
            "RoleAssignmentExists",
            f"The role assignment already exists. The ID of the conflicting role assignment is {name}.",
        )


def _guid_name(request: Request) -> None:
    if not arm.is_guid(request.name):
        label = "role assignment" if request.type.kind == ROLE_ASSIGNMENT else "role definition"
        code = "InvalidRoleAssignmentId" if request.type.kind == ROLE_ASSIGNMENT else "InvalidRoleDefinitionId"
        raise CloudError(code, f"The {label} ID '{request.name}' is not valid. The {label} ID must be a GUID.")


TYPES = (
    ResourceType(
        pulumi_type="azure-native:authorization:RoleAssignment",
        kind=ROLE_ASSIGNMENT,
        identify=arm.on_scope(ROLE_ASSIGNMENT, "scope", "roleAssignmentName"),
        name_property="roleAssignmentName",
        naming="uuid",
        located="none",
        replace_on=("scope", "roleAssignmentName", "principalId", "roleDefinitionId", "principalType"),
        references=(Reference("scope"), Reference("roleDefinitionId", (ROLE_DEFINITION,))),
        checks=(arm.require_guid("principalId"), _guid_name, _principal, _only_once),
        outputs={
            "createdOn": creation_time("createdOn"),
            "updatedOn": creation_time("updatedOn"),
            "createdBy": lambda request: arm.account_of(request).object_id,
            "updatedBy": lambda request: arm.account_of(request).object_id,
        },
    ),
    ResourceType(
        pulumi_type="azure-native:authorization:RoleDefinition",
        kind=ROLE_DEFINITION,
        identify=arm.on_scope(ROLE_DEFINITION, "scope", "roleDefinitionId"),
        name_property="roleDefinitionId",
        naming="uuid",
        located="none",
        replace_on=("scope", "roleDefinitionId"),
        references=(Reference("scope"), Reference("assignableScopes[]")),
        checks=(_guid_name,),
    ),
    ResourceType(
        pulumi_type="azure-native:authorization:PolicyAssignment",
        kind=policy.ASSIGNMENT,
        identify=arm.on_scope(policy.ASSIGNMENT, "scope", "policyAssignmentName"),
        name_property="policyAssignmentName",
        replace_on=("scope", "policyAssignmentName", "location"),
        references=(Reference("scope"), Reference("policyDefinitionId")),
        checks=(policy.judge_assignment,),
    ),
    ResourceType(
        pulumi_type="azure-native:authorization:ManagementLockByScope",
        kind=LOCK,
        identify=arm.on_scope(LOCK, "scope", "lockName"),
        name_property="lockName",
        located="none",
        replace_on=("scope", "lockName"),
        references=(Reference("scope"),),
    ),
)
