"""Amazon S3: buckets, and the settings that are resources of their own."""

import re
from collections.abc import Callable

from sandbox.clouds.aws import places
from sandbox.clouds.aws.documents import as_list, parse, statements, well_formed
from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.resource import CloudError, View
from sandbox.provider import Properties
from sandbox.values import Value

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")
_CLASSIC = "us-east-1"
"""The region that takes no location constraint."""


def _create(call: Call) -> str:
    constraint = {} if call.region == _CLASSIC else {"LocationConstraint": call.region}
    request = call.given(
        Bucket=call.name,
        CreateBucketConfiguration=constraint,
        ObjectLockEnabledForBucket=call.inputs["objectLockEnabled"],
    )
    call.client("s3").create_bucket(**request)
    _tag(call)
    return call.name


def _name_is_valid(call: Call) -> None:
    if not _NAME.fullmatch(call.name):
        raise CloudError("InvalidBucketName", f"CreateBucket: The specified bucket is not valid: {call.name}")


def _tag(call: Call) -> None:
    if call.tags:
        call.client("s3").put_bucket_tagging(Bucket=call.name, Tagging={"TagSet": call.tags})


def _bucket(call: Call) -> Properties:
    place = places.place(call.region)
    return {
        "arn": f"arn:{place.partition}:s3:::{call.id}",
        "bucketDomainName": f"{call.id}.s3.{place.dns_suffix}",
        "bucketRegionalDomainName": f"{call.id}.{host(call.region)}",
    }


def host(region: str) -> str:
    """The host of S3 in a region."""
    return f"s3.{region}.{places.place(region).dns_suffix}"


def _versioning(call: Call) -> None:
    status = call.inputs.text("versioningConfiguration.status")
    call.client("s3").put_bucket_versioning(Bucket=_of(call), VersioningConfiguration={"Status": status})


def _object_lock(call: Call) -> None:
    retention = View(call.inputs["rule.defaultRetention"] or {})
    days = {name: int(retention[key]) for name, key in (("Days", "days"), ("Years", "years")) if retention[key]}
    call.client("s3").put_object_lock_configuration(
        Bucket=_of(call),
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": retention.text("mode"), **days}},
        },
    )


def _lock_was_enabled(call: Call) -> None:
    """Object Lock is chosen when the bucket is made; a configuration cannot bring it in later."""
    if call.preview:
        return
    s3 = call.client("s3")
    try:
        s3.get_object_lock_configuration(Bucket=_of(call))
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "ObjectLockConfigurationNotFoundError":
            raise CloudError(
                "InvalidBucketState",
                "PutObjectLockConfiguration: Object Lock configuration cannot be enabled on existing buckets",
            ) from None
        raise


def _lock_only_grows(call: Call) -> None:
    """Nobody shortens a retention in compliance mode."""
    before, after = (View(each["rule.defaultRetention"] or {}) for each in (call.before, call.inputs))
    if before["mode"] == "COMPLIANCE" and (
        after["mode"] != "COMPLIANCE" or int(after["days"] or 0) < int(before["days"] or 0)
    ):
        raise CloudError("AccessDenied", "PutObjectLockConfiguration: Access Denied: the retention mode is COMPLIANCE")


def _access_block(call: Call) -> None:
    names = ("blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets")
    call.client("s3").put_public_access_block(
        Bucket=_of(call),
        PublicAccessBlockConfiguration={name[0].upper() + name[1:]: call.inputs[name] is True for name in names},
    )


def _encryption(call: Call) -> None:
    rules: list[dict[str, Value]] = []
    for rule in call.inputs.items("rules"):
        default = View(rule["applyServerSideEncryptionByDefault"] or {})
        settings = call.given(SSEAlgorithm=default["sseAlgorithm"], KMSMasterKeyID=default["kmsMasterKeyId"])
        rules.append(
            {"ApplyServerSideEncryptionByDefault": settings, "BucketKeyEnabled": rule["bucketKeyEnabled"] is True}
        )
    call.client("s3").put_bucket_encryption(Bucket=_of(call), ServerSideEncryptionConfiguration={"Rules": rules})


def _ownership(call: Call) -> None:
    rule = {"ObjectOwnership": call.inputs.text("rule.objectOwnership")}
    call.client("s3").put_bucket_ownership_controls(Bucket=_of(call), OwnershipControls={"Rules": [rule]})


def _policy(call: Call) -> None:
    call.client("s3").put_bucket_policy(Bucket=_of(call), Policy=call.inputs.text("policy"))


def _is_not_public(call: Call) -> None:
    """A bucket that blocks public policies takes none."""
    if call.preview:
        return
    s3 = call.client("s3")
    try:
        block = s3.get_public_access_block(Bucket=_of(call))["PublicAccessBlockConfiguration"]
    except s3.exceptions.ClientError:
        return
    for statement in statements(parse(call.inputs["policy"], "policy", "MalformedPolicy")):
        principal = statement.get("Principal")
        everyone = principal == "*" or (isinstance(principal, dict) and "*" in as_list(principal.get("AWS")))
        open_to_all = everyone and statement.get("Effect") == "Allow" and not statement.get("Condition")
        if open_to_all and block.get("BlockPublicPolicy"):
            raise CloudError(
                "AccessDenied",
                "PutBucketPolicy: because public policies are prevented by the BlockPublicPolicy setting in S3 Block"
                " Public Access.",
            )


def _of(call: Call) -> str:
    return call.inputs.text("bucket")


def _setting(
    name: str, put: Callable[[Call], None], *, remove: str | None, checks: tuple[Callable[[Call], None], ...] = ()
) -> AwsType:
    """A part of a bucket that is a resource of its own: its id is the bucket's name. `remove` is the S3 operation."""

    def create(call: Call) -> str:
        put(call)
        return _of(call)

    def delete(call: Call) -> None:
        if remove is not None:
            getattr(call.client("s3"), remove)(Bucket=_of(call))

    pulumi_type = f"aws:s3/{name[0].lower()}{name[1:]}:{name}"
    properties = {
        "BucketVersioning": {"versioningConfiguration"},
        "BucketObjectLockConfiguration": {"rule"},
        "BucketServerSideEncryptionConfiguration": {"rules"},
        "BucketOwnershipControls": {"rule"},
        "BucketPolicy": {"policy"},
    }.get(name, {"blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets"})
    return AwsType(
        pulumi_type=pulumi_type, create=create, change=put, remove=delete, in_place=frozenset(properties), checks=checks
    )


TYPES = (
    AwsType(
        pulumi_type="aws:s3/bucket:Bucket",
        create=_create,
        change=_tag,
        remove=lambda call: call.client("s3").delete_bucket(Bucket=call.id),
        answer=_bucket,
        in_place=frozenset({"tags", "forceDestroy"}),
        name_property="bucket",
        defaults={"forceDestroy": False},
        checks=(_name_is_valid,),
    ),
    _setting("BucketVersioning", _versioning, remove=None),
    _setting("BucketObjectLockConfiguration", _object_lock, remove=None, checks=(_lock_was_enabled, _lock_only_grows)),
    _setting("BucketPublicAccessBlock", _access_block, remove="delete_public_access_block"),
    _setting("BucketServerSideEncryptionConfiguration", _encryption, remove="delete_bucket_encryption"),
    _setting("BucketOwnershipControls", _ownership, remove="delete_bucket_ownership_controls"),
    _setting(
        "BucketPolicy",
        _policy,
        remove="delete_bucket_policy",
        checks=(well_formed("policy", code="MalformedPolicy"), _is_not_public),
    ),
)
