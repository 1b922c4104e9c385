"""Microsoft.Resources: resource groups."""

from sandbox.clouds.azure import arm
from sandbox.clouds.resource import ResourceType, constant

TYPES = (
    ResourceType(
        pulumi_type="azure-native:resources:ResourceGroup",
        kind=arm.RESOURCE_GROUP,
        identify=arm.group_identity,
        name_property="resourceGroupName",
        replace_on=("resourceGroupName", "location"),
        checks=(
            arm.name_matches(
                r"[\w().-]{0,89}[\w()-]",
                "InvalidResourceGroup",
                "The provided resource group name '{name}' has invalid characters or more than 90 characters. The name"
                " can only be a letter, digit, '-', '.', '(', ')' or '_', and must not end with '.'.",
            ),
        ),
        outputs={"properties": constant({"provisioningState": "Succeeded"})},
    ),
)
