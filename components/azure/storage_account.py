"""The storage account that the audit log and the model store share the shape of: private, keyless, in one region."""

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import storage

from components.azure.placement import Placement
from components.azure.private_endpoint import private_endpoint

STAYING_SKU = "Standard_ZRS"
"""Copies in three zones of one region; the GRS and GZRS kinds copy to the paired region, which may be abroad."""


def private_account(
    name: str,
    *,
    placement: Placement,
    account_name: str,
    subnet_id: pulumi.Input[str],
    zone_ids: Mapping[str, pulumi.Input[str]],
    platform_logs: bool = False,
    retention: "storage.ImmutableStorageAccountArgs | None" = None,
    opts: pulumi.ResourceOptions,
) -> "storage.StorageAccount":
    """Create a storage account that only its private endpoint reaches and only Entra identities may use.

    Shared keys, anonymous access and cross-tenant copies are off. `platform_logs` lets Azure's own logging write past
    the firewall: it cannot use a private endpoint. Children are `name`, `name-endpoint` and `name-endpoint-dns`.
    """
    account = storage.StorageAccount(
        name,
        account_name=account_name,
        resource_group_name=placement.resource_group_name,
        location=placement.location,
        kind=storage.Kind.STORAGE_V2,
        sku=storage.SkuArgs(name=STAYING_SKU),
        allow_blob_public_access=False,
        allow_cross_tenant_replication=False,
        allow_shared_key_access=False,
        default_to_o_auth_authentication=True,
        enable_https_traffic_only=True,
        encryption=storage.EncryptionArgs(
            key_source=storage.KeySource.MICROSOFT_STORAGE, require_infrastructure_encryption=True
        ),
        immutable_storage_with_versioning=retention,
        is_local_user_enabled=False,
        is_sftp_enabled=False,
        minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
        network_rule_set=storage.NetworkRuleSetArgs(
            default_action=storage.DefaultAction.DENY,
            bypass=storage.Bypass.AZURE_SERVICES if platform_logs else storage.Bypass.NONE,
        ),
        public_network_access=storage.PublicNetworkAccess.DISABLED,
        tags=placement.tag_mapping,
        opts=opts,
    )
    private_endpoint(
        f"{name}-endpoint",
        placement=placement,
        service="blob",
        target_id=account.id,
        subnet_id=subnet_id,
        zone_ids=zone_ids,
        opts=opts,
    )
    return account
