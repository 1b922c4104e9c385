"""AWS's data at rest: copies, tags, records."""

from collections.abc import Iterator

from policies.subject import Property, Resource
from policies.terms import AtLeast, AuditStream, OneOf, RecordStore, Reference, Setting, Unwanted

_BUCKET = "aws:s3:Bucket"
_LOCK = "aws:s3:BucketObjectLockConfiguration"
_TRAIL = "aws:cloudtrail:Trail"
_COPIERS = {
    "aws:s3:BucketReplicationConfig": "a copy in another bucket",
    "aws:kms:ReplicaKey": "a copy of a key in another region",
    "aws:ec2:AmiCopy": "a copy of an image",
    "aws:ec2:SnapshotCopy": "a copy of a disk",
    "aws:ec2:SnapshotCreateVolumePermission": "a disk that another account may use",
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
        "aws:s3:Bucket",
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
    elif resource.type == "aws:kms:Key":
        yield Setting(resource.props.at("multiRegion"), OneOf((False,)), unless_stated=True)


def tags(resource: Resource) -> Property | None:
    """The tags of `resource`; None for what AWS does not tag, and for small parts of something tagged."""
    return resource.props.at("tags") if resource.type in _TAGGED else None


def record_store(resource: Resource) -> RecordStore | None:
    """`resource` as a store of records, or as what makes another one keep them."""
    if resource.type == _BUCKET:
        return RecordStore((Setting(resource.props.at("objectLockEnabled"), OneOf((True,))),), complete=False)
    if resource.type == _LOCK:
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
