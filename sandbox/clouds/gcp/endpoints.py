"""Network Connectivity: regional endpoints, by which a network reaches one Google API inside one region."""

import re
from typing import Final

from sandbox.clouds.gcp import addressing, ids, references
from sandbox.clouds.gcp.errors import ApiError
from sandbox.clouds.gcp.places import regions
from sandbox.clouds.gcp.rules import matches, one_of
from sandbox.clouds.resource import Reference, Request, ResourceType, Undetermined, creation_time
from sandbox.values import Value

ENDPOINT: Final = "networkconnectivity.googleapis.com/RegionalEndpoint"
_HOST = re.compile(r"[a-z0-9-]+\.(?P<region>[a-z0-9-]+)(?:\.p)?\.rep\.[a-z0-9.-]+")


def _target(request: Request) -> None:
    """The API is one that is served in the endpoint's own region."""
    host, location = request.inputs.text("targetGoogleApi"), request.inputs.text("location")
    found = _HOST.fullmatch(host)
    if found is None or found["region"] not in regions():
        raise ApiError(400, f"Invalid target Google API '{host}': no regional service endpoint", "badRequest")
    if found["region"] != location:
        raise ApiError(400, f"Target Google API '{host}' is not in location '{location}'", "badRequest")


def _address(request: Request) -> Value:
    if not request.inputs["subnetwork"]:
        return request.inputs["address"]
    subnet = references.find(request, ids.SUBNETWORK, request.inputs.text("subnetwork"))
    before = None if request.before is None else request.before.outputs.get("address")
    return addressing.allocate(request, subnet, request.inputs["address"], before, "address")


def _rule(request: Request) -> Value:
    if request.preview:
        raise Undetermined("pscForwardingRule")
    project, location = request.id.split("/")[1], request.id.split("/")[3]
    return ids.self_link(f"projects/{project}/regions/{location}/forwardingRules/rep-{request.name}")


TYPES = (
    ResourceType(
        pulumi_type="gcp:networkconnectivity/regionalEndpoint:RegionalEndpoint",
        kind=ENDPOINT,
        identify=ids.in_project("locations/{location}/regionalEndpoints/{name}"),
        name_property="name",
        replace_on=("name", "project", "location", "targetGoogleApi", "accessType", "address", "network", "subnetwork"),
        references=(Reference("network", (ids.NETWORK,)), Reference("subnetwork", (ids.SUBNETWORK,))),
        checks=(matches("name", r"[a-z][a-z0-9-]{0,62}"), one_of("accessType", "GLOBAL", "REGIONAL"), _target),
        outputs={
            "address": _address,
            "pscForwardingRule": _rule,
            "createTime": creation_time("createTime"),
            "updateTime": creation_time("updateTime"),
        },
    ),
)
