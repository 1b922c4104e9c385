"""AWS KMS: keys, their policies and their aliases.

The key material is in the emulated region's HSM, under the last part of an alias: `alias/bailiwick/llm` is the HSM's
key `llm`. It is made with the alias and destroyed when the waiting period of the deleted key ends.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.clouds.aws import key_stores, places
from sandbox.clouds.aws.backends import ACCOUNT
from sandbox.clouds.aws.documents import as_list, parse, statements, well_formed
from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.hardware import Hardware
from sandbox.clouds.resource import CloudError
from sandbox.clouds.store import Grave
from sandbox.provider import Properties

_MALFORMED = "MalformedPolicyDocumentException"
_ALIAS = "aws:kms/alias:Alias"
_DAYS = 86_400


def _create(call: Call) -> str:
    inputs = call.inputs
    request = call.given(
        Description=inputs["description"],
        KeyUsage=inputs["keyUsage"],
        KeySpec=inputs["customerMasterKeySpec"],
        Policy=inputs["policy"],
        MultiRegion=inputs["multiRegion"],
        BypassPolicyLockoutSafetyCheck=inputs["bypassPolicyLockoutSafetyCheck"],
        Tags=[{"TagKey": each["Key"], "TagValue": each["Value"]} for each in call.tags],
    )
    key_id = str(call.client("kms").create_key(**request)["KeyMetadata"]["KeyId"])
    _rotate(call.at(key_id))
    key_stores.hold(call.at(key_id))
    return key_id


def _rotate(call: Call) -> None:
    kms = call.client("kms")
    if call.inputs["enableKeyRotation"]:
        kms.enable_key_rotation(
            **call.given(KeyId=call.id, RotationPeriodInDays=_whole(call.inputs["rotationPeriodInDays"]))
        )
    elif call.changed("enableKeyRotation"):
        kms.disable_key_rotation(KeyId=call.id)


def _change(call: Call) -> None:
    kms = call.client("kms")
    _rotate(call)
    if call.changed("policy"):
        kms.put_key_policy(KeyId=call.id, PolicyName="default", Policy=call.inputs["policy"])
    if call.changed("tags"):
        kms.untag_resource(KeyId=call.id, TagKeys=list(call.before["tags"] or {}))
        kms.tag_resource(KeyId=call.id, Tags=[{"TagKey": each["Key"], "TagValue": each["Value"]} for each in call.tags])


def _remove(call: Call) -> None:
    days = int(call.inputs["deletionWindowInDays"] or 30)
    call.client("kms").schedule_key_deletion(KeyId=call.id, PendingWindowInDays=days)
    # The HSM's key has the alias's name: an alias goes before its key, and leaves the name behind.
    name = call.session.store.claims.last(f"hsm:{call.id}", "", "~")
    if name is not None:
        purge_at = call.session.now() + days * _DAYS
        call.session.store.bury(Grave("hsm", name, call.type.pulumi_type, call.id, {}, purge_at))


def purged(hardware: Hardware, grave: Grave) -> None:
    """The waiting period of a deleted key has ended: its material goes."""
    hardware.destroy_key(grave.id, grave.name)


def _answer(call: Call) -> Properties:
    found = call.client("kms").describe_key(KeyId=call.id)["KeyMetadata"]
    policy = call.client("kms").get_key_policy(KeyId=call.id, PolicyName="default")["Policy"]
    return {"arn": found["Arn"], "keyId": call.id, "policy": policy}


def _ranges(call: Call) -> None:
    for name, first, last in (("deletionWindowInDays", 7, 30), ("rotationPeriodInDays", 90, 2560)):
        value = call.inputs[name]
        if value is not None and not first <= value <= last:
            raise CloudError(
                "InvalidArgument", f"expected {name} to be in the range ({first} - {last}), got {int(value)}"
            )
    if call.inputs["rotationPeriodInDays"] is not None and not call.inputs["enableKeyRotation"]:
        raise CloudError("InvalidArgument", "rotationPeriodInDays: enableKeyRotation must be true")


def _policy_is_safe(call: Call) -> None:
    """Its principals exist, and one of this account may still change it."""
    if call.inputs["policy"] is None:
        return
    document = parse(call.inputs["policy"], "policy", _MALFORMED)
    if not call.preview:
        _principals_exist(call, document)
    if call.inputs["bypassPolicyLockoutSafetyCheck"]:
        return
    root = places.place(call.region).arn("iam", "root", account=ACCOUNT, everywhere=True)
    for statement in statements(document):
        principals = as_list((_aws(statement)).get("AWS"))
        actions = set(as_list(statement.get("Action")))
        may_change = statement.get("Effect") == "Allow" and actions & {"kms:*", "kms:Put*", "kms:PutKeyPolicy", "*"}
        if may_change and any(each in (root, ACCOUNT, "*") or ":role/" in each for each in map(str, principals)):
            return
    raise CloudError(
        _MALFORMED,
        "The new key policy will not allow you to update the key policy in the future.",
    )


def _principals_exist(call: Call, document: Mapping[str, Any]) -> None:
    iam = call.client("iam")
    for statement in statements(dict(document)):
        for principal in as_list(_aws(statement).get("AWS")):
            if ":role/" not in str(principal) or f":{ACCOUNT}:" not in str(principal):
                continue
            try:
                iam.get_role(RoleName=str(principal).rsplit("/", 1)[1])
            except iam.exceptions.NoSuchEntityException:
                raise CloudError(
                    _MALFORMED,
                    f"Policy contains a statement with one or more invalid principals. ({principal} does not exist)",
                ) from None


def _aws(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    principal = statement.get("Principal")
    return principal if isinstance(principal, Mapping) else {"AWS": principal}


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _create_alias(call: Call) -> str:
    call.client("kms").create_alias(AliasName=call.name, TargetKeyId=call.inputs["targetKeyId"])
    return call.name


def _is_not_reserved(call: Call) -> None:
    if call.name.startswith("alias/aws/"):
        raise CloudError("NotAuthorizedException", "CreateAlias: the prefix alias/aws/ is reserved for keys of AWS")


def _make_material(call: Call) -> None:
    """The HSM's key is named with the alias. One of that name that waits for deletion lives on in the new key."""
    store, name = call.session.store, call.name.rsplit("/", 1)[1]
    grave = store.grave("hsm", name)
    if grave is not None:
        store.exhume(grave)
    target = call.inputs.text("targetKeyId").rsplit("/", 1)[-1]
    store.claims.take(f"hsm:{target}", name, target)
    call.session.hardware.create_key(target, name, {"kty": "oct-HSM"})


def _point(call: Call) -> None:
    call.client("kms").update_alias(AliasName=call.id, TargetKeyId=call.inputs["targetKeyId"])


def _alias(call: Call) -> Properties:
    place = places.place(call.region)
    target = call.inputs.text("targetKeyId").rsplit("/", 1)[-1]
    return {
        "arn": place.arn("kms", call.name, account=ACCOUNT),
        "targetKeyArn": place.arn("kms", f"key/{target}", account=ACCOUNT),
    }


TYPES = (
    AwsType(
        pulumi_type="aws:kms/key:Key",
        create=_create,
        change=_change,
        remove=_remove,
        answer=_answer,
        in_place=frozenset(
            {"tags", "policy", "description", "enableKeyRotation", "rotationPeriodInDays", "deletionWindowInDays"}
        ),
        checks=(_ranges, key_stores.judge, well_formed("policy", code=_MALFORMED), _policy_is_safe),
    ),
    AwsType(
        pulumi_type=_ALIAS,
        create=_create_alias,
        change=_point,
        remove=lambda call: call.client("kms").delete_alias(AliasName=call.id),
        answer=_alias,
        in_place=frozenset({"targetKeyId"}),
        name_property="name",
        checks=(_is_not_reserved,),
        started=_make_material,
    ),
)
