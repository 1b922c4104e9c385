"""Microsoft.ContainerRegistry: registries."""

from sandbox.clouds.azure import arm
from sandbox.clouds.azure.compute import identity_of
from sandbox.clouds.resource import CloudError, Request, ResourceType, constant, creation_time

REGISTRY = "Microsoft.ContainerRegistry/registries"


def _private_is_premium(request: Request) -> None:
    if request.inputs["publicNetworkAccess"] == "Disabled" and request.inputs["sku.name"] != "Premium":
        raise CloudError(
            "NetworkRuleSetNotSupported",
            f"Disabling public network access of registry '{request.name}' needs the SKU 'Premium', not"
            f" '{request.inputs['sku.name']}'.",
        )


TYPES = (
    ResourceType(
        pulumi_type="azure-native:containerregistry:Registry",
        kind=REGISTRY,
        identify=arm.in_group(REGISTRY, "registryName"),
        name_property="registryName",
        replace_on=("resourceGroupName", "registryName", "location"),
        checks=(
            arm.name_matches(
                r"[A-Za-z0-9]{5,50}",
                "InvalidResourceName",
                "The registry name '{name}' is invalid: it must have 5 to 50 letters and digits.",
            ),
            _private_is_premium,
            arm.unique("registry", "AlreadyInUse", "The registry DNS name {name}.azurecr.io is already in use."),
        ),
        outputs={
            "loginServer": lambda request: f"{request.name.lower()}.azurecr.io",
            "creationDate": creation_time("creationDate"),
            "identity": identity_of,
            "privateEndpointConnections": constant([]),
        },
    ),
)
