"""Microsoft.Storage: accounts, blob containers and their immutability.

Immutability follows Microsoft's rules: an account-level policy is created Disabled or Unlocked, only an update locks
it, and a locked one can only be lengthened. Blobs themselves are data plane and not emulated here, so that "a container
with protected blobs" cannot occur and an empty one can be deleted.
"""

from sandbox.clouds.azure import arm
from sandbox.clouds.azure.network import SUBNET
from sandbox.clouds.azure.places import host_suffix
from sandbox.clouds.resource import Account, CloudError, Reference, Request, ResourceType, View, constant, creation_time
from sandbox.values import Value

ACCOUNT = "Microsoft.Storage/storageAccounts"
CONTAINER = f"{ACCOUNT}/blobServices/containers"
POLICY = f"{CONTAINER}/immutabilityPolicies"
MAX_RETENTION_DAYS = 146_000

_LOCKED_PATH = "immutableStorageWithVersioning.immutabilityPolicy"
_DAYS_PATH = f"{_LOCKED_PATH}.immutabilityPeriodSinceCreationInDays"


def _endpoints(request: Request) -> Value:
    suffix = host_suffix("storage")
    return {
        service: f"https://{request.name}.{service}.{suffix}/" for service in ("blob", "dfs", "file", "queue", "table")
    }


def _immutability(request: Request) -> None:
    """The account-level policy: created unlocked, locked for ever, then only longer."""
    state, days = request.inputs[f"{_LOCKED_PATH}.state"], request.inputs[_DAYS_PATH]
    if days is not None and not 1 <= days <= MAX_RETENTION_DAYS:
        raise CloudError(
            "InvalidImmutabilityPeriod",
            f"The immutability period {days:g} is not valid: it must be between 1 and {MAX_RETENTION_DAYS} days.",
        )
    if request.before is None:
        if state == "Locked":
            raise CloudError(
                "InvalidImmutabilityPolicyState",
                "An account-level immutability policy can only be created in a Disabled or Unlocked state.",
            )
        return
    before = View(request.before.inputs)
    if before["immutableStorageWithVersioning.enabled"] != request.inputs["immutableStorageWithVersioning.enabled"]:
        raise CloudError(
            "PropertyImmutable",
            "The property 'immutableStorageWithVersioning.enabled' was specified at creation and cannot change.",
        )
    if before[f"{_LOCKED_PATH}.state"] == "Locked" and (state != "Locked" or (days or 0) < before[_DAYS_PATH]):
        raise CloudError(
            "ImmutabilityPolicyLocked",
            f"The immutability policy of storage account {request.name} is locked: it cannot be unlocked, disabled or"
            f" reduced below {before[_DAYS_PATH]:g} days.",
        )


def _encryption(request: Request) -> None:
    """Infrastructure encryption is fixed at creation."""
    path = "encryption.requireInfrastructureEncryption"
    if request.before is not None and request.changed(path):
        raise CloudError("PropertyImmutable", f"The property '{path}' was specified at creation and cannot change.")


def _public_container(request: Request) -> None:
    account = request.find(request.parent)
    wanted = request.inputs["publicAccess"]
    if wanted not in (None, "None") and account.inputs.get("allowBlobPublicAccess") is not True:
        raise CloudError(
            "PublicAccessNotPermitted", f"Public access is not permitted on this storage account ({account.name})."
        )


def _policy_days(request: Request) -> None:
    days = request.inputs["immutabilityPeriodSinceCreationInDays"]
    if days is not None and not 1 <= days <= MAX_RETENTION_DAYS:
        raise CloudError(
            "InvalidImmutabilityPeriod",
            f"The immutability period {days:g} is not valid: it must be between 1 and {MAX_RETENTION_DAYS} days.",
        )


def _container_identity(kind: str, *names: str) -> arm.Identify:
    """A container lies in the account's one blob service, `default`, which is no object of its own."""
    inner = arm.in_group(kind, "accountName", "=default", *names)

    def identify(account: Account, inputs: View) -> tuple[str, str]:
        object_id, parent = inner(account, inputs)
        return object_id, parent.removesuffix("/blobServices/default")

    return identify


TYPES = (
    ResourceType(
        pulumi_type="azure-native:storage:StorageAccount",
        kind=ACCOUNT,
        identify=arm.in_group(ACCOUNT, "accountName"),
        name_property="accountName",
        replace_on=("resourceGroupName", "accountName", "location", "isHnsEnabled", "kind"),
        references=(Reference("networkRuleSet.virtualNetworkRules[].virtualNetworkResourceId", (SUBNET,)),),
        checks=(
            arm.name_matches(
                r"[a-z0-9]{3,24}",
                "AccountNameInvalid",
                "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters"
                " in length and use numbers and lower-case letters only.",
            ),
            _immutability,
            _encryption,
            arm.unique(
                "storage account", "StorageAccountAlreadyTaken", "The storage account named {name} is already taken."
            ),
        ),
        outputs={
            "primaryEndpoints": _endpoints,
            "primaryLocation": lambda request: arm.normal_location(request.inputs.text("location")),
            "statusOfPrimary": constant("available"),
            "creationTime": creation_time("creationTime"),
            "privateEndpointConnections": constant([]),
        },
    ),
    ResourceType(
        pulumi_type="azure-native:storage:BlobContainer",
        kind=CONTAINER,
        identify=_container_identity(CONTAINER, "containerName"),
        name_property="containerName",
        naming="copy",
        located="none",
        replace_on=("resourceGroupName", "accountName", "containerName"),
        checks=(
            arm.name_matches(
                r"(?=.{3,63}$)[a-z0-9](?:[a-z0-9]|-(?!-))*[a-z0-9]|\$root|\$web",
                "ContainerNameInvalid",
                "The container name '{name}' is invalid: it must have 3 to 63 lower-case letters, digits and single"
                " hyphens, and begin and end with a letter or digit.",
            ),
            _public_container,
        ),
        outputs={
            "leaseState": constant("Available"),
            "leaseStatus": constant("Unlocked"),
            "hasLegalHold": constant(False),
            "hasImmutabilityPolicy": constant(False),
            "lastModifiedTime": creation_time("lastModifiedTime"),
        },
    ),
    ResourceType(
        pulumi_type="azure-native:storage:BlobContainerImmutabilityPolicy",
        kind=POLICY,
        identify=_container_identity(POLICY, "containerName", "=default"),
        name_property=None,
        located="none",
        replace_on=("resourceGroupName", "accountName", "containerName"),
        checks=(_policy_days,),
        outputs={"state": constant("Unlocked")},
    ),
)
