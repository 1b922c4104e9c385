"""Azure's audit records: what is streamed where, and how long the store keeps it."""

from policies.subject import Resource
from policies.terms import AtLeast, AuditStream, OneOf, RecordStore, Reference, Setting

_ACCOUNT = "azure-native:storage:StorageAccount"
_STREAM = "azure-native:monitor:DiagnosticSetting"
_AUDIT_GROUPS = ("audit", "allLogs")

RETENTION = AtLeast(183, "days")
"""Six months: EU AI Act, Article 26(6)."""


def record_store(resource: Resource) -> RecordStore | None:
    """`resource` as a store of records.

    Azure creates an immutability policy unlocked and lets only a later update lock it, for ever; both count here.
    """
    if resource.type != _ACCOUNT:
        return None
    worm = resource.props.at("immutableStorageWithVersioning")
    policy = worm.at("immutabilityPolicy")
    return RecordStore(
        (
            Setting(worm.at("enabled"), OneOf((True,))),
            Setting(policy.at("immutabilityPeriodSinceCreationInDays"), RETENTION),
            Setting(policy.at("state"), OneOf(("Unlocked", "Locked")), ("Disabled",)),
        )
    )


def audit_stream(resource: Resource) -> AuditStream | None:
    """`resource` as a stream of audit records."""
    if resource.type != _STREAM:
        return None
    logs = resource.props.at("logs").items()
    return AuditStream(
        observed=Reference(resource.props.at("resourceUri"), "resourceUri"),
        store=Reference(resource.props.at("storageAccountId"), "storageAccountId"),
        enabled=tuple(
            Setting(log.at("enabled"), OneOf((True,)))
            for log in logs
            if log.at("categoryGroup").text in _AUDIT_GROUPS or log.at("category").text == "AuditEvent"
        ),
    )
