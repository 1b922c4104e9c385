"""Google Cloud's keys."""

from collections.abc import Iterator, Mapping

from policies.clouds.gcp import machines
from policies.clouds.service_keys import Paths, stated_in
from policies.conditions import Matching, NotSooner, OneOf, WithinDays
from policies.release.model import MalformedDocument, Way
from policies.subject import Property, Resource
from policies.terms import Key, KeyStore, Setting

_KEY = "gcp:kms:CryptoKey"
_RING = "gcp:kms:KeyRing"
_CONNECTION = "gcp:kms:EkmConnection"
_STATED_ROTATION = "key-rotation"
"""Label of a key whose versions its external manager makes: how often it does."""
_ONE_REGION = Matching(r"[a-z]+-[a-z]+\d+", "one region")
_OUTSIDE = ("EXTERNAL", "EXTERNAL_VPC")
_OWN_HARDWARE = (*_OUTSIDE, "HSM_SINGLE_TENANT")
_HARDWARE = ("HSM", *_OWN_HARDWARE)
_INTERNET, _NETWORK = _OUTSIDE
"""Whence Google Cloud reaches the manager of a key outside of it."""
_PRIVATE = Matching(
    rf"(?i)SOFTWARE|HSM|HSM_SINGLE_TENANT|{_NETWORK}",
    f"{_NETWORK} for a key outside Google Cloud, or a level inside it",
)
SERVICE_KEYS: Mapping[str, Paths] = {
    "gcp:alloydb:Cluster": (("encryptionConfig", "kmsKeyName"),),
    "gcp:bigquery:Dataset": (("defaultEncryptionConfiguration", "kmsKeyName"),),
    "gcp:bigtable:Instance": (("clusters", "*", "kmsKeyName"),),
    "gcp:compute:Disk": (("diskEncryptionKey", "kmsKeySelfLink"),),
    "gcp:compute:Image": (("imageEncryptionKey", "kmsKeySelfLink"),),
    "gcp:compute:Instance": (("attachedDisks", "*", "kmsKeySelfLink"),),
    "gcp:compute:RegionDisk": (("diskEncryptionKey", "kmsKeyName"),),
    "gcp:compute:Snapshot": (("snapshotEncryptionKey", "kmsKeySelfLink"),),
    "gcp:container:Cluster": (("databaseEncryption", "keyName"),),
    "gcp:filestore:Instance": (("kmsKeyName",),),
    "gcp:firestore:Database": (("cmekConfig", "kmsKeyName"),),
    "gcp:pubsub:Topic": (("kmsKeyName",),),
    "gcp:redis:Instance": (("customerManagedKey",),),
    "gcp:secretmanager:RegionalSecret": (("customerManagedEncryption", "kmsKeyName"),),
    "gcp:secretmanager:Secret": (
        ("replication", "userManaged", "replicas", "*", "customerManagedEncryption", "kmsKeyName"),
    ),
    "gcp:spanner:Database": (("encryptionConfig", "kmsKeyName"),),
    "gcp:sql:DatabaseInstance": (("encryptionKeyName",),),
    "gcp:vertex:AiDataset": (("encryptionSpec", "kmsKeyName"),),
    "gcp:vertex:AiEndpoint": (("encryptionSpec", "kmsKeyName"),),
}
"""Buckets are left out, as registries are: what the components keep there is encrypted before it comes, records of use,
or no secret."""
_ROTATION = WithinDays(90)
_DELETION_DELAY = NotSooner(30)


def key_store(resource: Resource) -> KeyStore | None:
    """`resource` as a store of keys: it has no settings, and is reached and watched with its service."""
    if resource.type not in {_RING, _CONNECTION}:
        return None
    return KeyStore(
        service="cloud-kms",
        hardware=None,
        purge_protection=None,
        deletion_delay=None,
        closed=(),
        openings=(),
        api="cloudkms.googleapis.com",
        region=resource.props.at("location"),
    )


def disk_key(_: Resource) -> None:
    """Disks name their key themselves."""
    return


def key(resource: Resource) -> Key | None:
    """`resource` as a key. None ever leaves Cloud KMS."""
    if resource.type != _KEY:
        return None
    props = resource.props
    purpose, rotation = props.at("purpose"), props.at("rotationPeriod")
    return Key(
        hardware=_hardware(resource),
        exportable=_never(),
        releasable=None,
        release_document=_never(),
        wraps=purpose.text in (None, "ENCRYPT_DECRYPT"),
        rotation=(Setting(rotation, _ROTATION), *_rotated_outside(resource)),
        expiry=(),
        deletion_delay=Setting(props.at("destroyScheduledDuration"), _DELETION_DELAY),
        closed=(Setting(_level(resource), _PRIVATE, (_INTERNET,), unless_stated=True),),
    )


def _hardware(resource: Resource) -> Setting:
    """That it is in an HSM and was made there: whoever brought a key may still have it."""
    brought = resource.props.at("importOnly")
    if brought.unknown or brought.flag:
        return Setting(brought, OneOf((False,)))
    return Setting(_level(resource), OneOf(_HARDWARE), ("SOFTWARE",))


def _rotated_outside(resource: Resource) -> Iterator[Setting]:
    """How often the manager of a key that names its versions itself is said to renew it: Google rotates none of those
    (`KeyManagementMode` in the Cloud KMS API)."""
    if resource.props.at("skipInitialVersionCreation").flag and _level(resource).text in _OUTSIDE:
        yield Setting(resource.props.at("labels", _STATED_ROTATION), _ROTATION)


def _level(resource: Resource) -> Property:
    return resource.props.at("versionTemplate", "protectionLevel")


def _never() -> Property:
    """A property that this cloud's keys do not have."""
    return Property("", {}).at("none")


def parse_release_document(_: str) -> tuple[Way, ...]:
    """Cloud KMS keys carry no release policy: the condition is the workload identity provider's."""
    raise MalformedDocument("", "is in a language that no module knows")


def service_keys(resource: Resource) -> Iterator[Property]:
    """The customer's keys of machines' disks, and of services."""
    machine = machines.machine(resource)
    if machine is not None and machine.disk_key is not None:
        yield machine.disk_key.property
    yield from stated_in(resource, SERVICE_KEYS)


def own_hardware(resource: Resource) -> Iterator[Setting]:
    """An HSM that one customer has alone, or a key manager outside Google Cloud."""
    if resource.type == _KEY:
        yield Setting(_level(resource), OneOf(_OWN_HARDWARE), _HARDWARE)


def key_places(resource: Resource) -> Iterator[Setting]:
    """A key ring or a way to keys outside, in one region; `global`, `eu` and `eur4` are places in several."""
    if resource.type in {_RING, _CONNECTION}:
        yield Setting(resource.props.at("location"), _ONE_REGION, ("global", "europe", "eur4", "us"))
