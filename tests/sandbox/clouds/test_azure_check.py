"""What check refuses before the cloud is asked: inputs that do not fit the type's schema, types that are not there."""

import pytest

from sandbox.provider import Properties, ProviderError
from tests.sandbox.clouds.region import Bench, machine, urn

OTHER_GUID = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("changes", "property_path", "reason"),
    [
        ({"securityProfil": {}}, "securityProfil", "InvalidRequestContent: * did you mean 'securityProfile'?"),
        (
            {"securityProfile": {"uefiSettings": {"vTPMEnabled": True}}},
            "securityProfile.uefiSettings.vTPMEnabled",
            "InvalidRequestContent: * 'UefiSettings'* did you mean 'vTpmEnabled'?",
        ),
        (
            {"securityProfile": {"securityType": "Confidential"}},
            "securityProfile.securityType",
            "InvalidParameter: The value 'Confidential'* Did you mean 'ConfidentialVM'?",
        ),
        ({"zones": "1"}, "zones", "InvalidRequestContent: *'string' to type 'array'*"),
        (
            {"storageProfile": {"osDisk": {}}},
            "storageProfile.osDisk.createOption",
            "InvalidParameter: Required parameter 'storageProfile.osDisk.createOption' is missing (null).",
        ),
        ({"resourceGroupName": None}, "resourceGroupName", "InvalidParameter: Required parameter*"),
    ],
)
def test_inputs_that_do_not_fit_the_schema(bench: Bench, changes: Properties, property_path: str, reason: str) -> None:
    checked = bench.cloud.check(urn("compute:VirtualMachine", "vm"), {}, machine() | changes)
    (failure,) = checked.failures
    assert failure.property == property_path
    start, *rest = reason.split("*")
    assert failure.reason.startswith(start)
    assert all(part in failure.reason for part in rest)


def test_every_mismatch_is_reported_at_once_and_no_value_is_repeated(bench: Bench) -> None:
    failures = bench.failures(
        "compute:VirtualMachine", "vm", machine(zones="geheim", osProfile={"adminPassword": ["geheim"]}, vmname="x")
    )
    assert len(failures) == 3
    assert not any("geheim" in line for line in failures)


def test_a_type_that_is_not_emulated_says_how_to_add_it(bench: Bench) -> None:
    (line,) = bench.failures("sql:Server", "db", {})
    assert "sandbox/clouds/azure/sql.py" in line


def test_a_type_that_the_sdk_does_not_have(bench: Bench) -> None:
    (line,) = bench.failures("sql:Severs", "db", {})
    assert "no resource type 'azure-native:sql:Severs'" in line


def test_an_invoke_that_is_not_emulated(bench: Bench) -> None:
    with pytest.raises(ProviderError, match="'azure-native:keyvault:getVault' is not emulated"):
        bench.cloud.invoke("azure-native:keyvault:getVault", {})


def test_a_real_subscription_is_refused(bench: Bench) -> None:
    with pytest.raises(ProviderError, match="SubscriptionNotFound"):
        bench.cloud.configure({"subscriptionId": OTHER_GUID})
