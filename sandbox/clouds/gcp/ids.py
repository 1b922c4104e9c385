"""Names of Google Cloud objects: resource ids, self links, and the short forms that inputs may use instead."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from components.spec.accounts import EMULATED_PROJECT_NUMBER
from sandbox.clouds.gcp.errors import RefusedError
from sandbox.clouds.gcp.places import region_of
from sandbox.clouds.resource import Account, View

EMULATED_PROJECT: Final = "bailiwick-emulated"
EMULATED_NUMBER: Final = EMULATED_PROJECT_NUMBER
API: Final = "https://www.googleapis.com"

Scope = Literal["global", "region", "zone"]
Identify = Callable[[Account, View], tuple[str, str]]

_PREFIX = re.compile(r"(?:https://[\w.-]+/(?:compute|dns|container|storage)/\w+/|//[\w.-]+/)")


@dataclass(frozen=True, kw_only=True)
class Project(Account):
    """The project, and the region (`location`) and zone where its objects go by default."""

    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """Where Compute Engine lists the objects of one type."""

    scope: Scope
    segment: str


NETWORK = "compute.googleapis.com/Network"
SUBNETWORK = "compute.googleapis.com/Subnetwork"
FIREWALL = "compute.googleapis.com/Firewall"
ROUTE = "compute.googleapis.com/Route"
GLOBAL_ADDRESS = "compute.googleapis.com/GlobalAddress"
ADDRESS = "compute.googleapis.com/Address"
GLOBAL_FORWARDING_RULE = "compute.googleapis.com/GlobalForwardingRule"
FORWARDING_RULE = "compute.googleapis.com/ForwardingRule"
BACKEND_SERVICE = "compute.googleapis.com/RegionBackendService"
HEALTH_CHECK = "compute.googleapis.com/RegionHealthCheck"
INSTANCE_GROUP = "compute.googleapis.com/InstanceGroup"
INSTANCE = "compute.googleapis.com/Instance"
TEMPLATE = "compute.googleapis.com/InstanceTemplate"
REGION_TEMPLATE = "compute.googleapis.com/RegionInstanceTemplate"
GROUP_MANAGER = "compute.googleapis.com/RegionInstanceGroupManager"
DISK = "compute.googleapis.com/Disk"

COLLECTIONS: Final = {
    NETWORK: Collection("global", "networks"),
    SUBNETWORK: Collection("region", "subnetworks"),
    FIREWALL: Collection("global", "firewalls"),
    ROUTE: Collection("global", "routes"),
    GLOBAL_ADDRESS: Collection("global", "addresses"),
    ADDRESS: Collection("region", "addresses"),
    GLOBAL_FORWARDING_RULE: Collection("global", "forwardingRules"),
    FORWARDING_RULE: Collection("region", "forwardingRules"),
    BACKEND_SERVICE: Collection("region", "backendServices"),
    HEALTH_CHECK: Collection("region", "healthChecks"),
    INSTANCE_GROUP: Collection("zone", "instanceGroups"),
    INSTANCE: Collection("zone", "instances"),
    TEMPLATE: Collection("global", "instanceTemplates"),
    REGION_TEMPLATE: Collection("region", "instanceTemplates"),
    GROUP_MANAGER: Collection("region", "instanceGroupManagers"),
    DISK: Collection("zone", "disks"),
}


def project_of(account: Account, inputs: View) -> str:
    return inputs.text("project") or account.id


def zone_of(account: Account, inputs: View) -> str:
    """The zone that the inputs or the provider's configuration give."""
    found = short(inputs.text("zone")) or (account.zone if isinstance(account, Project) else None)
    if not found:
        raise RefusedError("Cannot determine zone: set in this resource, or set provider-level zone.")
    return found


def region_for(account: Account, inputs: View) -> str:
    """The region that the inputs or the provider's configuration give."""
    found = short(inputs.text("region")) or account.location
    if not found and isinstance(account, Project) and account.zone:
        found = region_of(account.zone)
    if not found:
        raise RefusedError("Cannot determine region: set in this resource, or set provider-level 'region' or 'zone'.")
    return found


def compute(kind: str) -> Identify:
    """Identity of a Compute Engine object: `projects/{project}/{its scope}/{collection}/{name}`."""

    def identify(account: Account, inputs: View) -> tuple[str, str]:
        project = f"projects/{project_of(account, inputs)}"
        return f"{project}/{_place(kind, account, inputs)}/{inputs.text('name')}", project

    return identify


def in_project(pattern: str) -> Identify:
    """Identity by a pattern after the project: `locations/{location}/keyRings/{name}`."""

    def identify(account: Account, inputs: View) -> tuple[str, str]:
        project = f"projects/{project_of(account, inputs)}"
        filled = re.sub(r"\{(\w+)\}", lambda match: inputs.text(match[1]), pattern)
        return f"{project}/{filled}", project

    return identify


def inside(parent: str, pattern: str) -> Identify:
    """Identity below the object that the input `parent` names by its id: `{keyRing}/cryptoKeys/{name}`."""

    def identify(account: Account, inputs: View) -> tuple[str, str]:
        holder = plain(inputs.text(parent), account)
        filled = re.sub(r"\{(\w+)\}", lambda match: inputs.text(match[1]), pattern)
        return f"{holder}/{filled}", holder

    return identify


def self_link(object_id: str) -> str:
    return f"{API}/compute/v1/{object_id}"


def short(value: str) -> str:
    """The last segment of a self link, or a name as it is."""
    return value.rsplit("/", 1)[-1]


def plain(value: str, account: Account) -> str:
    """An id without the host of a self link, with the project's id for its number."""
    bare = _PREFIX.sub("", value, count=1)
    return bare.replace(f"projects/{EMULATED_NUMBER}/", f"projects/{account.id}/", 1)


def target(kind: str, value: str, account: Account, inputs: View) -> str:
    """The id of the Compute Engine object that an input names by self link, partial path or name."""
    path = plain(value, account)
    if not path.startswith("projects/"):
        project = project_of(account, inputs)
        path = (
            f"projects/{project}/{path}"
            if "/" in path
            else f"projects/{project}/{_place(kind, account, inputs)}/{path}"
        )
    return path


def _place(kind: str, account: Account, inputs: View) -> str:
    collection = COLLECTIONS[kind]
    match collection.scope:
        case "global":
            return f"global/{collection.segment}"
        case "zone":
            return f"zones/{zone_of(account, inputs)}/{collection.segment}"
        case "region":
            zone = short(inputs.text("zone"))
            region = region_of(zone) if zone and not inputs.text("region") else region_for(account, inputs)
            return f"regions/{region}/{collection.segment}"
