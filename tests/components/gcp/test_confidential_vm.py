"""One confidential VM, and several of one kind."""

import dataclasses
from typing import Any

import pytest

from components.errors import InputError
from components.gcp import (
    ConfidentialVm,
    ConfidentialVmArgs,
    ConfidentialVmGroup,
    ConfidentialVmGroupArgs,
    Placement,
)
from components.gcp.machine_settings import USER_DATA_BYTES
from tests.components.gcp import region


@pytest.fixture
def args(placement: Placement) -> ConfidentialVmArgs:
    return ConfidentialVmArgs(
        placement=placement,
        role="worker",
        size="n2d-standard-4",
        tee="snp",
        zone="europe-west3-b",
        image_name="guest",
        image_version="1.0.0",
        guest_configuration={"role": "workload"},
        subnet_id="subnet",
        disk_key_id="key",
        identity_id="worker@example.org",
    )


def machine(args: ConfidentialVmArgs) -> Any:
    return region.record(lambda: ConfidentialVm("worker", args))["worker-vm"].inputs


def test_snp_is_asked_for_by_its_name_and_never_as_plain_sev(args: ConfidentialVmArgs) -> None:
    inputs = machine(args)
    assert inputs["confidentialInstanceConfig"] == {"confidentialInstanceType": "SEV_SNP"}
    assert inputs["minCpuPlatform"] == "AMD Milan"
    assert inputs["scheduling"]["onHostMaintenance"] == "TERMINATE"
    assert inputs["networkInterfaces"] == [{"subnetwork": "subnet", "nicType": "GVNIC", "stackType": "IPV4_ONLY"}]


def test_tdx_needs_no_cpu_platform(args: ConfidentialVmArgs) -> None:
    inputs = machine(dataclasses.replace(args, tee="tdx", size="c3-standard-4"))
    assert inputs["confidentialInstanceConfig"] == {"confidentialInstanceType": "TDX"}
    assert "minCpuPlatform" not in inputs


def test_nobody_can_log_in(args: ConfidentialVmArgs) -> None:
    inputs = machine(args)
    assert inputs["metadata"] == {
        "user-data": '{"role":"workload"}',
        "block-project-ssh-keys": "TRUE",
        "enable-oslogin": "FALSE",
        "serial-port-enable": "FALSE",
    }
    assert inputs["shieldedInstanceConfig"] == {
        "enableIntegrityMonitoring": True,
        "enableSecureBoot": True,
        "enableVtpm": True,
    }


def test_disk_and_image_are_the_region_s(args: ConfidentialVmArgs) -> None:
    inputs = machine(args)
    assert inputs["bootDisk"]["kmsKeySelfLink"] == "key"
    assert inputs["bootDisk"]["initializeParams"]["image"] == f"projects/{region.PROJECT}/global/images/guest-1-0-0"
    assert inputs["keyRevocationActionType"] == "STOP"


@pytest.mark.parametrize(
    ("purchase", "scheduling"),
    [
        (
            "spot",
            {
                "provisioningModel": "SPOT",
                "preemptible": True,
                "automaticRestart": False,
                "instanceTerminationAction": "STOP",
            },
        ),
        (
            "flex-start",
            {
                "provisioningModel": "FLEX_START",
                "automaticRestart": False,
                "instanceTerminationAction": "DELETE",
                "maxRunDuration": {"seconds": 604800},
            },
        ),
    ],
)
def test_an_h100_comes_as_spot_or_flex_start(
    args: ConfidentialVmArgs, purchase: str, scheduling: dict[str, Any]
) -> None:
    there = region.placement("europe-west4")
    inputs = machine(
        dataclasses.replace(
            args, placement=there, size="a3-highgpu-1g", tee="tdx", gpu="h100", purchase=purchase, zone=None
        )
    )
    assert inputs["zone"] == "europe-west4-c"
    assert inputs["guestAccelerators"] == [{"type": "nvidia-h100-80gb", "count": 1}]
    assert inputs["scheduling"] == {"onHostMaintenance": "TERMINATE", **scheduling}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tee": "sev"}, "tee: 'sev' is not a TEE of Google Cloud; nearest supported: snp or tdx"),
        ({"size": "c3-standard-4"}, "size: c3-standard-4 has no AMD SEV-SNP; nearest supported: n2d-standard-4"),
        ({"size": "n2d-standard-5"}, "unknown machine type .*; nearest supported: n2d-standard-"),
        ({"gpu": "h100"}, "gpu: n2d-standard-4 has the confidential GPU none, not 'h100'; nearest supported: none"),
        (
            {"size": "a3-highgpu-1g", "tee": "tdx", "gpu": "h100", "purchase": "spot"},
            "a3-highgpu-1g is not offered in europe-west3; nearest supported: c3-standard-22",
        ),
        ({"tee": "tdx", "size": "c3-standard-4", "zone": "europe-west3-c"}, "zone: c3-standard-4 has no tdx in"),
        ({"purchase": "flex-start"}, "purchase: .* is not sold as 'flex-start'; nearest supported: on-demand"),
        ({"guest_configuration": {"x": "y" * USER_DATA_BYTES}}, "guest_configuration: is 262152 bytes"),
    ],
)
def test_what_it_cannot_honour_is_refused(args: ConfidentialVmArgs, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        machine(dataclasses.replace(args, **change))


def test_a_confidential_h100_is_not_sold_on_demand(args: ConfidentialVmArgs) -> None:
    there = region.placement("europe-west4")
    with pytest.raises(InputError, match="not sold as 'on-demand'; nearest supported: spot or flex-start"):
        machine(dataclasses.replace(args, placement=there, size="a3-highgpu-1g", tee="tdx", gpu="h100", zone=None))


def group_args(args: ConfidentialVmArgs, **changes: Any) -> ConfidentialVmGroupArgs:
    shared = {field.name: getattr(args, field.name) for field in dataclasses.fields(args) if field.name != "zone"}
    return ConfidentialVmGroupArgs(**(shared | {"count": 3} | changes))


def test_a_group_keeps_its_number_over_the_zones_that_have_the_tee(args: ConfidentialVmArgs) -> None:
    tdx = group_args(args, tee="tdx", size="c3-standard-4")
    found = region.record(lambda: ConfidentialVmGroup("workers", tdx))
    group, template = found["workers-group"].inputs, found["workers-template"].inputs
    assert (group["targetSize"], group["distributionPolicyZones"]) == (3, ["europe-west3-a", "europe-west3-b"])
    assert template["confidentialInstanceConfig"] == {"confidentialInstanceType": "TDX"}
    assert template["disks"][0]["diskEncryptionKey"] == {"kmsKeySelfLink": "key"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"count": 1}, "count: 1 machines are no group"),
        ({"zones": ["europe-west3-d"]}, "zones: n2d-standard-4 has no snp in europe-west3-d"),
        (
            {
                "placement": region.placement("europe-west4"),
                "size": "a3-highgpu-1g",
                "tee": "tdx",
                "gpu": "h100",
                "purchase": "flex-start",
            },
            "flex-start machines join by resize requests.*nearest supported: spot",
        ),
    ],
)
def test_a_group_refuses_what_it_cannot_honour(args: ConfidentialVmArgs, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        region.record(lambda: ConfidentialVmGroup("workers", group_args(args, **change)))
