"""Where a region's audit trail is kept so that nobody can change or delete it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import operationalinsights, storage

from components.azure.placement import Placement
from components.azure.storage_account import private_account
from components.component import Component, ComponentArgs
from components.retention import check_retention

TYPE = "bailiwick:index:AzureAuditLog"
LONGEST_RETENTION_DAYS = 146_000
"""Azure's limit on an immutability period."""
_LONGEST_INTERACTIVE_DAYS = 730
"""Azure's limit on interactive retention in a Log Analytics workspace."""


@dataclass(frozen=True, slots=True)
class AuditLogArgs(ComponentArgs):
    """Inputs of `AuditLog`."""

    placement: Placement
    """Where the log is kept."""
    retention_days: int
    """How long a record cannot be changed or deleted, in days; 183 or more."""
    subnet_id: pulumi.Input[str]
    """Subnet of the private endpoint."""
    zone_ids: Mapping[str, pulumi.Input[str]] = field(repr=False)
    """Private DNS zones by name, from the network."""
    retention_locked: bool = False
    """Make the retention irreversible. Azure creates the policy unlocked and lets only an update lock it, for ever, so
    set this from the second deployment on. Until then an owner of the account can still shorten the retention."""


class AuditLog(Component):
    """`bailiwick:index:AzureAuditLog`: write-once storage for audit records, and a workspace to search them.

    Creates a storage account whose every blob version is immutable for `retention_days` and that only a private
    endpoint reaches, and a Log Analytics workspace that neither takes nor answers anything from a public network.

    Guarantees: no record is altered or deleted before its retention ends (append blobs may grow); copies stay in the
    region's zones; no shared key can read or write. Azure's own logging is the one exception in the account's firewall:
    it has no private way in.

    Does not: lock the retention by itself (`retention_locked`), or make the workspace reachable. The workspace answers
    through an Azure Monitor private link scope, which an operator adds where people should search.
    """

    account_id: pulumi.Output[str]
    """Resource id of the write-once storage account."""
    account_name: pulumi.Output[str]
    """Name of that account."""
    workspace_id: pulumi.Output[str]
    """Resource id of the Log Analytics workspace."""

    def __init__(self, name: str, args: AuditLogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_retention(TYPE, args.retention_days, LONGEST_RETENTION_DAYS)
        super().__init__(TYPE, name, args, opts)
        placement = args.placement
        child = pulumi.ResourceOptions(parent=self)
        account = private_account(
            f"{name}-store",
            placement=placement,
            account_name=self.account_name_in(placement),
            subnet_id=args.subnet_id,
            zone_ids=args.zone_ids,
            platform_logs=True,
            retention=storage.ImmutableStorageAccountArgs(
                enabled=True,
                immutability_policy=storage.AccountImmutabilityPolicyPropertiesArgs(
                    allow_protected_append_writes=True,
                    immutability_period_since_creation_in_days=args.retention_days,
                    state="Locked" if args.retention_locked else "Unlocked",
                ),
            ),
            opts=child,
        )
        workspace = operationalinsights.Workspace(
            f"{name}-workspace",
            workspace_name=self.workspace_name_in(placement),
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            features=operationalinsights.WorkspaceFeaturesArgs(disable_local_auth=True),
            public_network_access_for_ingestion="Disabled",
            public_network_access_for_query="Disabled",
            retention_in_days=min(args.retention_days, _LONGEST_INTERACTIVE_DAYS),
            sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
            tags=placement.tag_mapping,
            opts=child,
        )
        self.account_id = account.id
        self.account_name = account.name
        self.workspace_id = workspace.id
        self.register_outputs(
            {"accountId": self.account_id, "accountName": self.account_name, "workspaceId": self.workspace_id}
        )

    @staticmethod
    def account_name_in(placement: Placement) -> str:
        """Name of the region's storage account for audit records."""
        return placement.unique_name("storage account", f"audit{placement.stack}")

    @staticmethod
    def workspace_name_in(placement: Placement) -> str:
        """Name of the region's Log Analytics workspace."""
        return placement.name("log workspace", "audit")
