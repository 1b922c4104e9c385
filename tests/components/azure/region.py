"""A region of its own for the tests: specification, reference values, placement. Nothing is read from `stacks/`."""

import base64
import json
from pathlib import Path
from typing import Any

import pulumi

from components.azure import (
    ConfidentialCluster,
    ConfidentialClusterArgs,
    ConfidentialVmGroup,
    ConfidentialVmGroupArgs,
    ManagedHsm,
    ManagedHsmArgs,
    NodeIdentity,
    Placement,
    SovereignRegion,
    SovereignRegionArgs,
)
from components.release import Authority, MinimumTcb, ReleasePolicy, Tee
from components.spec import RegionSpec
from components.tags import Tags
from tests.components.azure.recorder import STACK, Recording, record

ZERO = "00000000-0000-0000-0000-000000000000"
DISK_POLICY = ReleasePolicy(
    jurisdiction="DE",
    data_class="confidential",
    tees=(Tee.SNP,),
    launch_measurements=("aa" * 48,),
    minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
    authorities=(Authority(uri="https://own.dewc.attest.azure.net", jurisdiction="DE"),),
)
MEASUREMENTS = {"inference-guest-1.0.0": "aa" * 48, "inference-guest-1.1.0": "ab" * 48, "verifier-1.0.0": "bb" * 48}
SPEC: dict[str, Any] = {
    "cloud": "azure",
    "jurisdiction": "DE",
    "location": "germanywestcentral",
    "subscriptionId": ZERO,
    "tenantId": ZERO,
    "emulated": True,
    "owner": "platform@example.org",
    "dataClass": "confidential",
    "network": {"addressSpace": "10.20.0.0/16"},
    "verifier": {"size": "Standard_DC2as_v5", "image": {"name": "verifier", "version": "1.0.0"}},
    "machines": [
        {
            "name": "inference",
            "size": "Standard_DC4as_v5",
            "zone": "1",
            "image": {"name": "inference-guest", "version": "1.0.0"},
            "model": "llm",
        }
    ],
}


_GUEST = {"image": {"name": "inference-guest", "version": "1.0.0"}, "model": "llm"}
NETHERLANDS: dict[str, Any] = {
    "jurisdiction": "EU",
    "location": "westeurope",
    "verifier": {
        **SPEC["verifier"],
        "size": "Standard_DC2es_v6",
        "tee": "tdx",
        "trustAnchors": ["amd", "intel", "nvidia"],
    },
    "machines": [
        {"name": "serving", "size": "Standard_DC4as_v5", "count": 2, **_GUEST},
        {"name": "domain", "size": "Standard_DC4es_v6", "tee": "tdx", "zone": "2", **_GUEST},
        {"name": "training", "size": "Standard_NCC40ads_H100_v5", "gpu": "h100", **_GUEST},
    ],
    "clusters": [
        {
            "name": "batch",
            "size": "Standard_DC4as_v5",
            "nodes": 3,
            "gpuPool": {"size": "Standard_NCC40ads_H100_v5", "nodes": 2},
        }
    ],
}
"""What differs in a region with every kind of machine that Azure has."""


def under_paravisor(measurement: str) -> dict[str, Any]:
    """The part about a start under a paravisor that measures so."""
    return {
        "paravisor": {"name": "azure-paravisor", "version": "1.0.0"},
        "launch_measurements": [measurement],
        "pcrs": {"4": ["ab" * 32]},
    }


def on_ec2(measurement: str) -> dict[str, Any]:
    """The part about a start on EC2 by firmware that measures so."""
    return {
        "firmware": {"name": "ec2-uefi", "version": "1.0.0"},
        "launch_measurements": [measurement],
        "pcrs": {"4": ["ab" * 48], "7": ["cd" * 48], "12": ["00" * 48]},
    }


def envelope(image: str, *, microcode: int = 213, **predicate: Any) -> dict[str, Any]:
    """Reference values of `<name>-<version>` as the build publishes them; the signature is not read by components."""
    name, _, version = image.rpartition("-")
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": image, "digest": {"sha384": MEASUREMENTS[image]}}],
        "predicateType": "https://bailiwick.dev/reference-values/v1",
        "predicate": {
            "image": {"name": name, "version": version},
            "tee": "snp",
            "product": "milan",
            "launch_measurements": [MEASUREMENTS[image]],
            "minimum_tcb": {"bootloader": 4, "tee": 0, "snp": 22, "microcode": microcode},
            "vtpm": under_paravisor(MEASUREMENTS[image]),
            "nitrotpm": on_ec2(MEASUREMENTS[image]),
            **predicate,
        },
    }
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    return {"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": [{"sig": image}]}


def tdx_envelope(image: str) -> dict[str, Any]:
    """Reference values of an image on Intel TDX."""
    name, _, version = image.rpartition("-")
    predicate = {
        "image": {"name": name, "version": version},
        "tee": "tdx",
        "mr_td": ["cc" * 48],
        "rtmr2": ["cd" * 48],
        "vtpm": under_paravisor("cc" * 48),
    }
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": image, "digest": {"sha384": "cc" * 48}}],
        "predicateType": "https://bailiwick.dev/reference-values/v1",
        "predicate": predicate,
    }
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    return {"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": [{"sig": f"{image}.tdx"}]}


def write_reference_values(directory: Path) -> Path:
    """Write the reference values of every image that the tests name, and a build key."""
    for image in MEASUREMENTS:
        microcode = 220 if image == "inference-guest-1.1.0" else 213
        (directory / f"{image}.json").write_text(json.dumps(envelope(image, microcode=microcode)))
    for image in ("inference-guest-1.0.0", "verifier-1.0.0"):
        (directory / f"{image}.tdx.json").write_text(json.dumps(tdx_envelope(image)))
    (directory / "build.pub.pem").write_text("-----BEGIN PUBLIC KEY-----\ntest\n-----END PUBLIC KEY-----\n")
    return directory


def placement(location: str = "germanywestcentral") -> Placement:
    """Where a component that is tested alone is put."""
    return Placement(
        stack=STACK,
        subscription_id=ZERO,
        tenant_id=ZERO,
        location=location,
        resource_group_name="bailiwick-azure-germany",
        tags=Tags(jurisdiction="DE", data_class="confidential", owner="platform@example.org", stack=STACK),
    )


def deploy(reference_values: Path, changes: dict[str, Any] | None = None, **args: Any) -> Recording:
    """Record a region whose specification differs from `SPEC` in `changes` and whose Args have `args` besides."""
    spec = RegionSpec.from_mapping({**SPEC, **(changes or {})}, reference_values=reference_values)

    args = {"cluster_admin_group_ids": ["administrators"], **args}

    def program() -> None:
        region = SovereignRegion(STACK, SovereignRegionArgs(spec=spec, reference_values=reference_values, **args))
        for key, value in region.outputs.items():
            pulumi.export(key, value)

    return record(program)


def user_data(recording: Recording, machine: str) -> Any:
    """What a machine is told at boot."""
    return json.loads(base64.b64decode(recording[machine].inputs["userData"]))


def group_args(**changes: Any) -> ConfidentialVmGroupArgs:
    """Inputs of a scale set, changed in some fields."""
    fields: dict[str, Any] = {
        "placement": placement(),
        "role": "batch",
        "size": "Standard_DC4as_v5",
        "tee": "snp",
        "image_name": "guest",
        "image_version": "1.0.0",
        "guest_configuration": {"role": "workload"},
        "subnet_id": "subnet",
        "identity_id": "identity",
        "count": 3,
        "host_readable_os_disk": True,
    }
    return ConfidentialVmGroupArgs(**{**fields, **changes})


def cluster_args(**changes: Any) -> ConfidentialClusterArgs:
    """Inputs of a cluster, changed in some fields."""
    fields: dict[str, Any] = {
        "placement": placement(),
        "role": "serving",
        "size": "Standard_DC4as_v5",
        "tee": "snp",
        "nodes": 3,
        "subnet_id": "subnet",
        "control_plane_subnet_id": "control-planes",
        "identity_id": "control-plane",
        "node_identity": NodeIdentity(id="nodes", client_id="nodes-client", principal_id="nodes-principal"),
        "registry_id": "registry",
        "disk_encryption_set_id": "disks",
        "secrets_key_url": "https://vault.vault.azure.net/keys/etcd/1",
        "vault_id": "vault",
        "admin_group_ids": ["administrators"],
    }
    return ConfidentialClusterArgs(**{**fields, **changes})


def hsm_args(**changes: Any) -> ManagedHsmArgs:
    """Inputs of a Managed HSM, changed in some fields."""
    fields: dict[str, Any] = {
        "placement": placement(),
        "administrators": ["00000000-0000-0000-0000-000000000b1e"],
        "soft_delete_days": 90,
        "rotation_days": 60,
        "model_keys": ["llm"],
        "disk_keys": {"guest": DISK_POLICY},
        "subnet_id": "subnet",
        "zone_ids": {"privatelink.managedhsm.azure.net": "zone"},
        "audit_account_id": "audit",
        "workspace_id": "workspace",
    }
    return ManagedHsmArgs(**{**fields, **changes})


def deploy_parts() -> Recording:
    """Record the components that no region of a stack file has."""

    def program() -> None:
        there = placement("westeurope")
        ConfidentialVmGroup("batch", group_args())
        ConfidentialVmGroup("sealed", group_args(placement=there, role="sealed", size="Standard_DC4es_v6", tee="tdx"))
        h100 = {"size": "Standard_NCC40ads_H100_v5", "gpu": "h100"}
        ConfidentialVmGroup("training", group_args(placement=there, role="training", **h100))
        ConfidentialCluster("serving", cluster_args())
        ManagedHsm("keys", hsm_args())

    return record(program)
