"""Google Cloud's keys."""

from collections.abc import Iterator

from policies.clouds.gcp import machines
from policies.conditions import Matching, NotSooner, OneOf, WithinDays
from policies.release.model import MalformedDocument, Way
from policies.subject import Property, Resource
from policies.terms import Key, KeyStore, Setting

_KEY = "gcp:kms:CryptoKey"
_RING = "gcp:kms:KeyRing"
_ONE_REGION = Matching(r"[a-z]+-[a-z]+\d+", "one region")
_HARDWARE = ("HSM", "EXTERNAL", "EXTERNAL_VPC", "HSM_SINGLE_TENANT")
_OWN_HARDWARE = ("EXTERNAL", "EXTERNAL_VPC", "HSM_SINGLE_TENANT")
_LONGEST_BETWEEN_ROTATIONS = 90
_DELETION_DELAY = NotSooner(30)


def key_store(resource: Resource) -> KeyStore | None:
    """`resource` as a store of keys: a key ring has no settings, and is reached and watched with its service."""
    if resource.type != _RING:
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
    level = props.at("versionTemplate", "protectionLevel")
    return Key(
        hardware=Setting(level, OneOf(_HARDWARE), ("SOFTWARE",)),
        exportable=_never(),
        releasable=None,
        release_document=_never(),
        wraps=purpose.text in (None, "ENCRYPT_DECRYPT"),
        rotation=(Setting(rotation, WithinDays(_LONGEST_BETWEEN_ROTATIONS)),),
        expiry=(),
        deletion_delay=Setting(props.at("destroyScheduledDuration"), _DELETION_DELAY),
    )


def _never() -> Property:
    """A property that this cloud's keys do not have."""
    return Property("", {}).at("none")


def parse_release_document(_: str) -> tuple[Way, ...]:
    """Cloud KMS keys carry no release policy: the condition is the workload identity provider's."""
    raise MalformedDocument("", "is in a language that no module knows")


def service_keys(resource: Resource) -> Iterator[Property]:
    """The customer's keys of machines' disks."""
    machine = machines.machine(resource)
    if machine is not None and machine.disk_key is not None:
        yield machine.disk_key.property


def own_hardware(resource: Resource) -> Iterator[Setting]:
    """An HSM that one customer has alone, or a key manager outside Google Cloud."""
    if resource.type == _KEY:
        yield Setting(resource.props.at("versionTemplate", "protectionLevel"), OneOf(_OWN_HARDWARE), _HARDWARE)


def key_places(resource: Resource) -> Iterator[Setting]:
    """A key ring in one region; `global`, `eu` and `eur4` are places in several."""
    if resource.type == _RING:
        yield Setting(resource.props.at("location"), _ONE_REGION, ("global", "europe", "eur4", "us"))
