"""Azure's audit records: what is streamed where, and how long the store keeps it."""

from collections.abc import Iterator

from policies.conditions import AtLeast, OneOf
from policies.subject import Property, Resource
from policies.terms import AuditStream, LogSink, RecordStore, Reference, Setting, Unwanted

_ACCOUNT = "azure-native:storage:StorageAccount"
_STREAM = "azure-native:monitor:DiagnosticSetting"
_APPLICATION_LOG = "azure-native:applicationinsights:Component"
_COLLECTION_RULES = frozenset({"azure-native:monitor:DataCollectionRule"})
_FLOW_LOG = "azure-native:network:FlowLog"
_SINKS = {
    _STREAM: ("storageAccountId", "workspaceId", "eventHubAuthorizationRuleId"),
    _APPLICATION_LOG: ("workspaceResourceId",),
    _FLOW_LOG: ("storageId",),
}
_COLLECTED = {
    "logAnalytics": "workspaceResourceId",
    "eventHubs": "eventHubResourceId",
    "monitoringAccounts": "accountResourceId",
    "storageAccounts": "storageAccountResourceId",
}
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


def log_sinks(resource: Resource) -> Iterator[LogSink | Unwanted]:
    """Where `resource` sends records, metrics or traces, by the ids of other resources."""
    if resource.type == _STREAM:
        yield Unwanted(resource.props.at("marketplacePartnerId"), "a copy of the records at a partner's service")
    for key in _SINKS.get(resource.type, ()):
        if resource.props.at(key).stated:
            yield LogSink(resource.props.at(key), key)
    if resource.type in _COLLECTION_RULES:
        yield from _collected(resource.props.at("destinations"))


def _collected(destinations: Property) -> Iterator[LogSink]:
    for kind, key in _COLLECTED.items():
        yield from (LogSink(one.at(key), "destinations") for one in destinations.at(kind).items())
