"""AWS's keys, all of them in HSMs of AWS KMS."""

from collections.abc import Iterator

from policies.release import aws as language
from policies.release.model import Reading
from policies.subject import Property, Resource
from policies.terms import AtLeast, AtMost, Key, Matching, OneOf, ReleaseDocument, Setting, Unwanted

_KEY = "aws:kms:Key"
_EXTERNAL_KEY = "aws:kms:ExternalKey"
_HAVE_POLICIES = frozenset({_KEY, _EXTERNAL_KEY, "aws:kms:KeyPolicy"})
_GRANT = "aws:kms:Grant"
_REPLICAS = frozenset({"aws:kms:ReplicaKey", "aws:kms:ReplicaExternalKey"})
_INSTANCE = "aws:ec2:Instance"
_LONGEST_BETWEEN_ROTATIONS = AtMost(90, "days")
_OWN_STORE = Matching(r"cks-[0-9a-f]+", "a key store of one's own (cks-…)")
_DELETION_DELAY = AtLeast(30, "days")


def key(resource: Resource) -> Key | None:
    """`resource` as a key. None ever leaves AWS KMS."""
    if resource.type != _KEY:
        return None
    props = resource.props
    never = Property("", {}).at("none")
    rotates = props.at("enableKeyRotation")
    on = not rotates.unknown and rotates.value is True
    rotation = (
        Setting(props.at("rotationPeriodInDays"), _LONGEST_BETWEEN_ROTATIONS)
        if on
        else Setting(rotates, OneOf((True,)))
    )
    return Key(
        hardware=None,
        exportable=never,
        releasable=None,
        release_document=never,
        wraps=props.at("keyUsage").text in (None, "ENCRYPT_DECRYPT"),
        rotation=(rotation,),
        expiry=(),
        deletion_delay=Setting(props.at("deletionWindowInDays"), _DELETION_DELAY),
    )


def service_keys(resource: Resource) -> Iterator[Property]:
    """The customer's keys of machines' disks."""
    if resource.type == _INSTANCE:
        yield resource.props.at("rootBlockDevice", "kmsKeyId")


def own_hardware(resource: Resource) -> Iterator[Setting]:
    """A key store of one's own: a CloudHSM cluster, or a key manager outside AWS."""
    if resource.type == _KEY:
        yield Setting(resource.props.at("customKeyStoreId"), _OWN_STORE)


def key_places(resource: Resource) -> Iterator[Setting | Unwanted]:
    """A key of one region, without replicas."""
    if resource.type in {_KEY, _EXTERNAL_KEY}:
        yield Setting(resource.props.at("multiRegion"), OneOf((False,)), unless_stated=True)
    elif resource.type in _REPLICAS:
        yield Unwanted(Property("type", resource.type), "a copy of a key in another region")


def release_documents(resource: Resource) -> Iterator[ReleaseDocument]:
    """The policy of a key, which says who may decrypt, and a grant, which says who else may."""
    if resource.type in _HAVE_POLICIES:
        policy = resource.props.at("policy")
        yield ReleaseDocument(policy, lambda: language.analyse(policy.text or ""))
    elif resource.type == _GRANT:
        operations = resource.props.at("operations")
        names = (one.text or "" for one in operations.items())
        yield ReleaseDocument(operations, lambda: Reading((), language.grant_weaknesses(names)))
