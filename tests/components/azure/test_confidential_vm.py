"""One confidential VM."""

import dataclasses
from typing import Any

import pytest

from components.azure import ConfidentialVm, ConfidentialVmArgs, Placement
from components.azure.machine_settings import USER_DATA_BYTES
from components.errors import InputError
from tests.components.azure import region
from tests.components.azure.recorder import Recording, record


@pytest.fixture
def args(placement: Placement) -> ConfidentialVmArgs:
    return ConfidentialVmArgs(
        placement=placement,
        role="worker",
        size="Standard_DC4as_v5",
        tee="snp",
        zone="2",
        image_name="guest",
        image_version="1.0.0",
        guest_configuration={"role": "workload"},
        subnet_id="subnet",
        disk_encryption_set_id="disks",
        identity_id="identity",
    )


@pytest.fixture
def machine(args: ConfidentialVmArgs) -> Recording:
    return record(lambda: ConfidentialVm("worker", args))


def test_memory_boot_and_disk_are_confidential(machine: Recording) -> None:
    inputs = machine["worker-vm"].inputs
    assert inputs["securityProfile"] == {
        "securityType": "ConfidentialVM",
        "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
    }
    disk = inputs["storageProfile"]["osDisk"]["managedDisk"]
    assert disk["securityProfile"] == {
        "securityEncryptionType": "DiskWithVMGuestState",
        "diskEncryptionSet": {"id": "disks"},
    }
    assert "diskEncryptionSet" not in disk, "there it would be ordinary encryption with a customer's key"


def test_nobody_can_log_in(machine: Recording) -> None:
    inputs = machine["worker-vm"].inputs
    assert "osProfile" not in inputs
    assert inputs["diagnosticsProfile"] == {"bootDiagnostics": {"enabled": False}}
    (interface,) = machine.of_type("network:NetworkInterface")
    (address,) = interface.inputs["ipConfigurations"]
    assert "publicIPAddress" not in address
    assert address["subnet"] == {"id": "subnet"}
    assert interface.inputs["enableAcceleratedNetworking"] is False


def test_the_image_is_pinned_by_version(machine: Recording) -> None:
    image = machine["worker-vm"].inputs["storageProfile"]["imageReference"]
    assert image == {
        "id": f"/subscriptions/{region.ZERO}/resourceGroups/bailiwick-images/providers/Microsoft.Compute"
        "/galleries/bailiwick/images/guest/versions/1.0.0"
    }


def test_what_azure_cannot_change_replaces_the_machine(machine: Recording) -> None:
    options = machine["worker-vm"].options
    assert set(options["replaceOnChanges"]) == {"securityProfile", "storageProfile", "userData"}
    assert options["deleteBeforeReplace"] is True


def test_a_guest_reads_its_configuration_from_user_data(machine: Recording) -> None:
    assert region.user_data(machine, "worker-vm") == {"role": "workload"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"tee": "tdx"},
            "size: Standard_DC4as_v5 has snp, not tdx; nearest supported: Standard_DC4es_v6 in westeurope",
        ),
        ({"tee": "sgx"}, "tee: 'sgx' is not a TEE of whole machines in Azure; nearest supported: snp or tdx"),
        (
            {"gpu": "h100"},
            "gpu: germanywestcentral has no confidential H100; nearest .*: Standard_NCC40ads_H100_v5 in westeurope",
        ),
        ({"gpu": "b200"}, "gpu: 'b200' has no confidential-computing mode in Azure; nearest supported: none or h100"),
        ({"size": "Standard_NCC40ads_H100_v5"}, "gpu: Standard_NCC40ads_H100_v5 has a confidential H100"),
        (
            {"size": "Standard_NCC40ads_H100_v5", "gpu": "h100"},
            "gpu: germanywestcentral has no confidential H100; nearest .*: Standard_NCC40ads_H100_v5 in westeurope",
        ),
        ({"size": "Standard_DC4es_v6"}, r"size: Standard_DC4es_v6 has tdx, not snp; nearest supported: Standard_\w+as"),
        ({"size": "Standard_DC4as_v55"}, "unknown machine type .*; nearest supported: Standard_DC4as_v5"),
        ({"guest_configuration": {"x": "y" * USER_DATA_BYTES}}, "guest_configuration: is 65544 bytes"),
    ],
)
def test_what_it_cannot_honour_is_refused(args: ConfidentialVmArgs, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        record(lambda: ConfidentialVm("worker", dataclasses.replace(args, **change)))


def test_a_size_that_the_location_lacks_is_refused(args: ConfidentialVmArgs) -> None:
    elsewhere = dataclasses.replace(args.placement, location="germanynorth")
    with pytest.raises(InputError, match="is not offered in germanynorth"):
        record(lambda: ConfidentialVm("worker", dataclasses.replace(args, placement=elsewhere)))


WESTEUROPE_MISTAKES = [
    ({"size": "Standard_DC4es_v6", "tee": "tdx", "gpu": "h100"}, "gpu: H100 comes with snp, not tdx"),
    (
        {"gpu": "h100"},
        "size: Standard_DC4as_v5 has the GPU none, not h100; nearest supported: Standard_NCC40ads_H100_v5",
    ),
    ({"tee": "tdx"}, "size: Standard_DC4as_v5 has snp, not tdx; nearest supported: Standard_DC4es_v6"),
]


@pytest.mark.parametrize(("change", "problem"), WESTEUROPE_MISTAKES)
def test_where_there_is_a_gpu_the_nearest_size_is_named(
    args: ConfidentialVmArgs, change: dict[str, Any], problem: str
) -> None:
    there = dataclasses.replace(args, placement=dataclasses.replace(args.placement, location="westeurope"), **change)
    with pytest.raises(InputError, match=problem):
        record(lambda: ConfidentialVm("worker", there))


@pytest.mark.parametrize(
    "change",
    [
        {"size": "Standard_DC4es_v6", "tee": "tdx"},
        {"size": "Standard_NCC40ads_H100_v5", "gpu": "h100"},
    ],
)
def test_tdx_and_h100_machines_are_confidential_like_any(args: ConfidentialVmArgs, change: dict[str, Any]) -> None:
    there = dataclasses.replace(args, placement=dataclasses.replace(args.placement, location="westeurope"), **change)
    inputs = record(lambda: ConfidentialVm("worker", there))["worker-vm"].inputs
    assert inputs["hardwareProfile"] == {"vmSize": change["size"]}
    assert inputs["securityProfile"]["securityType"] == "ConfidentialVM"
    disk = inputs["storageProfile"]["osDisk"]["managedDisk"]["securityProfile"]
    assert disk["securityEncryptionType"] == "DiskWithVMGuestState"
