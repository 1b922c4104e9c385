"""A scale set of confidential machines."""

from typing import Any

import pytest

from components.azure import ConfidentialVmGroup
from components.errors import InputError
from tests.components.azure.recorder import Recording, record
from tests.components.azure.region import group_args


@pytest.fixture
def group() -> Recording:
    return record(lambda: ConfidentialVmGroup("batch", group_args()))


def test_its_machines_are_confidential_and_nobody_logs_in(group: Recording) -> None:
    machine = group["batch-group"].inputs["virtualMachineProfile"]
    assert machine["securityProfile"] == {
        "securityType": "ConfidentialVM",
        "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
    }
    assert "osProfile" not in machine
    assert machine["diagnosticsProfile"] == {"bootDiagnostics": {"enabled": False}}
    (interface,) = machine["networkProfile"]["networkInterfaceConfigurations"]
    (address,) = interface["ipConfigurations"]
    assert "publicIPAddressConfiguration" not in address


def test_it_is_spread_over_the_zones(group: Recording) -> None:
    inputs = group["batch-group"].inputs
    assert (inputs["zones"], inputs["zoneBalance"], inputs["sku"]["capacity"]) == (["1", "2", "3"], True, 3)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"host_readable_os_disk": False},
            "host_readable_os_disk: Azure encrypts no OS disk confidentially in a scale set; nearest supported: 3 of",
        ),
        ({"count": 1}, "count: 1 is not between 2 and 1000 machines; nearest supported: ConfidentialVm, or 2"),
        ({"count": 1001}, "nearest supported: 1000"),
        ({"zones": ["1", "4"]}, "zones: germanywestcentral has no zone 4; nearest supported: 1, 2, 3"),
        ({"tee": "tdx"}, "size: Standard_DC4as_v5 has snp, not tdx; nearest .*: Standard_DC4es_v6 in westeurope"),
    ],
)
def test_what_it_cannot_honour_is_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        record(lambda: ConfidentialVmGroup("batch", group_args(**change)))
