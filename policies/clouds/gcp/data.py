"""Google Cloud's data at rest and on the move: copies, labels, records."""

import re
from collections.abc import Iterator

from policies.conditions import AtLeast, Matching, OneOf
from policies.subject import Property, Resource
from policies.terms import AuditStream, LogSink, RecordStore, Redundancy, Reference, Setting, Unwanted

_LOG_BUCKET = "gcp:logging:ProjectBucketConfig"
_BUCKET = "gcp:storage:Bucket"
_SINK = "gcp:logging:ProjectSink"
_SINKS = frozenset(f"gcp:logging:{of}Sink" for of in ("Project", "Folder", "Organization", "BillingAccount"))
_LOG_BUCKET_NAME = re.compile(r"logging\.googleapis\.com/.+/locations/([a-z0-9-]+)/buckets/[^/]+")
_STORED_SECRET = "gcp:secretmanager:Secret"  # noqa: S105 - a type
_SNAPSHOT = "gcp:compute:Snapshot"
_SCHEDULE = "gcp:compute:ResourcePolicy"
_DATABASE = "gcp:sql:DatabaseInstance"
_ENDPOINTS = frozenset({"gcp:vertex:AiEndpoint", "gcp:vertex:AiEndpointWithModelGardenDeployment"})
_TLS_POLICIES = frozenset({"gcp:compute:SSLPolicy", "gcp:compute:RegionSslPolicy"})
_TLS_FRONTS = frozenset(
    f"gcp:compute:{kind}" for kind in ("RegionTargetHttpsProxy", "TargetHttpsProxy", "TargetSSLProxy")
)
_A_POLICY = Matching(r"\S+", "a policy of TLS 1.2 or newer; without one, TLS 1.0 is taken")
_PLAIN_FRONTS = frozenset({"gcp:compute:TargetHttpProxy", "gcp:compute:RegionTargetHttpProxy"})
_AUDIT_CONFIGS = frozenset(
    {"gcp:projects:IAMAuditConfig", "gcp:folder:IamAuditConfig", "gcp:organizations:IamAuditConfig"}
)
_ONE_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
_COPIERS = {
    "gcp:storage:TransferJob": "a copy in another bucket",
    "gcp:compute:DiskAsyncReplication": "a copy in another region",
    "gcp:netapp:VolumeReplication": "a copy in another region",
}
_LABELLED = (
    "gcp:compute:Instance",
    "gcp:compute:Disk",
    "gcp:compute:ForwardingRule",
    "gcp:kms:CryptoKey",
    "gcp:storage:Bucket",
    "gcp:secretmanager:Secret",
    "gcp:networkconnectivity:RegionalEndpoint",
)
_RETENTION_DAYS = AtLeast(183, "days")
_RETENTION_SECONDS = AtLeast(183 * 86_400, "seconds (183 days)")


def copies_away(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What would copy the data of `resource` to where nobody judges it."""
    if resource.type in _COPIERS:
        yield Unwanted(Property("type", resource.type), _COPIERS[resource.type])
    elif resource.type == "gcp:compute:Disk":
        yield Unwanted(resource.props.at("asyncPrimaryDisk"), "a copy of another region's disk")
    elif resource.type == _STORED_SECRET:
        yield Unwanted(resource.props.at("replication", "auto"), "copies in regions that Google chooses")
    elif resource.type == _BUCKET:
        yield Setting(resource.props.at("rpo"), OneOf(("DEFAULT",)), ("ASYNC_TURBO",), unless_stated=True, switch=True)


def redundancies(resource: Resource) -> Iterator[Redundancy]:
    """Snapshots and backups that name no place are in the nearest multi-region; RES-01 judges places by name."""
    if resource.type == _DATABASE and resource.props.at("settings", "backupConfiguration", "enabled").flag:
        stated = resource.props.at("settings", "backupConfiguration", "location")
        places: tuple[Property, ...] = (stated,) if stated.stated else ()
    elif resource.type == _SNAPSHOT:
        stated = resource.props.at("storageLocations")
        places = stated.items()
    elif resource.type == _SCHEDULE and resource.props.at("snapshotSchedulePolicy").stated:
        stated = resource.props.at("snapshotSchedulePolicy", "snapshotProperties", "storageLocations")
        places = stated.items()
    else:
        return
    far = not places or any(_ONE_REGION.fullmatch(one.text or "") is None for one in places)
    yield Redundancy(stated, far, Property(stated.path, {}).at("none"))


def model_deployment(resource: Resource) -> Setting | None:
    """Where Vertex AI computes is the location of its endpoint: `global`, `eu` and `us` are places in several."""
    if resource.type not in _ENDPOINTS:
        return None
    return Setting(resource.props.at("location"), Matching(_ONE_REGION.pattern, "one region"), ("global", "eu", "us"))


def managed_verifier(_: Resource) -> tuple[Setting, ...]:
    """Google's attestation service has no settings of one's own."""
    return ()


def tags(resource: Resource) -> Property | None:
    """The labels of `resource`; None for what Google Cloud does not label."""
    if resource.type == "gcp:container:Cluster":
        return resource.props.at("resourceLabels")
    return resource.props.at("labels") if resource.type in _LABELLED else None


def transport(resource: Resource) -> Iterator[Setting]:
    """What keeps connections to `resource` encrypted; buckets and keys take TLS whatever one says."""
    if resource.type in _TLS_POLICIES:
        least = resource.props.at("minTlsVersion")
        yield Setting(least, OneOf(("TLS_1_2", "TLS_1_3")), ("TLS_1_0", "TLS_1_1"), switch=True)
    elif resource.type in _PLAIN_FRONTS:
        yield Setting(Property("type", "plain HTTP"), OneOf(("HTTPS",)), ("plain HTTP",))
    elif resource.type == _DATABASE:
        mode = resource.props.at("settings", "ipConfiguration", "sslMode")
        encrypted = OneOf(("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"))
        yield Setting(mode, encrypted, ("ALLOW_UNENCRYPTED",), switch=True)
    elif resource.type in _TLS_FRONTS:
        yield Setting(resource.props.at("sslPolicy"), _A_POLICY)
    elif resource.type == "gcp:redis:Instance":
        mode = resource.props.at("transitEncryptionMode")
        yield Setting(mode, OneOf(("SERVER_AUTHENTICATION",)), ("DISABLED",))


def watched_apis(resource: Resource) -> Iterator[Property]:
    """The API whose use is recorded: reading and writing of data, for everybody."""
    if resource.type not in _AUDIT_CONFIGS:
        return
    recorded = {
        one.at("logType").text
        for one in resource.props.at("auditLogConfigs").items()
        if not one.at("exemptedMembers").stated
    }
    if {"DATA_READ", "DATA_WRITE"} <= recorded:
        yield resource.props.at("service")


def record_store(resource: Resource) -> RecordStore | None:
    """`resource` as a store of records: entries of a log bucket cannot be changed, objects of a bucket can."""
    if resource.type == _LOG_BUCKET:
        return RecordStore((Setting(resource.props.at("retentionDays"), _RETENTION_DAYS),))
    if resource.type == _BUCKET and resource.props.at("retentionPolicy").stated:
        return RecordStore((_seconds(resource.props.at("retentionPolicy", "retentionPeriod")),))
    return None


def _seconds(period: Property) -> Setting:
    """The provider takes the number as a text."""
    known = period.stated and not period.unknown
    text = period.value if known else None
    number = int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 12 else text
    return Setting(Property(period.path, number) if known else period, _RETENTION_SECONDS)


def audit_stream(resource: Resource) -> AuditStream | None:
    """`resource` as a stream of audit records; a sink observes its whole project."""
    if resource.type != _SINK:
        return None
    return AuditStream(
        observed=Reference(resource.props.at("project"), "project"),
        store=Reference(resource.props.at("destination"), "destination"),
        enabled=(Setting(resource.props.at("disabled"), OneOf((False,)), unless_stated=True),),
    )


def store_name(resource: Resource) -> Property | None:
    """The name of a bucket, by which a workload asks it."""
    return resource.props.at("name") if resource.type == _BUCKET else None


def log_sinks(resource: Resource) -> Iterator[LogSink]:
    """Where `resource` sends records: a log bucket names its region, everything else is another resource."""
    if resource.type in _SINKS:
        destination = resource.props.at("destination")
        named = None if destination.unknown else _LOG_BUCKET_NAME.fullmatch(destination.text or "")
        yield LogSink(destination, "destination", region=named.group(1) if named else None)
