"""Regions of their own for the tests: specifications, reference values, placement. Nothing is read from `stacks/`."""

import json
from pathlib import Path
from typing import Any

import pulumi

from components.gcp import AttestedRelease, AttestedReleaseArgs, Placement, SovereignRegion, SovereignRegionArgs
from components.release import Authority, ReleasePolicy, Tee
from components.spec import RegionSpec
from components.tags import Tags
from tests.components import recorder
from tests.components.azure.region import envelope
from tests.components.recorder import Recording, Registration

STACK = "gcp-germany"
PROJECT = "bailiwick-emulated"
MR_TD = "cc" * 48
IMAGES = {"inference-guest-1.0.0": ("snp", "tdx"), "verifier-1.0.0": ("snp", "tdx")}
_COMMON: dict[str, Any] = {
    "cloud": "gcp",
    "projectId": PROJECT,
    "emulated": True,
    "owner": "platform@example.org",
    "dataClass": "confidential",
    "verifier": {
        "size": "n2d-standard-2",
        "image": {"name": "verifier", "version": "1.0.0"},
        "trustAnchors": ["amd", "sandbox"],
    },
}


def machine(name: str, size: str, **more: Any) -> dict[str, Any]:
    """One machine of a specification."""
    image = {"name": "inference-guest", "version": "1.0.0"}
    return {"name": name, "size": size, "image": image, "model": "llm"} | more


GERMANY: dict[str, Any] = _COMMON | {
    "jurisdiction": "DE",
    "location": "europe-west3",
    "network": {"addressSpace": "10.30.0.0/16"},
    "machines": [
        machine("inference", "n2d-standard-4", zone="europe-west3-a"),
        machine("embedding", "c3-standard-4", tee="tdx", model="embedder"),
    ],
}
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBszCCAVqgAwIBAgIUb5d8GyXt5KXHfNsCdFCHvLLb36owCgYIKoZIzj0EAwIw
HzEdMBsGA1UEAwwUa2V5cy50cnVzdGVlLmV4YW1wbGUwHhcNMjYxMTIzMDkxNDE3
WhcNMzYxMTIwMDkxNDE3WjAfMR0wGwYDVQQDDBRrZXlzLnRydXN0ZWUuZXhhbXBs
ZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABO41LhMXlTrArcnUHc8WYl6BQCig
rfCrubC8Qr2oYyZmBfXw8XewwU9g08SUfomWaTASW9IzO3ZQ5LmtrQa4XIyjdDBy
MB0GA1UdDgQWBBQpJxhJTwdcjje548/q5A2zjBJEpzAfBgNVHSMEGDAWgBQpJxhJ
Twdcjje548/q5A2zjBJEpzAPBgNVHRMBAf8EBTADAQH/MB8GA1UdEQQYMBaCFGtl
eXMudHJ1c3RlZS5leGFtcGxlMAoGCCqGSM49BAMCA0cAMEQCIE9m6xts0KHPA9v+
0TnZXP3tpAcbu/DKMpsoKZrVhaY3AiBKb2VwOly0q2w1y4iQuNPfdc0uoCD0IZXw
oEOIVshbhA==
-----END CERTIFICATE-----
"""
"""That of `keys.trustee.example`."""
MANAGER: dict[str, Any] = {
    "operator": "Example Trustee",
    "jurisdiction": "DE",
    "legalReach": ["DE"],
    "host": "keys.trustee.example",
    "connection": "projects/trustee/locations/europe-west3/namespaces/keys/services/manager",
    "path": "v0/cryptospaces/sovereign",
    "certificates": [CERTIFICATE],
}
"""A key manager outside Google Cloud, in Germany."""
NETHERLANDS: dict[str, Any] = _COMMON | {
    "jurisdiction": "NL",
    "location": "europe-west4",
    "network": {"addressSpace": "10.40.0.0/16"},
    "keys": {
        "externalManager": MANAGER
        | {"jurisdiction": "NL", "connection": MANAGER["connection"].replace("europe-west3", "europe-west4")}
    },
    "machines": [
        machine("inference", "a3-highgpu-1g", tee="tdx", gpu="h100", purchase="flex-start"),
        machine("embedding", "c3-standard-4", tee="tdx", count=2, model="embedder"),
    ],
    "clusters": [{"name": "serving", "size": "n2d-standard-8", "nodes": 3}],
}

LIMBURG: dict[str, Any] = NETHERLANDS | {
    "verifier": _COMMON["verifier"] | {"size": "c3-standard-4", "tee": "tdx"},
    "machines": [
        machine("inference", "n2d-standard-4", count=2),
        machine("training", "a3-highgpu-1g", tee="tdx", gpu="h100", purchase="spot", count=2, model="tuner"),
    ],
    "clusters": [
        {
            "name": "serving",
            "size": "c3-standard-8",
            "tee": "tdx",
            "nodes": 3,
            "gpuPool": {"size": "a3-highgpu-1g", "purchase": "flex-start", "nodes": 2},
        }
    ],
}
"""What the others leave out: a verifier and a cluster on TDX, groups on SNP and with GPUs."""


def write_reference_values(directory: Path) -> Path:
    """Write the reference values of every image that the tests name, and a build key."""
    for image, tees in IMAGES.items():
        for tee in tees:
            suffix, values = ("", {}) if tee == "snp" else (f".{tee}", {"mr_td": [MR_TD]})
            (directory / f"{image}{suffix}.json").write_text(json.dumps(envelope(image, tee=tee, **values)))
    (directory / "build.pub.pem").write_text("-----BEGIN PUBLIC KEY-----\ntest\n-----END PUBLIC KEY-----\n")
    return directory


def placement(location: str = "europe-west3", **changes: Any) -> Placement:
    """Where a component that is tested alone is put."""
    tags = Tags(jurisdiction="EU", data_class="confidential", owner="platform@example.org", stack=STACK)
    return Placement(**({"stack": STACK, "project_id": PROJECT, "location": location, "tags": tags} | changes))


def record(program: Any, *, stack: str = STACK) -> Recording:
    """What a program registers; service accounts, and what their machines are told, have a cloud's answers."""
    return recorder.record(program, stack=stack, computed=_computed)


def deploy(
    spec: dict[str, Any],
    reference_values: Path,
    changes: dict[str, Any] | None = None,
    *,
    stack: str | None = None,
    **args: Any,
) -> Recording:
    """Record the region of `spec` with `changes`, whose Args have `args` besides."""
    checked = RegionSpec.from_mapping({**spec, **(changes or {})}, reference_values=reference_values)
    stack = stack or f"gcp-{'germany' if checked.location == 'europe-west3' else 'netherlands'}"

    def program() -> None:
        region = SovereignRegion(stack, SovereignRegionArgs(spec=checked, reference_values=reference_values, **args))
        for key, value in region.outputs.items():
            pulumi.export(key, value)

    return record(program, stack=stack)


def release_args() -> AttestedReleaseArgs:
    """Inputs of the component that no region has."""
    policy = ReleasePolicy(
        jurisdiction="EU",
        data_class="confidential",
        tees=(Tee.TDX,),
        image_digests=("sha256:" + "12" * 32,),
        authorities=(Authority(uri="https://confidentialcomputing.googleapis.com", jurisdiction="DE"),),
    )
    return AttestedReleaseArgs(
        placement=placement(), role="llm", key_id="key", policy=policy, service_accounts=("workload@example.org",)
    )


def deploy_release() -> Recording:
    """Record it."""
    return record(lambda: AttestedRelease("release", release_args()))


def user_data(recording: Recording, name: str) -> Any:
    """What a machine is told at boot."""
    return json.loads(recording[name].inputs["metadata"]["user-data"])


def _computed(registration: Registration) -> dict[str, Any]:
    """The outputs that Google Cloud would add to the inputs."""
    if registration.type.endswith("serviceaccount/account:Account"):
        email = f"{registration.inputs['accountId']}@{PROJECT}.iam.gserviceaccount.com"
        return {"email": email, "member": f"serviceAccount:{email}"}
    if registration.type.endswith(":WorkloadIdentityPool"):
        pool = registration.inputs["workloadIdentityPoolId"]
        return {"name": f"projects/1234567/locations/global/workloadIdentityPools/{pool}"}
    if registration.type.endswith(":RegionInstanceTemplate"):
        return {"selfLink": f"<{registration.name}.selfLink>"}
    if registration.type.endswith(":RegionInstanceGroupManager"):
        return {"instanceGroup": f"<{registration.name}.instanceGroup>"}
    if registration.type.endswith("container/cluster:Cluster"):
        return {"endpoint": "10.40.3.2"}
    return {}
