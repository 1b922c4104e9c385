"""The components as other languages get them: what the host hands over, and what is registered then."""

import json
from typing import Any

import pulumi
import pytest
from pulumi.provider.experimental.component import ComponentProvider

from components.errors import InputError
from components.hosted import COMPONENTS, PACKAGE, VERSION, schema_text
from components.hosted.package import SCHEMA_FILE
from tests.components.azure.recorder import STACK, Recording, record
from tests.components.azure.region import ZERO

PLACED = {
    "stack": STACK,
    "subscriptionId": ZERO,
    "tenantId": ZERO,
    "location": "germanywestcentral",
    "jurisdiction": "DE",
    "dataClass": "confidential",
    "owner": "platform@example.org",
    "resourceGroupName": "group",
}
MACHINE = PLACED | {
    "role": "inference",
    "size": "Standard_DC4as_v5",
    "tee": "snp",
    "imageName": "inference-guest",
    "imageVersion": "1.0.0",
    "guestConfiguration": '{"role": "workload"}',
    "subnetId": "subnet",
    "diskEncryptionSetId": "disks",
    "identityId": "identity",
}
ZONES = {"privatelink.blob.core.windows.net": "zone"}


def construct(component: str, inputs: dict[str, Any]) -> Recording:
    """What the host registers for a component: it maps the inputs, then calls the class with a dict."""
    host = ComponentProvider(COMPONENTS, PACKAGE, version=VERSION)
    facade = next(one for one in COMPONENTS if one.__name__ == component)
    mapped = host.map_inputs(inputs, host._component_defs[component])
    return record(lambda: facade("hosted", mapped))  # type: ignore[arg-type]


def test_the_published_schema_is_what_the_host_infers() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: python -m components.hosted.package"


def test_every_component_keeps_its_own_token() -> None:
    resources = json.loads(schema_text())["resources"]
    assert set(resources) == {f"bailiwick:index:{one.__name__}" for one in COMPONENTS}
    for component, inputs in (
        ("AzureConfidentialVm", MACHINE),
        ("AzureModelStore", PLACED | {"subnetId": "subnet", "zoneIds": ZONES}),
    ):
        assert construct(component, inputs)["hosted"].type == f"bailiwick:index:{component}"


def test_no_input_is_of_a_kind_that_the_host_loses() -> None:
    """Numbers, lists of types, and nested types that may be Outputs arrive broken (see components.hosted.inputs)."""
    schema = json.loads(schema_text())
    for name, resource in schema["resources"].items():
        for key, value in resource["inputProperties"].items():
            where = f"{name}.{key}"
            if "$ref" in value or value["type"] in ("integer", "number", "array"):
                assert value.get("plain") is True, where
            assert "$ref" not in value.get("items", {}), where


def test_a_machine_from_another_language_is_the_machine() -> None:
    inputs = construct("AzureConfidentialVm", MACHINE)["hosted-vm"].inputs
    assert inputs["securityProfile"]["securityType"] == "ConfidentialVM"
    assert inputs["hardwareProfile"] == {"vmSize": "Standard_DC4as_v5"}
    assert inputs["resourceGroupName"] == "group"


def test_what_exists_is_taken_over_from_another_language_too() -> None:
    existing = {"importIds": '{"vm": "/subscriptions/0/vm"}'}
    options = construct("AzureConfidentialVm", MACHINE | existing)["hosted-vm"].options
    assert (options["import"], options["protect"]) == ("/subscriptions/0/vm", True)


def test_a_number_that_arrives_as_a_float_is_whole_again() -> None:
    inputs = PLACED | {"retentionDays": 365.0, "subnetId": "subnet", "zoneIds": ZONES}
    policy = construct("AzureAuditLog", inputs)["hosted-store"].inputs["immutableStorageWithVersioning"]
    assert policy["immutabilityPolicy"]["immutabilityPeriodSinceCreationInDays"] == 365


def test_zones_that_arrive_as_an_output_are_looked_up_when_they_are_known() -> None:
    host = ComponentProvider(COMPONENTS, PACKAGE, version=VERSION)
    facade = next(one for one in COMPONENTS if one.__name__ == "AzureModelStore")

    def program() -> None:
        given = PLACED | {"subnetId": "subnet", "zoneIds": pulumi.Output.from_input(ZONES)}
        facade("hosted", host.map_inputs(given, host._component_defs["AzureModelStore"]))  # type: ignore[arg-type]

    (zone,) = record(program)["hosted-store-endpoint-dns"].inputs["privateDnsZoneConfigs"]
    assert zone["privateDnsZoneId"] == "zone"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"guestConfiguration": "role: workload"}, "guest_configuration: is not a JSON object"),
        ({"importIds": '{"vm": 1}'}, "import_ids: has an id that is no text"),
        ({"importIds": '{"machine": "id"}'}, "machine"),
        ({"tee": "tdx"}, "size: Standard_DC4as_v5 has snp, not tdx"),
        ({"gpu": "h100"}, "gpu: germanywestcentral has no confidential H100"),
    ],
)
def test_what_it_cannot_honour_is_refused_as_in_python(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        construct("AzureConfidentialVm", MACHINE | changes)


def test_an_input_that_must_be_known_refuses_an_output() -> None:
    def program() -> None:
        host = ComponentProvider(COMPONENTS, PACKAGE, version=VERSION)
        facade = next(one for one in COMPONENTS if one.__name__ == "AzureConfidentialVm")
        late = MACHINE | {"location": pulumi.Output.from_input("germanywestcentral")}
        facade("hosted", host.map_inputs(late, host._component_defs["AzureConfidentialVm"]))  # type: ignore[arg-type]

    with pytest.raises(InputError, match="location: is an output, known only after deployment"):
        record(program)
