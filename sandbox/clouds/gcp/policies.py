"""IAM members of anything: how a member and a role are written, and who was granted what."""

import re

from sandbox.clouds.gcp import ids
from sandbox.clouds.gcp.errors import ApiError
from sandbox.clouds.resource import Request

POOL = "iam.googleapis.com/WorkloadIdentityPool"
KEY_MEMBER = "cloudkms.googleapis.com/CryptoKeyIAMMember"
PROJECT_MEMBER = "cloudresourcemanager.googleapis.com/IAMMember"
BUCKET_MEMBER = "storage.googleapis.com/BucketIAMMember"

_PREFIXES = ("user:", "serviceAccount:", "group:", "domain:", "principal:", "principalSet:", "projectOwner:",
             "projectEditor:", "projectViewer:", "deleted:")  # fmt: skip
_PUBLIC = ("allUsers", "allAuthenticatedUsers")
_ROLE = re.compile(r"roles/[a-zA-Z0-9_.]+|(?:projects|organizations)/[^/]+/roles/[a-zA-Z0-9_.]+")
_POOL = re.compile(r"//iam\.googleapis\.com/(projects/[^/]+/locations/global/workloadIdentityPools/[^/]+)/")


def grant(request: Request) -> None:
    """The role is written as one, and the member exists where Google checks that."""
    role, member = request.inputs.text("role"), request.inputs.text("member")
    if not _ROLE.fullmatch(role):
        raise ApiError(400, f"Role {role} is not supported for this resource.", "badRequest")
    if not member.startswith(_PREFIXES) and member not in _PUBLIC:
        raise ApiError(
            400,
            f"The member {member} is of an unknown type. Please set a valid type prefix for the member.",
            "badRequest",
        )
    _require_account(request, member)
    _require_pool(request, member)


def _require_account(request: Request, member: str) -> None:
    project = request.session.account.id
    email = member.removeprefix("serviceAccount:")
    if email == member or not email.endswith(f"@{project}.iam.gserviceaccount.com") or request.preview:
        return
    if request.store.get(f"projects/{project}/serviceAccounts/{email}") is None:
        raise ApiError(400, f"Service account {email} does not exist.", "badRequest")


def _require_pool(request: Request, member: str) -> None:
    found = _POOL.search(member)
    if found is None or request.preview:
        return
    if request.store.get(ids.plain(found[1], request.session.account)) is None:
        raise ApiError(
            400,
            f"Identity Pool does not exist ({found[1]}). Please check that you specified a valid resource name as"
            " returned in the `name` attribute in the configuration API.",
            "badRequest",
        )
