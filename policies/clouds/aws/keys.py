"""AWS's keys: in HSMs of AWS KMS, or in a store of one's own."""

from collections.abc import Iterator, Mapping

from policies.clouds.service_keys import Paths, stated_in
from policies.conditions import AtLeast, AtMost, Matching, OneOf, WithinDays
from policies.release import aws as language
from policies.release.model import Reading
from policies.subject import Property, Resource
from policies.terms import Key, KeyStore, Origin, ReleaseDocument, Setting, Unwanted

_KEY = "aws:kms:Key"
_EXTERNAL_KEY = "aws:kms:ExternalKey"
HAVE_POLICIES = frozenset({_KEY, _EXTERNAL_KEY, "aws:kms:KeyPolicy"})
_GRANT = "aws:kms:Grant"
_CUSTOM_STORE = "aws:kms:CustomKeyStore"
_TRAIL = "aws:cloudtrail:Trail"
_API = "kms.amazonaws.com"
_REPLICAS = frozenset({"aws:kms:ReplicaKey", "aws:kms:ReplicaExternalKey"})
_BUCKET_KEY = ("rules", "*", "applyServerSideEncryptionByDefault", "kmsMasterKeyId")
SERVICE_KEYS: Mapping[str, Paths] = {
    "aws:backup:Vault": (("kmsKeyArn",),),
    "aws:cloudtrail:Trail": (("kmsKeyId",),),
    "aws:cloudwatch:LogGroup": (("kmsKeyId",),),
    "aws:docdb:Cluster": (("kmsKeyId",),),
    "aws:dynamodb:Table": (("serverSideEncryption", "kmsKeyArn"),),
    "aws:ebs:Volume": (("kmsKeyId",),),
    "aws:ec2:Instance": (("rootBlockDevice", "kmsKeyId"), ("ebsBlockDevices", "*", "kmsKeyId")),
    "aws:ec2:LaunchTemplate": (("blockDeviceMappings", "*", "ebs", "kmsKeyId"),),
    "aws:efs:FileSystem": (("kmsKeyId",),),
    "aws:eks:Cluster": (("encryptionConfig", "provider", "keyArn"),),
    "aws:elasticache:ReplicationGroup": (("kmsKeyId",),),
    "aws:fsx:LustreFileSystem": (("kmsKeyId",),),
    "aws:kinesis:Stream": (("kmsKeyId",),),
    "aws:msk:Cluster": (("encryptionInfo", "encryptionAtRestKmsKeyArn"),),
    "aws:neptune:Cluster": (("kmsKeyArn",),),
    "aws:opensearch:Domain": (("encryptAtRest", "kmsKeyId"),),
    "aws:rds:Cluster": (("kmsKeyId",),),
    "aws:rds:Instance": (("kmsKeyId",),),
    "aws:redshift:Cluster": (("kmsKeyId",),),
    "aws:s3:BucketServerSideEncryptionConfiguration": (_BUCKET_KEY,),
    "aws:s3:BucketServerSideEncryptionConfigurationV2": (_BUCKET_KEY,),
    "aws:sagemaker:Domain": (("kmsKeyId",),),
    "aws:sagemaker:EndpointConfiguration": (("kmsKeyArn",),),
    "aws:secretsmanager:Secret": (("kmsKeyId",),),
    "aws:sns:Topic": (("kmsMasterKeyId",),),
    "aws:sqs:Queue": (("kmsMasterKeyId",),),
}
_LONGEST_BETWEEN_ROTATIONS = AtMost(90, "days")
_OWN_STORE = Matching(r"cks-[0-9a-f]+", "a key store of one's own (cks-…)")
_EXTERNAL_ID = Matching(r"[A-Za-z0-9_.-]{1,128}", "a key of an external key manager")
_STATED_ROTATION = "key-rotation"
"""Tag of a key in a store of one's own, whose material AWS does not rotate: how often its keeper does."""
_DELETION_DELAY = AtLeast(30, "days")


def key_store(resource: Resource) -> KeyStore | None:
    """`resource` as a store of keys: a key is reached and watched with its service; a store of one's own may be too."""
    if resource.type in {_KEY, _EXTERNAL_KEY}:
        return _store(resource)
    if resource.type != _CUSTOM_STORE:
        return None
    kind = resource.props.at("customKeyStoreType")
    outside = kind.stated and kind.text == "EXTERNAL_KEY_STORE"
    way = Setting(
        resource.props.at("xksProxyConnectivity"), OneOf(("VPC_ENDPOINT_SERVICE",)), ("PUBLIC_ENDPOINT",), not outside
    )
    kinds = Setting(kind, OneOf(("AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")), unless_stated=True)
    return _store(resource, kinds, (way,))


def _store(resource: Resource, hardware: Setting | None = None, closed: tuple[Setting, ...] = ()) -> KeyStore:
    return KeyStore(
        service="kms",
        hardware=hardware,
        purge_protection=None,
        deletion_delay=None,
        closed=closed,
        openings=(),
        api=_API,
        region=resource.props.at("region"),
    )


def watched_apis(resource: Resource) -> Iterator[Property]:
    """AWS KMS, by a trail that is on and leaves none of its calls out: they are events of management."""
    if resource.type != _TRAIL or resource.props.at("enableLogging").flag is False:
        return
    plain = resource.props.at("eventSelectors").items()
    advanced = resource.props.at("advancedEventSelectors").items()
    if any(map(_takes_management, advanced)) if advanced else all(map(_leaves_nothing_out, plain)):
        yield Property("enableLogging", _API)


def _takes_management(selector: Property) -> bool:
    """Whether an advanced selector takes every event of management: what it has no field for, it does not narrow."""
    fields = selector.at("fieldSelectors").items()
    categories = [one.text for field in fields for one in field.at("equals").items()]
    return len(fields) == 1 and fields[0].at("field").text == "eventCategory" and categories == ["Management"]


def _leaves_nothing_out(selector: Property) -> bool:
    excluded = [one.text for one in selector.at("excludeManagementEventSources").items()]
    managed = selector.at("includeManagementEvents").flag is not False
    return managed and _API not in excluded and selector.at("readWriteType").text in (None, "All")


def key(resource: Resource) -> Key | None:
    """`resource` as a key. None ever leaves AWS KMS; one that was brought there was outside of it before."""
    if resource.type not in {_KEY, _EXTERNAL_KEY}:
        return None
    props = resource.props
    never = Property("", {}).at("none")
    if resource.type == _EXTERNAL_KEY:
        return _brought(resource, never)
    return Key(
        hardware=None,
        exportable=never,
        releasable=None,
        release_document=never,
        wraps=props.at("keyUsage").text in (None, "ENCRYPT_DECRYPT"),
        rotation=(_rotation(resource),),
        expiry=(),
        deletion_delay=Setting(props.at("deletionWindowInDays"), _DELETION_DELAY),
    )


def _rotation(resource: Resource) -> Setting:
    """How often AWS renews a key; in a store of one's own, how often its keeper is said to, for AWS renews none there
    (`EnableKeyRotation` of AWS KMS)."""
    props = resource.props
    store, rotates = props.at("customKeyStoreId"), props.at("enableKeyRotation")
    if store.stated or props.at("xksKeyId").stated:
        return Setting(props.at("tags", _STATED_ROTATION), WithinDays(_LONGEST_BETWEEN_ROTATIONS.maximum))
    if not rotates.unknown and rotates.value is True:
        return Setting(props.at("rotationPeriodInDays"), _LONGEST_BETWEEN_ROTATIONS)
    return Setting(rotates, OneOf((True,)))


def _brought(resource: Resource, never: Property) -> Key:
    """A key whose material somebody made elsewhere, held in hand and may still have; AWS cannot rotate it."""
    return Key(
        hardware=Setting(Property("type", resource.type), OneOf((_KEY,)), (resource.type,)),
        exportable=never,
        releasable=None,
        release_document=never,
        wraps=True,
        rotation=(),
        expiry=(),
        deletion_delay=Setting(resource.props.at("deletionWindowInDays"), _DELETION_DELAY),
    )


def service_keys(resource: Resource) -> Iterator[Property]:
    """The customer's keys of machines' disks, and of services."""
    return stated_in(resource, SERVICE_KEYS)


def own_hardware(resource: Resource) -> Iterator[Origin | Setting]:
    """A key store of one's own: a CloudHSM cluster, or a key manager outside AWS, which alone has keys with an id of
    its own."""
    if resource.type == _KEY:
        outside = resource.props.at("xksKeyId")
        if outside.stated:
            yield Setting(outside, _EXTERNAL_ID)
        else:
            store = Setting(resource.props.at("customKeyStoreId"), _OWN_STORE)
            yield Origin(store, "customKeyStoreId", frozenset({_CUSTOM_STORE}))


def key_places(resource: Resource) -> Iterator[Setting | Unwanted]:
    """A key of one region, without replicas."""
    if resource.type in {_KEY, _EXTERNAL_KEY}:
        yield Setting(resource.props.at("multiRegion"), OneOf((False,)), unless_stated=True)
    elif resource.type in _REPLICAS:
        yield Unwanted(Property("type", resource.type), "a copy of a key in another region")


def release_documents(resource: Resource) -> Iterator[ReleaseDocument]:
    """The policy of a key, which says who may decrypt, and a grant, which says who else may."""
    if resource.type in HAVE_POLICIES:
        policy = resource.props.at("policy")
        yield ReleaseDocument(policy, lambda: language.analyse(policy.text or ""))
    elif resource.type == _GRANT:
        operations = resource.props.at("operations")
        names = (one.text or "" for one in operations.items())
        yield ReleaseDocument(operations, lambda: Reading((), language.grant_weaknesses(names)))
