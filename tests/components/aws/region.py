"""A region of their own for the tests: specification, reference values, placement. Nothing is read from `stacks/`."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
from google.protobuf import json_format
from pulumi.runtime.proto import resource_pb2

from components.aws import Placement, SovereignRegion, SovereignRegionArgs
from components.spec import RegionSpec
from components.tags import Tags
from tests.components import recorder
from tests.components.azure.region import write_reference_values
from tests.components.recorder import Recording, Registration

__all__ = ["write_reference_values"]

STACK = "aws-ireland"
ACCOUNT = "000000000000"
IRELAND: dict[str, Any] = {
    "cloud": "aws",
    "accountId": ACCOUNT,
    "emulated": True,
    "owner": "platform@example.org",
    "dataClass": "confidential",
    "jurisdiction": "EU",
    "location": "eu-west-1",
    "network": {"addressSpace": "10.40.0.0/16"},
    "verifier": {
        "size": "m6a.large",
        "image": {"name": "verifier", "version": "1.0.0"},
        "trustAnchors": ["amd", "aws", "sandbox"],
    },
    "machines": [
        {
            "name": "inference",
            "size": "m6a.xlarge",
            "zone": "eu-west-1b",
            "image": {"name": "inference-guest", "version": "1.0.0"},
            "model": "llm",
        },
        {
            "name": "batch",
            "size": "c6a.large",
            "count": 2,
            "image": {"name": "inference-guest", "version": "1.0.0"},
            "model": "embedder",
        },
    ],
    "clusters": [{"name": "serving", "size": "m6a.2xlarge", "nodes": 3, "release": "1.35.7-20260903"}],
}

MANAGER: dict[str, Any] = {
    "operator": "Example Trustee",
    "jurisdiction": "DE",
    "legalReach": ["DE"],
    "host": "keys.trustee.example",
    "connection": "eu.amazonaws.vpce.eusc-de-east-1.vpce-svc-0123456789abcdef0",
    "path": "/sovereign/kms/xks/v1",
    "keys": {"os-disk": "disks", "store": "store"},
}
"""A key manager outside AWS, in Germany, for a region without models."""
EUSC: dict[str, Any] = {key: IRELAND[key] for key in ("accountId", "emulated", "owner", "dataClass", "network")} | {
    "cloud": "aws-eusc",
    "jurisdiction": "DE",
    "location": "eusc-de-east-1",
    "keys": {"externalManager": MANAGER},
}
"""Keys and log alone: the catalogue knows no confidential machine there."""
FRANKFURT: dict[str, Any] = IRELAND | {
    "location": "eu-central-1",
    "hostIds": {"eu-central-1a": "h-0123456789abcdef0", "eu-central-1b": "h-0123456789abcdef1"},
    "verifier": IRELAND["verifier"] | {"tenancy": "dedicated-host"},
    "machines": [IRELAND["machines"][0] | {"tenancy": "dedicated-host", "zone": "eu-central-1b"}],
    "clusters": [],
}
"""SEV-SNP on dedicated hosts only."""


def placement(*, cloud: str = "aws", location: str = "eu-west-1") -> Placement:
    return Placement(
        stack=STACK,
        account_id=ACCOUNT,
        location=location,
        tags=Tags(jurisdiction="EU", data_class="confidential", owner="platform@example.org", stack=STACK),
        cloud=cloud,
    )


def record(program: Callable[[], object], *, stack: str = STACK) -> Recording:
    """Run `program` and return what it registered. AWS is asked for one thing only: the id of an image by its name."""
    with mock.patch.object(recorder._Monitor, "Invoke", _answer_image):
        return recorder.record(program, stack=stack, computed=_computed)


def deploy(spec: dict[str, Any], reference_values: Path, *, stack: str = STACK, **changes: Any) -> Recording:
    """Record the region of `spec` with `changes`, as `stack`."""
    checked = RegionSpec.from_mapping({**spec, **changes}, reference_values=reference_values)

    def program() -> None:
        region = SovereignRegion(stack, SovereignRegionArgs(spec=checked, reference_values=reference_values))
        for key, value in region.outputs.items():
            pulumi.export(key, value)

    return record(program, stack=stack)


def user_data(registration: Registration) -> Any:
    """What a machine is told at boot."""
    encoded = registration.inputs.get("userDataBase64") or registration.inputs["userData"]
    return json.loads(base64.b64decode(encoded))


def statements(document: str) -> dict[str, dict[str, Any]]:
    """The statements of a policy document by their Sid."""
    return {statement["Sid"]: statement for statement in json.loads(document)["Statement"]}


def _answer_image(_monitor: object, request: Any) -> Any:
    assert request.tok == "aws:ec2/getAmi:getAmi", f"the program asked AWS: {request.tok}"
    args = json_format.MessageToDict(request.args)
    (name,) = args["filters"][0]["values"]
    assert args["owners"] == ["self"]
    response = resource_pb2.ResourceInvokeResponse()
    json_format.ParseDict({"id": f"<ami {name}>"}, getattr(response, "return"))
    return response


def _computed(registration: Registration) -> dict[str, Any]:
    """The outputs that AWS would add to the inputs."""
    kind = registration.type.rpartition(":")[2]
    computed = {
        "Bucket": {"arn": f"arn:aws:s3:::{registration.inputs.get('bucket')}"},
        "Cluster": {"endpoint": "https://private.eks"},
        "InstanceProfile": {"name": registration.inputs.get("name")},
        "LaunchTemplate": {"latestVersion": 1},
        "LoadBalancer": {"dnsName": "verifier.elb", "zoneId": "ZELB"},
        "Role": {"name": registration.inputs.get("name")},
    }.get(kind, {})
    return {"arn": f"<{registration.name}.arn>", "keyId": f"<{registration.name}.keyId>", **computed}
