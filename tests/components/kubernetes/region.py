"""A region of its own for the tests: specification, site, reference values, placement."""

import base64
import gzip
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi

from components.kubernetes import Placement, Site, SovereignRegion, SovereignRegionArgs
from components.spec import RegionSpec
from components.tags import Tags
from tests.components import recorder
from tests.components.azure.region import envelope
from tests.components.recorder import Recording, Registration

STACK = "onprem-kubernetes"
SIZE = "rack-genoa-64"
TDX_SIZE = "rack-granite-96"
DIGESTS = {"inference-guest-1.0.0": "sha256:" + "1a" * 32, "verifier-1.0.0": "sha256:" + "2b" * 32}
INIT_DATA = "io.katacontainers.config.hypervisor.cc_init_data"
SPEC: dict[str, Any] = {
    "cloud": "kubernetes",
    "jurisdiction": "DE",
    "location": "onprem-berlin",
    "cluster": "bailiwick-emulated",
    "emulated": True,
    "owner": "platform@example.org",
    "dataClass": "confidential",
    "network": {"addressSpace": "10.60.0.0/16"},
    "verifier": {"size": SIZE, "image": {"name": "verifier", "version": "1.0.0"}},
    "machines": [
        {
            "name": "inference",
            "size": SIZE,
            "zone": "hall-1",
            "image": {"name": "inference-guest", "version": "1.0.0"},
            "model": "llm",
        },
        {
            "name": "embedding",
            "size": SIZE,
            "count": 3,
            "image": {"name": "inference-guest", "version": "1.0.0"},
            "model": "embedder",
        },
    ],
}
TRUST_DOMAINS: dict[str, Any] = SPEC | {
    "verifier": SPEC["verifier"] | {"size": TDX_SIZE, "tee": "tdx", "trustAnchors": ["intel"]},
    "machines": [machine | {"size": TDX_SIZE, "tee": "tdx", "zone": None} for machine in SPEC["machines"]],
}
"""The same region on Intel TDX."""
SITE: dict[str, Any] = {
    "registry": "registry.example.org/bailiwick",
    "images": DIGESTS,
    "hsm": {
        "module": "/usr/lib/pkcs11/libsite-hsm.so",
        "token": "bailiwick",
        "pinSecret": "hsm-pin",
        "endpoint": {"cidr": "10.60.250.10/32", "port": 1792},
    },
    "modelStore": {"account": "models", "endpoint": {"cidr": "10.60.251.0/24", "port": 443}},
    "collateralServer": "registry.example.org/tools/file-server@sha256:" + "3c" * 32,
}


def write_reference_values(directory: Path) -> Path:
    """Write the reference values of every image that the tests name, and a build key."""
    for image in DIGESTS:
        (directory / f"{image}.json").write_text(json.dumps(envelope(image)))
        (directory / f"{image}.tdx.json").write_text(json.dumps(envelope(image, tee="tdx", mr_td=["cc" * 48])))
    (directory / "build.pub.pem").write_text("-----BEGIN PUBLIC KEY-----\ntest\n-----END PUBLIC KEY-----\n")
    return directory


def site(**changes: Any) -> Site:
    return Site.from_mapping({**SITE, **changes})


def placement(**changes: Any) -> Placement:
    """Where a component that is tested alone is put."""
    tags = Tags(jurisdiction="DE", data_class="confidential", owner="platform@example.org", stack=STACK)
    return Placement(**({"stack": STACK, "location": "onprem-berlin", "tags": tags} | changes))


def record(program: Callable[[], object], *, stack: str = STACK) -> Recording:
    """What a program registers; every object answers its own metadata, as the API server does."""
    return recorder.record(program, stack=stack, computed=_computed)


def deploy(
    reference_values: Path, changes: dict[str, Any] | None = None, *, stack: str = STACK, **of_the_site: Any
) -> Recording:
    """Record the region whose specification differs from `SPEC` in `changes`, on a site that differs as given."""
    spec = RegionSpec.from_mapping({**SPEC, **(changes or {})}, reference_values=reference_values)

    def program() -> None:
        args = SovereignRegionArgs(spec=spec, site=site(**of_the_site), reference_values=reference_values)
        for key, value in SovereignRegion(stack, args).outputs.items():
            pulumi.export(key, value)

    return record(program, stack=stack)


def template(recording: Recording, deployment: str) -> Any:
    """The pod template of a deployment."""
    return recording[deployment].inputs["spec"]["template"]


def init_data(annotation: str) -> dict[str, Any]:
    """The document inside an init data annotation."""
    return tomllib.loads(gzip.decompress(base64.b64decode(annotation)).decode())


def told(recording: Recording, deployment: str) -> Any:
    """What a guest is told at boot."""
    document = init_data(template(recording, deployment)["metadata"]["annotations"][INIT_DATA])
    return json.loads(document["data"]["bailiwick.json"])


def _computed(registration: Registration) -> dict[str, Any]:
    return {"metadata": registration.inputs["metadata"]} if "metadata" in registration.inputs else {}
