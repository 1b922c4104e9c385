"""A program of somebody who does not use Bailiwick's components; `preview.json` and `export.json` are what Pulumi 3.272
wrote of it over the emulated Azure (`pulumi preview --json --show-sames`, `pulumi stack export`)."""

import pulumi
from pulumi_azure_native import Provider, keyvault, resources, storage

EMULATED = "00000000-0000-0000-0000-000000000000"
TAGS = {"jurisdiction": "DE", "data-class": "confidential"}

azure = pulumi.ResourceOptions(
    provider=Provider("azure", location="germanywestcentral", environment="public", subscription_id=EMULATED)
)
group = resources.ResourceGroup("group", location="germanywestcentral", tags=TAGS, opts=azure)
keyvault.Vault(
    "keys",
    resource_group_name=group.name,
    location="germanywestcentral",
    properties={
        "tenantId": EMULATED,
        "sku": {"family": "A", "name": "premium"},
        "accessPolicies": [],
        "enablePurgeProtection": True,
        "softDeleteRetentionInDays": 90,
        "publicNetworkAccess": "Enabled",
        "networkAcls": {"defaultAction": "Deny", "bypass": "None"},
    },
    tags=TAGS,
    opts=azure,
)
storage.StorageAccount(
    "data",
    resource_group_name=group.name,
    location="germanywestcentral",
    kind="StorageV2",
    sku={"name": "Standard_ZRS"},
    allow_cross_tenant_replication=False,
    minimum_tls_version=pulumi.Output.secret("TLS1_0"),
    enable_https_traffic_only=True,
    tags=TAGS,
    opts=azure,
)
