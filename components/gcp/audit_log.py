"""Where a region's audit trail is kept so that nobody can change or delete it."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import logging, projects, storage

from components.component import Component, ComponentArgs
from components.gcp.bucket import private_bucket
from components.gcp.key_vault import SECONDS_PER_DAY
from components.gcp.placement import Placement
from components.retention import check_retention

TYPE = "bailiwick:index:GcpAuditLog"
LONGEST_RETENTION_DAYS = 3650
"""Google's limit on the retention of a log bucket."""
_AUDITED: Final = ("cloudkms.googleapis.com", "storage.googleapis.com")
"""Services whose every read and write is recorded, besides the administration that Google always records."""
_FILTER = 'log_id("cloudaudit.googleapis.com/activity") OR log_id("cloudaudit.googleapis.com/data_access")'


@dataclass(frozen=True, slots=True)
class AuditLogArgs(ComponentArgs):
    """Inputs of `AuditLog`."""

    placement: Placement
    """Where the log is kept."""
    retention_days: int
    """How long a record cannot be changed or deleted, in days; 183 to 3650."""
    retention_locked: bool = False
    """Make the retention irreversible: a lock can never be taken back, and it blocks `destroy` until the last record
    is old enough. Until then an owner of the project can still shorten the retention."""
    destroyable: bool = False
    """Weakness: `destroy` deletes the stores. For emulated regions. Off, Pulumi refuses to."""


class AuditLog(Component):
    """`bailiwick:index:GcpAuditLog`: write-once storage for audit records, and a log bucket to search them.

    Creates a bucket in the region whose objects cannot be changed or deleted for `retention_days`; a log bucket in the
    region with the same retention; a sink that puts the project's audit log entries there; and the setting that every
    use of a key and every access to an object is recorded.

    Guarantees: no record is altered or deleted before its retention ends; copies stay in the region; no public grant.

    Does not: lock the retention by itself (`retention_locked`), or move what Google keeps in the project's own
    buckets: `_Required` is global unless the organization sets a storage location before the project is made.
    """

    account_id: pulumi.Output[str]
    """Resource id of the write-once bucket."""
    account_name: pulumi.Output[str]
    """Name of that bucket."""
    workspace_id: pulumi.Output[str]
    """Resource id of the log bucket."""

    def __init__(self, name: str, args: AuditLogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_retention(TYPE, args.retention_days, LONGEST_RETENTION_DAYS)
        super().__init__(TYPE, name, args, opts)
        placement = args.placement
        child = pulumi.ResourceOptions(parent=self)
        kept = not args.destroyable
        keep = pulumi.ResourceOptions(parent=self, protect=kept, retain_on_delete=kept)
        store = private_bucket(
            f"{name}-store",
            placement=placement,
            bucket_name=self.account_name_in(placement),
            retention=storage.BucketRetentionPolicyArgs(
                retention_period=str(args.retention_days * SECONDS_PER_DAY), is_locked=args.retention_locked
            ),
            opts=keep,
        )
        log = logging.ProjectBucketConfig(
            f"{name}-workspace",
            bucket_id=self.workspace_name_in(placement),
            project=placement.project_id,
            location=placement.location,
            retention_days=args.retention_days,
            locked=args.retention_locked,
            description=f"audit records of {placement.stack}",
            opts=keep,
        )
        logging.ProjectSink(
            f"{name}-sink",
            name=placement.name_of("log sink", "audit"),
            project=placement.project_id,
            destination=pulumi.Output.concat("logging.googleapis.com/", log.id),
            filter=_FILTER,
            unique_writer_identity=True,
            opts=child,
        )
        for service in _AUDITED:
            projects.IAMAuditConfig(
                f"{name}-{service.partition('.')[0]}",
                project=placement.project_id,
                service=service,
                audit_log_configs=[
                    projects.IAMAuditConfigAuditLogConfigArgs(log_type=kind)
                    for kind in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
                ],
                opts=child,
            )
        self.account_id = store.id
        self.account_name = store.name
        self.workspace_id = log.id
        self.register_outputs(
            {"accountId": self.account_id, "accountName": self.account_name, "workspaceId": self.workspace_id}
        )

    @staticmethod
    def account_name_in(placement: Placement) -> str:
        """Name of the region's bucket for audit records."""
        return placement.bucket_name("audit")

    @staticmethod
    def workspace_name_in(placement: Placement) -> str:
        """Name of the region's log bucket."""
        return placement.name_of("log bucket", "audit")
