"""AWS CloudTrail and Amazon CloudWatch Logs: what records the use of everything else."""

import json

from sandbox.clouds.aws import places
from sandbox.clouds.aws.backends import ACCOUNT
from sandbox.clouds.aws.documents import as_list, statements
from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.resource import CloudError, View
from sandbox.provider import Properties
from sandbox.values import Value

_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""The retention periods that CloudWatch Logs has (API reference, PutRetentionPolicy)."""


def _settings(call: Call) -> dict[str, Value]:
    inputs = call.inputs
    return call.given(
        Name=call.name,
        S3BucketName=inputs["s3BucketName"],
        S3KeyPrefix=inputs["s3KeyPrefix"],
        IncludeGlobalServiceEvents=inputs["includeGlobalServiceEvents"],
        IsMultiRegionTrail=inputs["isMultiRegionTrail"],
        EnableLogFileValidation=inputs["enableLogFileValidation"],
        KmsKeyId=inputs["kmsKeyId"],
    )


def _create_trail(call: Call) -> str:
    trail = call.client("cloudtrail")
    arn = str(trail.create_trail(**_settings(call), **call.given(TagsList=call.tags))["TrailARN"])
    _record(call)
    return arn


def _change_trail(call: Call) -> None:
    call.client("cloudtrail").update_trail(**_settings(call))
    _record(call)


def _record(call: Call) -> None:
    """Start or stop recording, and say which events count."""
    trail = call.client("cloudtrail")
    if call.inputs["enableLogging"] is not False:
        trail.start_logging(Name=call.name)
    else:
        trail.stop_logging(Name=call.name)
    selectors = [_selector(selector) for selector in call.inputs.items("advancedEventSelectors")]
    if selectors:
        trail.put_event_selectors(TrailName=call.name, AdvancedEventSelectors=selectors)


def _selector(selector: View) -> dict[str, Value]:
    fields = []
    for one in selector.items("fieldSelectors"):
        given = {"Field": one["field"], "Equals": one["equals"], "StartsWith": one["startsWiths"]}
        fields.append({name: value for name, value in given.items() if value})
    return {"Name": selector.text("name"), "FieldSelectors": fields}


def _trail_may_write(call: Call) -> None:
    """CloudTrail asks the bucket before it takes it: its policy must let the service read the ACL and write."""
    if call.preview:
        return
    s3 = call.client("s3")
    try:
        text = s3.get_bucket_policy(Bucket=call.inputs.text("s3BucketName"))["Policy"]
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            raise
        text = "{}"
    allowed: set[str] = set()
    for statement in statements(json.loads(text)):
        principal = statement.get("Principal")
        services = as_list(principal.get("Service")) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and "cloudtrail.amazonaws.com" in services:
            allowed |= set(as_list(statement.get("Action")))
    if not {"s3:GetBucketAcl", "s3:PutObject"} <= allowed:
        raise CloudError(
            "InsufficientS3BucketPolicyException",
            f"CreateTrail: Incorrect S3 bucket policy is detected for bucket: {call.inputs.text('s3BucketName')}",
        )


def _trail(call: Call) -> Properties:
    return {
        "arn": places.place(call.region).arn("cloudtrail", f"trail/{call.name}", account=ACCOUNT),
        "homeRegion": call.region,
    }


def _create_group(call: Call) -> str:
    logs = call.client("logs")
    logs.create_log_group(**call.given(logGroupName=call.name, kmsKeyId=call.inputs["kmsKeyId"], tags=call.tag_mapping))
    _keep(call)
    return call.name


def _keep(call: Call) -> None:
    if call.inputs["retentionInDays"]:
        days = int(call.inputs["retentionInDays"])
        call.client("logs").put_retention_policy(logGroupName=call.name, retentionInDays=days)


def _retention_exists(call: Call) -> None:
    days = call.inputs["retentionInDays"]
    if days and days not in _RETENTION_DAYS:
        known = " ".join(map(str, (0, *_RETENTION_DAYS)))
        raise CloudError(
            "InvalidParameterException", f"expected retentionInDays to be one of [{known}], got {int(days)}"
        )


def _group(call: Call) -> Properties:
    return {"arn": places.place(call.region).arn("logs", f"log-group:{call.name}", account=ACCOUNT)}


TYPES = (
    AwsType(
        pulumi_type="aws:cloudtrail/trail:Trail",
        create=_create_trail,
        change=_change_trail,
        remove=lambda call: call.client("cloudtrail").delete_trail(Name=call.name),
        answer=_trail,
        in_place=frozenset(
            {
                "tags",
                "s3BucketName",
                "s3KeyPrefix",
                "includeGlobalServiceEvents",
                "isMultiRegionTrail",
                "enableLogFileValidation",
                "kmsKeyId",
                "enableLogging",
                "advancedEventSelectors",
            }
        ),
        name_property="name",
        defaults={"enableLogging": True, "includeGlobalServiceEvents": True},
        checks=(_trail_may_write,),
    ),
    AwsType(
        pulumi_type="aws:cloudwatch/logGroup:LogGroup",
        create=_create_group,
        change=_keep,
        remove=lambda call: call.client("logs").delete_log_group(logGroupName=call.name),
        answer=_group,
        in_place=frozenset({"tags", "retentionInDays", "skipDestroy"}),
        name_property="name",
        checks=(_retention_exists,),
    ),
)
