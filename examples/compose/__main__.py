"""A data team's landing place in Germany: a network without Internet, an audit log, and a guard over both.

Bailiwick's components are ordinary Pulumi components, so that a program of one's own takes those that it needs. Here it
takes three, and adds an identity for the team's own pipeline beside them. Needs this repository on
`PYTHONPATH`, or installed.
"""

import pulumi
from pulumi_azure_native import Provider, managedidentity, resources

from components.azure import (
    AuditLog,
    AuditLogArgs,
    Placement,
    ResidencyGuard,
    ResidencyGuardArgs,
    SovereignNetwork,
    SovereignNetworkArgs,
    drop_version_aliases,
)
from components.tags import Tags

ZERO = "00000000-0000-0000-0000-000000000000"

pulumi.runtime.register_stack_transformation(drop_version_aliases)
config = pulumi.Config()
stack = f"{pulumi.get_project()}-{pulumi.get_stack()}"
location = config.require("location")
provider = Provider(
    "azure",
    subscription_id=config.get("subscriptionId") or ZERO,
    tenant_id=config.get("tenantId") or ZERO,
    location=location,
    environment="public",
    disable_pulumi_partner_id=True,
)
own = pulumi.ResourceOptions(provider=provider)
components = pulumi.ResourceOptions(providers=[provider])

tags = Tags(jurisdiction="DE", data_class="internal", owner="data@example.org", stack=stack)
group = resources.ResourceGroup("group", resource_group_name=stack, location=location, tags=tags.as_mapping(), opts=own)
placement = Placement(
    stack=stack,
    subscription_id=config.get("subscriptionId") or ZERO,
    tenant_id=config.get("tenantId") or ZERO,
    location=location,
    resource_group_name=group.name,
    tags=tags,
)

guard = ResidencyGuard(
    "guard", ResidencyGuardArgs(placement=placement, sizes=["Standard_DC4as_v5", "Standard_DC8as_v5"]), opts=components
)
network = SovereignNetwork(
    "network",
    SovereignNetworkArgs(
        placement=placement, address_space=config.require("addressSpace"), domain=f"{stack}.example.internal"
    ),
    opts=components,
)
audit = AuditLog(
    "audit",
    AuditLogArgs(
        placement=placement,
        retention_days=config.require_int("retentionDays"),
        subnet_id=network.subnet_ids["endpoints"],
        zone_ids=network.zone_ids,
    ),
    opts=components,
)

# The team's own resource, beside the components and in the same place.
pipeline = managedidentity.UserAssignedIdentity(
    "pipeline",
    resource_name_=placement.name("managed identity", "pipeline"),
    resource_group_name=group.name,
    location=location,
    tags=tags.as_mapping(),
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[guard]),
)

pulumi.export("network", network.id)
pulumi.export("auditStore", audit.account_name)
pulumi.export("pipeline", pipeline.principal_id)
