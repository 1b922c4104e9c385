"""Every problem of a stack file is named at once, each with its place and what would be right."""

import copy
from pathlib import Path
from typing import Any

import pytest

from components.spec import EMULATED_ACCOUNT, MachineSpec, RegionSpec, SpecError

REAL_ACCOUNT = "11111111-2222-3333-4444-555555555555"


def changed(mapping: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """`mapping` with the value at a dotted path replaced; `...` removes it."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = mapping
    for part in parents:
        target = target[part]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return mapping


def refused(mapping: object, reference_values: Path) -> list[str]:
    with pytest.raises(SpecError) as raised:
        RegionSpec.from_mapping(mapping, reference_values=reference_values)
    lines = str(raised.value).splitlines()
    assert len(lines) == len(raised.value.problems)
    return lines


def test_the_stack_file_of_the_repository_is_valid(stack_file: Path) -> None:
    spec = RegionSpec.from_stack_file(stack_file)
    assert (spec.cloud, spec.jurisdiction, spec.location) == ("azure", "DE", "germanywestcentral")
    assert spec.emulated
    assert spec.account == EMULATED_ACCOUNT["azure"]
    assert spec.keys.rotation_days == 90
    assert spec.verifier.trust_anchors == ("amd", "sandbox")
    assert [machine.name for machine in spec.machines] == ["inference"]
    assert isinstance(spec.machines[0], MachineSpec)
    assert spec.machines[0].image.version == "1.0.0"


def test_what_is_left_out_has_the_safe_default(stack: dict[str, Any], reference_values: Path) -> None:
    for key in ("emulated", "keys", "audit"):
        del stack[key]
    del stack["verifier"]["trustAnchors"]
    stack |= {"subscriptionId": REAL_ACCOUNT, "tenantId": REAL_ACCOUNT}
    spec = RegionSpec.from_mapping(stack, reference_values=reference_values)
    assert not spec.emulated
    assert spec.verifier.trust_anchors == ("amd",)
    assert (spec.keys.service, spec.keys.soft_delete_days) == ("key-vault-premium", 90)
    assert spec.audit.retention_days == 365


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("cloud", "azur", "bailiwick:cloud: 'azur' is not a cloud of the catalogue; nearest valid: azure"),
        (
            "location",
            "germanywest",
            "bailiwick:location: 'germanywest' is not a region of azure; nearest valid: germanywestcentral",
        ),
        (
            "location",
            "eastus",
            "bailiwick:location: 'eastus' is in US, outside the jurisdiction DE; nearest valid: germanywestcentral",
        ),
        (
            "jurisdiction",
            "EUU",
            "bailiwick:jurisdiction: 'EUU' is not a jurisdiction of the catalogue; nearest valid: EU",
        ),
        (
            "jurisdiction",
            "FR",
            (
                "bailiwick:location: 'germanywestcentral' is in DE, outside the jurisdiction FR; "
                "nearest valid: francecentral"
            ),
        ),
        ("jurisdiction", False, "bailiwick:jurisdiction: must be text, not false: put it in quotes"),
        (
            "machines.0.size",
            "Standard_DC4as_v4",
            (
                "bailiwick:machines[0].size: 'Standard_DC4as_v4' is not a machine size of the catalogue; "
                "nearest valid: Standard_DC4as_v6"
            ),
        ),
        (
            "machines.0.size",
            "Standard_D8s_v5",
            "bailiwick:machines[0].size: 'Standard_D8s_v5' has no AMD SEV-SNP; nearest valid: Standard_DC8as_v5",
        ),
        (
            "machines.0.size",
            "Standard_DC2es_v6",
            "bailiwick:machines[0].size: 'Standard_DC2es_v6' has no AMD SEV-SNP; nearest valid: Standard_DC2as_v5",
        ),
        (
            "verifier.size",
            "Standard_NCC40ads_H100_v5",
            (
                "bailiwick:verifier.size: 'Standard_NCC40ads_H100_v5' is not offered in germanywestcentral; "
                "nearest valid: Standard_EC32ads_v5"
            ),
        ),
        (
            "machines.0.zone",
            "4",
            "bailiwick:machines[0].zone: '4' is not a zone: germanywestcentral has the zones 1, 2, 3",
        ),
        ("machines.0.zone", 1, "bailiwick:machines[0].zone: must be text, not '1': put it in quotes"),
        (
            "machines.0.tee",
            "sev-snp",
            "bailiwick:machines[0].tee: 'sev-snp' is not one of snp, tdx; nearest valid: snp",
        ),
        (
            "machines.0.name",
            "Inference",
            "bailiwick:machines[0].name: 'Inference' has the wrong form; right is for example inference",
        ),
        ("machines.0.name", "verifier", "bailiwick:machines[0].name: 'verifier' is reserved"),
        (
            "machines.0.image.version",
            "1.0.1",
            (
                "bailiwick:machines[0].image: 'inference-guest-1.0.1' has no signed reference values in "
                "stacks/reference-values; nearest valid: inference-guest-1.0.0"
            ),
        ),
        (
            "machines.0.image.version",
            1.0,
            "bailiwick:machines[0].image.version: must be text, not '1.0': put it in quotes",
        ),
        (
            "machines",
            [],
            (
                "bailiwick:machines: is missing, and the verifier is there to attest them; "
                "nearest valid: none of verifier, machines and clusters: a region of keys and log"
            ),
        ),
        ("machines", {}, "bailiwick:machines: must be a list, not a mapping"),
        ("machines.0", "inference", "bailiwick:machines[0]: must be a mapping, not 'inference'"),
        (
            "dataClass",
            "confidental",
            (
                "bailiwick:dataClass: 'confidental' is not one of public, internal, confidential, secret; "
                "nearest valid: confidential"
            ),
        ),
        ("network", ..., "bailiwick:network: is missing (Private network)"),
        (
            "network.addressSpace",
            "10.20.0.0/33",
            "bailiwick:network.addressSpace: '10.20.0.0/33' is not an IPv4 range; right is for example 10.20.0.0/16",
        ),
        (
            "network.addressSpace",
            "20.20.0.0/16",
            (
                "bailiwick:network.addressSpace: '20.20.0.0/16' is not inside 10.0.0.0/8, 172.16.0.0/12 or "
                "192.168.0.0/16 (RFC 1918)"
            ),
        ),
        (
            "network.addressSpace",
            "10.20.0.0/26",
            "bailiwick:network.addressSpace: '10.20.0.0/26' must be between /16 and /22; nearest valid: 10.20.0.0/22",
        ),
        (
            "network.addressSpace",
            "10.20.1.0/16",
            (
                "bailiwick:network.addressSpace: '10.20.1.0/16' does not start at the first address of its range; "
                "nearest valid: 10.20.0.0/16"
            ),
        ),
        (
            "keys.service",
            "managedhsm",
            "bailiwick:keys.service: 'managedhsm' is not a key service of azure; nearest valid: managed-hsm",
        ),
        (
            "keys.service",
            "cloud-hsm",
            "bailiwick:keys.service: 'cloud-hsm' gives no keys to attested guests; nearest valid: key-vault-premium",
        ),
        (
            "keys.rotationDays",
            "soon",
            "bailiwick:keys.rotationDays: must be a whole number, not 'soon'",
        ),
        (
            "keys.softDeleteDays",
            91,
            "bailiwick:keys.softDeleteDays: 91 must be from 30 to 90 on azure; nearest valid: 90",
        ),
        (
            "registries",
            [{"name": "https://registry.example.org", "jurisdiction": "DE"}],
            (
                "bailiwick:registries[0].name: 'https://registry.example.org' has the wrong form; "
                "right is for example registry.example.org/platform"
            ),
        ),
        (
            "registries",
            [{"name": "registry.example.org", "jurisdiction": "Germany"}],
            "bailiwick:registries[0].jurisdiction: 'Germany' is not a jurisdiction of the catalogue",
        ),
        (
            "registries",
            [{"name": "registry.example.org", "jurisdiction": "US"}],
            (
                "bailiwick:registries[0].jurisdiction: 'US' is outside the jurisdiction DE, and images come from "
                "there; nearest valid: DE"
            ),
        ),
        ("emulated", "maybe", "bailiwick:emulated: must be true or false, not 'maybe'"),
        (
            "tenantId",
            REAL_ACCOUNT,
            (
                "bailiwick:tenantId: names a real account, and the region is emulated; "
                "nearest valid: 00000000-0000-0000-0000-000000000000"
            ),
        ),
        (
            "subscriptionId",
            "my-subscription",
            (
                "bailiwick:subscriptionId: 'my-subscription' has the wrong form; "
                "right is for example 00000000-0000-0000-0000-000000000000"
            ),
        ),
    ],
)
def test_one_mistake_gives_one_line_that_says_what_is_right(
    path: str, value: object, line: str, stack: dict[str, Any], reference_values: Path
) -> None:
    assert refused(changed(stack, path, value), reference_values) == [line]


def test_retention_below_six_months_is_refused_with_the_reason(stack: dict[str, Any], reference_values: Path) -> None:
    (line,) = refused(changed(stack, "audit.retentionDays", 182), reference_values)
    assert line.startswith("bailiwick:audit.retentionDays: 182 must be at least 183")
    assert "EU AI Act" in line
    assert line.endswith("nearest valid: 183")


def test_a_real_region_takes_no_emulated_account_and_no_sandbox_anchor(
    stack: dict[str, Any], reference_values: Path
) -> None:
    lines = refused(changed(stack, "emulated", False), reference_values)
    assert [line.split(" ")[0] for line in lines] == [
        "bailiwick:subscriptionId:",
        "bailiwick:tenantId:",
        "bailiwick:verifier.trustAnchors[1]:",
    ]
    assert lines[2].endswith("nearest valid: amd")


@pytest.mark.parametrize(
    ("path", "nearest"),
    [("locatoin", "location"), ("keys.rotationdays", "rotationDays"), ("machines.0.imgae", "image")],
)
def test_an_unknown_key_names_the_nearest(
    path: str, nearest: str, stack: dict[str, Any], reference_values: Path
) -> None:
    (line,) = refused(changed(stack, path, "x"), reference_values)
    assert line.endswith(f"is not a key of the specification; nearest valid: {nearest}")


def test_two_machines_of_one_name(stack: dict[str, Any], reference_values: Path) -> None:
    stack["machines"].append(copy.deepcopy(stack["machines"][0]))
    assert refused(stack, reference_values) == [
        "bailiwick:machines[0].name: 'inference' is the name of another machine as well",
        "bailiwick:machines[1].name: 'inference' is the name of another machine as well",
    ]


def test_a_zone_in_a_region_without_zones(stack: dict[str, Any], reference_values: Path) -> None:
    stack["location"] = "germanynorth"
    stack["machines"][0]["size"] = "Standard_DC4as_v6"
    stack["verifier"]["size"] = "Standard_DC2as_v6"
    assert refused(stack, reference_values) == [
        "bailiwick:machines[0].zone: '1' is not a zone: germanynorth has no zones"
    ]


def test_every_problem_is_reported_at_once(stack: dict[str, Any], reference_values: Path) -> None:
    del stack["owner"]
    stack["location"] = "eastus"
    stack["audit"]["retentionDays"] = 30
    stack["machines"][0]["size"] = "Standard_D4s_v5"
    stack["machines"].append({"name": "second"})
    paths = [line.split(" ")[0] for line in refused(stack, reference_values)]
    assert paths == [
        "bailiwick:audit.retentionDays:",
        "bailiwick:location:",
        "bailiwick:machines[0].size:",
        "bailiwick:machines[1].image:",
        "bailiwick:machines[1].model:",
        "bailiwick:machines[1].size:",
        "bailiwick:owner:",
    ]


@pytest.mark.parametrize("mapping", [None, [], "azure", 3])
def test_what_is_not_a_mapping(mapping: object, reference_values: Path) -> None:
    assert refused(mapping, reference_values) == ["bailiwick: must be a mapping of keys to values"]


@pytest.mark.parametrize(
    ("hardware", "line"),
    [
        (["5C" * 64], "bailiwick:verifier.hardware[0]"),
        (["5c" * 63], "bailiwick:verifier.hardware[0]"),
        (["5c" * 16], "names no processor of AMD SEV-SNP, so that no machine with it gets its key"),
    ],
    ids=["capitals", "a byte too few", "another TEE"],
)
def test_a_processor_is_listed_by_the_id_of_its_tee(
    stack: dict[str, Any], reference_values: Path, hardware: list[str], line: str
) -> None:
    assert any(line in problem for problem in refused(changed(stack, "verifier.hardware", hardware), reference_values))


def test_a_list_of_processors_is_kept(stack: dict[str, Any], reference_values: Path) -> None:
    spec = RegionSpec.from_mapping(changed(stack, "verifier.hardware", ["5c" * 64]), reference_values=reference_values)
    assert spec.verifier is not None
    assert spec.verifier.hardware == ("5c" * 64,)
