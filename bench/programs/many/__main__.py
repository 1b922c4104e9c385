"""A program of `bench:count` Azure resources: a group, and identities and security groups in it, half and half."""

import pulumi
import pulumi_azure_native as azure
from pulumi_azure_native import managedidentity, network, resources

from components.azure.aliases import drop_version_aliases

pulumi.runtime.register_stack_transformation(drop_version_aliases)
provider = azure.Provider(
    "azure", subscription_id="00000000-0000-0000-0000-000000000000", location="germanywestcentral", environment="public"
)
options = pulumi.ResourceOptions(provider=provider)
group = resources.ResourceGroup("group", resource_group_name="bench", opts=options)
for index in range(pulumi.Config("bench").require_int("count") // 2):
    managedidentity.UserAssignedIdentity(
        f"identity-{index}", resource_name_=f"identity-{index}", resource_group_name=group.name, opts=options
    )
    network.NetworkSecurityGroup(
        f"rules-{index}", network_security_group_name=f"rules-{index}", resource_group_name=group.name, opts=options
    )
