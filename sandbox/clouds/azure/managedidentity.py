"""Microsoft.ManagedIdentity: user-assigned identities and their federated credentials."""

from sandbox.clouds.azure import arm
from sandbox.clouds.resource import Request, ResourceType
from sandbox.clouds.resource import fresh_guid as guid
from sandbox.values import Value

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
CREDENTIAL = f"{IDENTITY}/federatedIdentityCredentials"
CLIENT_IDS = "client ids"


def _client_id(request: Request) -> Value:
    """Remembered, because it is so often mistaken for the principal id."""
    value = guid("clientId")(request)
    request.claims.take(CLIENT_IDS, value, request.id)
    return value


TYPES = (
    ResourceType(
        pulumi_type="azure-native:managedidentity:UserAssignedIdentity",
        kind=IDENTITY,
        identify=arm.in_group(IDENTITY, "resourceName"),
        name_property="resourceName",
        replace_on=("resourceGroupName", "resourceName", "location"),
        checks=(
            arm.name_matches(
                r"[A-Za-z0-9][\w-]{2,127}",
                "InvalidResourceName",
                "The resource name '{name}' is invalid: it must have 3 to 128 characters, begin with a letter or digit"
                " and contain only letters, digits, '-' and '_'.",
            ),
        ),
        outputs={
            "principalId": guid("principalId"),
            "clientId": _client_id,
            "tenantId": lambda request: arm.account_of(request).tenant_id,
        },
    ),
    ResourceType(
        pulumi_type="azure-native:managedidentity:FederatedIdentityCredential",
        kind=CREDENTIAL,
        identify=arm.in_group(CREDENTIAL, "resourceName", "federatedIdentityCredentialResourceName"),
        name_property="federatedIdentityCredentialResourceName",
        naming="copy",
        located="none",
        replace_on=("resourceGroupName", "resourceName", "federatedIdentityCredentialResourceName"),
    ),
)
