"""Google's own service accounts in a project: a service that encrypts with a customer's key does it as its agent.

The addresses are those of "Service agents" in Google's IAM documentation, with the number of the emulated project.
"""

from typing import Final

from sandbox.clouds.gcp import ids, policies
from sandbox.clouds.gcp.errors import ApiError
from sandbox.clouds.resource import Request


def _agent(service: str) -> str:
    return f"serviceAccount:service-{ids.EMULATED_NUMBER}@{service}.iam.gserviceaccount.com"


COMPUTE: Final = _agent("compute-system")
CONTAINER: Final = _agent("container-engine-robot")
STORAGE: Final = _agent("gs-project-accounts")
LOGGING: Final = _agent("gcp-sa-logging")

_USERS: Final = frozenset({"roles/cloudkms.cryptoKeyEncrypterDecrypter", "roles/cloudkms.cryptoOperator"})
"""Roles that hold cloudkms.cryptoKeyVersions.useToEncrypt and useToDecrypt ("Cloud KMS roles")."""


def require_use(request: Request, key_id: str, agent: str) -> None:
    """The agent may encrypt with a key: a grant on the key or on the project says so.

    A preview cannot tell: the grant may come before the resource that needs it.
    """
    if request.preview:
        return
    grants = [*request.store.children(key_id, policies.KEY_MEMBER), *request.store.of_kind(policies.PROJECT_MEMBER)]
    if any(grant.inputs["member"] == agent and grant.inputs["role"] in _USERS for grant in grants):
        return
    account = agent.removeprefix("serviceAccount:")
    raise ApiError(
        403,
        f"Cloud KMS error when using key {key_id}: Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied on"
        f" resource '{key_id}' (or it may not exist). Grant roles/cloudkms.cryptoKeyEncrypterDecrypter on the key to"
        f" {account}",
        "kmsPermissionDenied",
    )
