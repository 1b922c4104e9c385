"""Cloud Storage and Cloud Logging: buckets whose retention can be locked, log buckets, sinks.

Objects are data plane and not emulated here, so that a bucket is always empty and can be deleted.
"""

import re
from typing import Final

from sandbox.clouds.gcp import ids, keys, policies, service_agents
from sandbox.clouds.gcp.errors import ApiError, RefusedError
from sandbox.clouds.gcp.references import BUCKET, CRYPTO_KEY
from sandbox.clouds.gcp.rules import between, matches, one_of
from sandbox.clouds.resource import Account, Reference, Request, ResourceType, View, constant, creation_time
from sandbox.clouds.store import Object
from sandbox.values import Value

LOG_BUCKET: Final = "logging.googleapis.com/LogBucket"
SINK: Final = "logging.googleapis.com/LogSink"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{1,220}[a-z0-9])")
_MAX_LABEL: Final = 63
_MAX_RETENTION_SECONDS: Final = 3_155_760_000
_DESTINATIONS: Final = ("storage.googleapis.com/", "bigquery.googleapis.com/", "pubsub.googleapis.com/",
                        "logging.googleapis.com/")  # fmt: skip


def _bucket_identity(account: Account, inputs: View) -> tuple[str, str]:
    return inputs.text("name"), f"projects/{ids.project_of(account, inputs)}"


def _bucket_name(request: Request) -> None:
    name = request.inputs.text("name")
    too_long = max(len(part) for part in name.split(".")) > _MAX_LABEL
    if not _NAME.fullmatch(name) or ".." in name or "google" in name or name.startswith("goog") or too_long:
        raise ApiError(400, f"Invalid bucket name: '{name}'", "invalid")


def _retention(request: Request) -> None:
    """A retention policy is at most a hundred years, and a locked one only grows."""
    period = request.inputs["retentionPolicy.retentionPeriod"]
    if period is not None and not (str(period).isdigit() and 0 < int(period) <= _MAX_RETENTION_SECONDS):
        raise RefusedError(
            f"expected retention_policy.retention_period to be in the range (1 - {_MAX_RETENTION_SECONDS}) seconds,"
            f" got {period}"
        )
    before = None if request.before is None else View(request.before.inputs)
    if before is None or before["retentionPolicy.isLocked"] is not True:
        return
    if period is None or int(period) < int(before.text("retentionPolicy.retentionPeriod")):
        raise ApiError(
            403,
            f"Cannot reduce retention duration of a locked Retention Policy for bucket '{request.name}'.",
            "forbidden",
        )


def _public(request: Request) -> None:
    """A bucket that prevents public access grants nothing to everybody."""
    if request.inputs["member"] not in ("allUsers", "allAuthenticatedUsers"):
        return
    bucket = request.find(ids.short(request.inputs.text("bucket")))
    if bucket.inputs.get("publicAccessPrevention") == "enforced":
        raise ApiError(
            412,
            "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is"
            " enforced.",
            "conditionNotMet",
        )


def _bucket_member(_account: Account, inputs: View) -> tuple[str, str]:
    bucket = ids.short(inputs.text("bucket"))
    return f"b/{bucket}/{inputs.text('role')}/{inputs.text('member')}", bucket


def _locked_log(request: Request) -> None:
    """A locked log bucket keeps its lock and its retention."""
    if request.before is None or request.before.inputs.get("locked") is not True:
        return
    if request.inputs["locked"] is not True or request.changed("retentionDays"):
        raise ApiError(
            400, f"Log bucket '{request.id}' is locked: it cannot be unlocked or changed", "failedPrecondition"
        )


def _locked_log_stays(request: Request, item: Object) -> None:
    if item.inputs.get("locked") is True:
        raise ApiError(
            400,
            f"Log bucket '{request.id}' is locked: it is deleted when its entries have expired",
            "failedPrecondition",
        )


def _destination(request: Request) -> None:
    destination = request.inputs.text("destination")
    if not destination.startswith(_DESTINATIONS):
        raise ApiError(400, f"The specified destination '{destination}' is invalid", "badRequest")
    service, _, name = destination.partition("/")
    kept_here = {"storage.googleapis.com": name, "logging.googleapis.com": ids.plain(name, request.session.account)}
    if service in kept_here and request.session.lookup(kept_here[service], preview=request.preview) is None:
        if "/buckets/_" in destination or request.preview:
            return
        raise ApiError(404, f"The destination '{destination}' of sink '{request.name}' does not exist", "notFound")


def _writer(request: Request) -> Value:
    if request.inputs["uniqueWriterIdentity"] is False:
        return "serviceAccount:cloud-logs@system.gserviceaccount.com"
    return service_agents.LOGGING


def _where(request: Request) -> str:
    return request.inputs.text("location").lower()


TYPES = (
    ResourceType(
        pulumi_type="gcp:storage/bucket:Bucket",
        kind=BUCKET,
        identify=_bucket_identity,
        name_property="name",
        replace_on=("name", "project", "location", "enableObjectRetention", "hierarchicalNamespace",
                    "customPlacementConfig"),
        references=(Reference("encryption.defaultKmsKeyName", (CRYPTO_KEY,)),),
        checks=(
            _bucket_name,
            one_of("publicAccessPrevention", "inherited", "enforced"),
            one_of("storageClass", "STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL"),
            _retention,
            keys.usable("encryption.defaultKmsKeyName", service_agents.STORAGE, _where),
        ),
        outputs={
            "location": lambda request: request.inputs.text("location").upper(),
            "url": lambda request: f"gs://{request.id}",
            "selfLink": lambda request: f"{ids.API}/storage/v1/b/{request.id}",
            "projectNumber": constant(int(ids.EMULATED_NUMBER)),
            "timeCreated": creation_time("timeCreated"),
            "updated": creation_time("updated"),
            "storageClass": lambda request: request.inputs["storageClass"] or "STANDARD",
            "publicAccessPrevention": lambda request: request.inputs["publicAccessPrevention"] or "inherited",
        },
    ),
    ResourceType(
        pulumi_type="gcp:storage/bucketIAMMember:BucketIAMMember",
        kind=policies.BUCKET_MEMBER,
        identify=_bucket_member,
        name_property=None,
        replace_on=("bucket", "role", "member", "condition"),
        references=(Reference("bucket", (BUCKET,)),),
        checks=(policies.grant, _public),
    ),
    ResourceType(
        pulumi_type="gcp:logging/projectBucketConfig:ProjectBucketConfig",
        kind=LOG_BUCKET,
        identify=ids.in_project("locations/{location}/buckets/{bucketId}"),
        name_property=None,
        replace_on=("project", "location", "bucketId"),
        references=(Reference("cmekSettings.kmsKeyName", (CRYPTO_KEY,)),),
        checks=(
            matches("bucketId", r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"),
            between("retentionDays", 1, 3_650),
            _locked_log,
            keys.usable("cmekSettings.kmsKeyName", service_agents.LOGGING),
        ),
        outputs={
            "name": lambda request: request.id,
            "lifecycleState": constant("ACTIVE"),
            "retentionDays": lambda request: request.inputs["retentionDays"] or 30,
        },
        stopped=_locked_log_stays,
    ),
    ResourceType(
        pulumi_type="gcp:logging/projectSink:ProjectSink",
        kind=SINK,
        identify=ids.in_project("sinks/{name}"),
        name_property="name",
        replace_on=("name", "project"),
        checks=(matches("name", r"[\w.-]{1,100}"), _destination),
        outputs={"writerIdentity": _writer},
    ),
)  # fmt: skip
