"""AWS's data at rest: copies, tags, records."""

import re
from collections.abc import Iterator

from policies.conditions import AtLeast, OneOf
from policies.subject import Property, Resource
from policies.terms import AuditStream, LogSink, RecordStore, Reference, Setting, Unwanted

# The `V2` types are what the provider called the others before, and still takes.
_BUCKETS = frozenset({"aws:s3:Bucket", "aws:s3:BucketV2"})
_LOCKS = frozenset({"aws:s3:BucketObjectLockConfiguration", "aws:s3:BucketObjectLockConfigurationV2"})
_TRAIL = "aws:cloudtrail:Trail"
_FIREHOSE = "aws:kinesis:FirehoseDeliveryStream"
_SINKS = {
    _TRAIL: ("s3BucketName", "cloudWatchLogsGroupArn"),
    "aws:cloudwatch:LogSubscriptionFilter": ("destinationArn",),
    "aws:cloudwatch:MetricStream": ("firehoseArn",),
    "aws:ec2:FlowLog": ("logDestination",),
}
_COMPUTED_SINKS = ("cloudWatchLogsGroupArn", "logDestination")
_ELSEWHERE = ("httpEndpointConfiguration", "splunkConfiguration", "snowflakeConfiguration")
_ARN_REGION = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:([a-z0-9-]+):")
_COPIERS = {
    "aws:s3:BucketReplicationConfig": "a copy in another bucket",
    "aws:s3control:MultiRegionAccessPoint": "a way to buckets in several regions",
    "aws:kms:ReplicaKey": "a copy of a key in another region",
    "aws:kms:ReplicaExternalKey": "a copy of a key in another region",
    "aws:ec2:AmiCopy": "a copy of an image",
    "aws:ebs:SnapshotCopy": "a copy of a disk",
    "aws:ec2:SnapshotCreateVolumePermission": "a disk that another account may use",
    "aws:ec2:AmiLaunchPermission": "an image that another account may use",
    "aws:dynamodb:TableReplica": "a copy of a table in another region",
    "aws:dynamodb:GlobalTable": "a copy of a table in another region",
    "aws:efs:ReplicationConfiguration": "a copy of files",
    "aws:ecr:ReplicationConfiguration": "a copy of images in another region",
    "aws:rds:InstanceAutomatedBackupsReplication": "a copy of backups in another region",
    "aws:rds:SnapshotCopy": "a copy of a database",
    "aws:rds:ClusterSnapshotCopy": "a copy of a database",
    "aws:redshift:SnapshotCopy": "a copy of a database in another region",
    "aws:msk:Replicator": "a copy of messages",
    **{
        f"aws:{of}": "a database in several regions"
        for of in (
            "rds:GlobalCluster",
            "docdb:GlobalCluster",
            "neptune:GlobalCluster",
            "elasticache:GlobalReplicationGroup",
            "memorydb:MultiRegionCluster",
        )
    },
}
_TAGGED = frozenset(
    {
        "aws:ec2:Instance",
        "aws:ec2:SecurityGroup",
        "aws:ec2:Subnet",
        "aws:ec2:Vpc",
        "aws:ec2:VpcEndpoint",
        "aws:kms:Key",
        "aws:lb:LoadBalancer",
        *_BUCKETS,
        "aws:cloudtrail:Trail",
        "aws:cloudwatch:LogGroup",
        "aws:eks:Cluster",
    }
)
_RETENTION = AtLeast(183, "days")


def copies_away(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What would copy the data of `resource` to where nobody judges it."""
    if resource.type in _COPIERS:
        yield Unwanted(Property("type", resource.type), _COPIERS[resource.type])
    elif resource.type == "aws:backup:Plan":
        for rule in resource.props.at("rules").items():
            yield Unwanted(rule.at("copyActions"), "a copy of backups in another vault")
    elif resource.type == "aws:kms:Key":
        yield Setting(resource.props.at("multiRegion"), OneOf((False,)), unless_stated=True)
    elif resource.type in _BUCKETS:
        for key in ("replicationConfiguration", "replicationConfigurations"):
            yield Unwanted(resource.props.at(key), "a copy in another bucket")
    elif resource.type == "aws:secretsmanager:Secret":
        for replica in resource.props.at("replicas").items():
            yield Unwanted(replica, "a copy of a secret in another region")


def tags(resource: Resource) -> Property | None:
    """The tags of `resource`; None for what AWS does not tag, and for small parts of something tagged."""
    return resource.props.at("tags") if resource.type in _TAGGED else None


def record_store(resource: Resource) -> RecordStore | None:
    """`resource` as a store of records, or as what makes another one keep them."""
    if resource.type in _BUCKETS:
        return RecordStore((Setting(resource.props.at("objectLockEnabled"), OneOf((True,))),), complete=False)
    if resource.type in _LOCKS:
        kept = resource.props.at("rule", "defaultRetention")
        modes = Setting(kept.at("mode"), OneOf(("COMPLIANCE", "GOVERNANCE")))
        return RecordStore(
            (Setting(kept.at("days"), _RETENTION), modes), keeps=Reference(resource.props.at("bucket"), "bucket")
        )
    return None


def audit_stream(resource: Resource) -> AuditStream | None:
    """`resource` as a stream of audit records; a trail observes its whole account."""
    if resource.type != _TRAIL:
        return None
    return AuditStream(
        observed=Reference(resource.props.at("region"), "region"),
        store=Reference(resource.props.at("s3BucketName"), "s3BucketName"),
        enabled=(Setting(resource.props.at("enableLogging"), OneOf((True,)), unless_stated=True),),
    )


def store_name(resource: Resource) -> Property | None:
    """The name of a bucket, by which a workload asks it."""
    return resource.props.at("bucket") if resource.type in _BUCKETS else None


def log_sinks(resource: Resource) -> Iterator[LogSink | Unwanted]:
    """Where `resource` sends records or metrics: an ARN names its region, everything else is another resource."""
    for key in _SINKS.get(resource.type, ()):
        place = resource.props.at(key)
        named = None if place.unknown else _ARN_REGION.match(place.text or "")
        if place.stated:
            region = named.group(1) if named else None
            yield LogSink(place, key, region=region, computed=key in _COMPUTED_SINKS)
    if resource.type == _FIREHOSE:
        yield from (Unwanted(resource.props.at(key), "a copy of the records at another service") for key in _ELSEWHERE)
