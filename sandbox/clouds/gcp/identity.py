"""IAM: service accounts, workload identity pools and their providers, project members and audit settings."""

import re
from typing import Final

from sandbox.clouds.gcp import ids, policies
from sandbox.clouds.gcp.errors import ApiError, FieldError, RefusedError
from sandbox.clouds.gcp.references import SERVICE_ACCOUNT
from sandbox.clouds.gcp.rules import matches, number, require_own
from sandbox.clouds.resource import Account, Check, Request, ResourceType, SoftDelete, View, constant
from sandbox.clouds.store import Grave
from sandbox.values import Value

POOL_PROVIDER: Final = "iam.googleapis.com/WorkloadIdentityPoolProvider"
AUDIT_CONFIG: Final = "cloudresourcemanager.googleapis.com/AuditConfig"
_DELETED_POOL_DAYS: Final = 30
_PROVIDER_KINDS: Final = ("aws", "oidc", "saml", "x509")
_ATTRIBUTE = re.compile(r"google\.(?:subject|groups|display_name|profile_photo|posix_username|email)"
                        r"|attribute\.[a-z0-9_]{1,100}")  # fmt: skip
_LOG_TYPES: Final = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")


def email_of(account_id: str, project: str) -> str:
    return f"{account_id}@{project}.iam.gserviceaccount.com"


def _account_identity(account: Account, inputs: View) -> tuple[str, str]:
    project = ids.project_of(account, inputs)
    return f"projects/{project}/serviceAccounts/{email_of(inputs.text('accountId'), project)}", f"projects/{project}"


def _email(request: Request) -> Value:
    return ids.short(request.id)


def _meets_deleted(_request: Request, grave: Grave | None) -> None:
    """The id of a deleted pool or provider stays reserved; it can only be undeleted."""
    if grave is not None:
        raise ApiError(
            409,
            f"Requested entity already exists: '{grave.id}' was deleted less than {_DELETED_POOL_DAYS} days ago",
            "alreadyExists",
        )


_RESERVED = SoftDelete(
    space=lambda request: f"{request.type.kind} of {request.parent}",
    retention_days=lambda _request: _DELETED_POOL_DAYS,
    meets=_meets_deleted,
)


def _not_googles(path: str) -> Check:
    def judge(request: Request) -> None:
        if request.inputs.text(path).startswith("gcp-"):
            raise RefusedError(f'"{path}" ({request.inputs.text(path)}) can not start with "gcp-"')

    return judge


def _one_kind(request: Request) -> None:
    given = [kind for kind in _PROVIDER_KINDS if request.inputs[kind] is not None]
    if len(given) != 1:
        raise RefusedError(
            f"only one of `{','.join(_PROVIDER_KINDS)}` can be specified, and one must be: got {len(given)}"
        )


def _mapping(request: Request) -> None:
    """An OIDC provider maps the subject; every target is one that Google has."""
    mapping = request.inputs["attributeMapping"] or {}
    if request.inputs["oidc"] is not None and "google.subject" not in mapping:
        raise ApiError(400, "The attribute mapping of an OIDC provider must contain google.subject", "badRequest")
    for name in mapping:
        if not _ATTRIBUTE.fullmatch(name):
            raise ApiError(400, f"Invalid attribute '{name}' in attribute mapping", "badRequest")


def _condition(request: Request) -> None:
    """A condition is CEL over what the provider asserts; only its outermost shape is judged."""
    condition = request.inputs["attributeCondition"]
    if condition is None:
        return
    text = str(condition)
    if not re.search(r"\b(?:assertion|attribute|google)\.", text):
        raise ApiError(
            400, "The attribute condition must reference one of the provider's claims", "badRequest"
        )  # fmt: skip
    if text.count("(") != text.count(")") or text.count("[") != text.count("]") or text.count("'") % 2:
        raise ApiError(400, f"Failed to parse attribute condition: Syntax error in '{text}'", "badRequest")


def _issuer(request: Request) -> None:
    issuer = request.inputs["oidc.issuerUri"]
    if issuer is not None and not str(issuer).startswith("https://"):
        raise FieldError("oidc.issuerUri", issuer, "The issuer must be an https URI.")


def _number_name(request: Request) -> Value:
    """Pools and their providers are named by the project's number."""
    return request.id.replace(f"projects/{request.session.account.id}/", f"projects/{ids.EMULATED_NUMBER}/", 1)


def _provider_identity(account: Account, inputs: View) -> tuple[str, str]:
    pool = f"projects/{ids.project_of(account, inputs)}/locations/global/workloadIdentityPools/"
    pool += ids.short(inputs.text("workloadIdentityPoolId"))
    return f"{pool}/providers/{inputs.text('workloadIdentityPoolProviderId')}", pool


def _pool(request: Request) -> None:
    if request.session.lookup(request.parent, preview=request.preview) is None and not request.preview:
        raise ApiError(404, f"Requested entity was not found: {request.parent}", "notFound")


def _member_identity(_account: Account, inputs: View) -> tuple[str, str]:
    project = inputs.text("project").removeprefix("projects/")
    return f"{project}/{inputs.text('role')}/{inputs.text('member')}", f"projects/{project}"


def _audit_identity(_account: Account, inputs: View) -> tuple[str, str]:
    project = inputs.text("project").removeprefix("projects/")
    return f"{project}/audit_config/{inputs.text('service')}", f"projects/{project}"


def _audit_logs(request: Request) -> None:
    for entry in request.inputs.items("auditLogConfigs"):
        kind = entry["logType"]
        if kind not in _LOG_TYPES:
            raise ApiError(400, f"Invalid audit log type '{kind}'; it is one of {', '.join(_LOG_TYPES)}", "badRequest")
    service = request.inputs.text("service")
    if service != "allServices" and not service.endswith(".googleapis.com"):
        raise ApiError(400, f"Service '{service}' does not exist or does not support audit logging", "badRequest")


def _own_project(request: Request) -> None:
    require_own(request.inputs.text("project"), request.session.account.id)


def _roles(request: Request) -> None:
    """A public principal has no place in a project's policy."""
    if request.inputs["member"] in ("allUsers", "allAuthenticatedUsers"):
        raise ApiError(400, f"Principal {request.inputs['member']} is not allowed on a project", "badRequest")


TYPES = (
    ResourceType(
        pulumi_type="gcp:serviceaccount/account:Account",
        kind=SERVICE_ACCOUNT,
        identify=_account_identity,
        name_property="accountId",
        replace_on=("accountId", "project"),
        checks=(matches("accountId", r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])"),),
        outputs={
            "email": _email,
            "member": lambda request: f"serviceAccount:{ids.short(request.id)}",
            "name": lambda request: request.id,
            "uniqueId": number("uniqueId", text=True),
        },
    ),
    ResourceType(
        pulumi_type="gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
        kind=policies.POOL,
        identify=ids.in_project("locations/global/workloadIdentityPools/{workloadIdentityPoolId}"),
        name_property="workloadIdentityPoolId",
        replace_on=("workloadIdentityPoolId", "project", "mode"),
        checks=(
            matches("workloadIdentityPoolId", r"[a-z0-9-]{4,32}"),
            _not_googles("workloadIdentityPoolId"),
        ),
        outputs={"name": _number_name, "state": constant("ACTIVE")},
        soft_delete=_RESERVED,
    ),
    ResourceType(
        pulumi_type="gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        kind=POOL_PROVIDER,
        identify=_provider_identity,
        name_property="workloadIdentityPoolProviderId",
        replace_on=("workloadIdentityPoolId", "workloadIdentityPoolProviderId", "project"),
        checks=(
            matches("workloadIdentityPoolProviderId", r"[a-z0-9-]{4,32}"),
            _not_googles("workloadIdentityPoolProviderId"),
            _pool,
            _one_kind,
            _issuer,
            _mapping,
            _condition,
        ),
        outputs={"name": _number_name, "state": constant("ACTIVE")},
        soft_delete=_RESERVED,
    ),
    ResourceType(
        pulumi_type="gcp:projects/iAMMember:IAMMember",
        kind=policies.PROJECT_MEMBER,
        identify=_member_identity,
        name_property=None,
        replace_on=("project", "role", "member", "condition"),
        checks=(_own_project, policies.grant, _roles),
    ),
    ResourceType(
        pulumi_type="gcp:projects/iAMAuditConfig:IAMAuditConfig",
        kind=AUDIT_CONFIG,
        identify=_audit_identity,
        name_property=None,
        replace_on=("project", "service"),
        checks=(_own_project, _audit_logs),
    ),
)
