"""AWS's keys, all of them in HSMs of AWS KMS."""

from policies.subject import Property, Resource
from policies.terms import AtLeast, AtMost, Key, OneOf, Setting

_KEY = "aws:kms:Key"
_LONGEST_BETWEEN_ROTATIONS = AtMost(90, "days")
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
