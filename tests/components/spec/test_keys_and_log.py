"""A region with neither verifier nor machines, and the dedicated hosts that some regions ask for."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from components.spec import RegionSpec, SpecError, json_schema
from tests.components.spec.test_clouds import problems, stack_of

NEAREST = "nearest valid: none of verifier, machines and clusters: a region of keys and log"
HOST = "h-0123456789abcdef0"


def keys_and_log(cloud: str = "aws") -> dict[str, Any]:
    """A stack file's content without verifier and machines."""
    return {key: value for key, value in stack_of(cloud).items() if key not in ("verifier", "machines")}


def on_dedicated_hosts(**machine: Any) -> dict[str, Any]:
    """A stack in Frankfurt, where AWS has SEV-SNP on dedicated hosts only."""
    stack = stack_of("aws") | {"jurisdiction": "DE", "location": "eu-central-1", "hostIds": {"eu-central-1a": HOST}}
    stack["verifier"]["tenancy"] = "dedicated-host"
    stack["machines"][0] |= {"tenancy": "dedicated-host"} | machine
    return stack


@pytest.mark.parametrize("empty", [{}, {"verifier": {}}, {"verifier": {}, "machines": []}])
def test_it_says_what_it_lacks(empty: dict[str, Any], reference_values: Path) -> None:
    spec = RegionSpec.from_mapping(keys_and_log() | empty, reference_values=reference_values)
    assert spec.verifier is None
    assert spec.lacks[0] == "confidential machines: the stack file asks for none"
    assert [lack.partition(":")[0] for lack in spec.lacks] == ["confidential machines", "attestation", "key release"]


def test_it_says_that_the_catalogue_knows_no_machine(reference_values: Path) -> None:
    stack = keys_and_log() | {"cloud": "aws-eusc", "location": "eusc-de-east-1", "jurisdiction": "DE"}
    spec = RegionSpec.from_mapping(stack, reference_values=reference_values)
    assert spec.lacks[0] == "confidential machines: the catalogue knows none in eusc-de-east-1"


def test_a_region_with_a_verifier_lacks_nothing(reference_values: Path) -> None:
    assert RegionSpec.from_mapping(stack_of("aws"), reference_values=reference_values).lacks == ()


@pytest.mark.parametrize(
    ("left_out", "line"),
    [
        ("verifier", f"bailiwick:verifier: is missing, and the machines prove themselves to it; {NEAREST}"),
        ("machines", f"bailiwick:machines: is missing, and the verifier is there to attest them; {NEAREST}"),
    ],
)
def test_verifier_and_machines_come_together(left_out: str, line: str, reference_values: Path) -> None:
    stack = {key: value for key, value in stack_of("gcp").items() if key != left_out}
    assert problems(stack, reference_values) == [line]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": {f"bailiwick:{key}": value for key, value in stack.items()}}, json_schema())


@pytest.mark.parametrize("cloud", ["azure", "kubernetes"])
def test_a_cloud_that_builds_no_such_region_says_so(cloud: str, reference_values: Path) -> None:
    assert problems(keys_and_log(cloud), reference_values) == [
        f"bailiwick:machines: is missing, and {cloud} has no region of keys and log alone"
    ]


def test_machines_where_the_catalogue_knows_none(reference_values: Path) -> None:
    stack = stack_of("aws") | {"cloud": "aws-eusc", "location": "eusc-de-east-1", "jurisdiction": "DE"}
    assert f"bailiwick:machines: the catalogue knows no confidential machine in eusc-de-east-1; {NEAREST}" in (
        problems(stack, reference_values)
    )


def test_machines_on_dedicated_hosts(reference_values: Path) -> None:
    spec = RegionSpec.from_mapping(on_dedicated_hosts(), reference_values=reference_values)
    assert (spec.host_ids, spec.machines[0].tenancy) == ({"eu-central-1a": HOST}, "dedicated-host")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"tenancy": "shared"},
            (
                "bailiwick:machines[0].tenancy: 'm6a.xlarge' has AMD SEV-SNP on dedicated hosts only in eu-central-1; "
                "nearest valid: dedicated-host"
            ),
        ),
        ({"count": 2}, "bailiwick:machines[0].count: a group is not built on dedicated hosts; nearest valid: 1"),
        (
            {"zone": "eu-central-1b"},
            "bailiwick:machines[0].zone: hostIds names no host in 'eu-central-1b'; nearest valid: eu-central-1a",
        ),
    ],
)
def test_a_machine_that_no_host_can_take(change: dict[str, Any], line: str, reference_values: Path) -> None:
    assert problems(on_dedicated_hosts(**change), reference_values) == [line]


@pytest.mark.parametrize(
    ("hosts", "line"),
    [
        ({}, "bailiwick:hostIds: is missing, and a machine asks for a dedicated host; right is {zone: host id}"),
        (
            {"eu-west-1a": HOST, "eu-central-1a": HOST},
            "bailiwick:hostIds.eu-west-1a: is not a zone: eu-central-1 has eu-central-1a, eu-central-1b, eu-central-1c",
        ),
        (
            {"eu-central-1a": "host"},
            (
                "bailiwick:hostIds.eu-central-1a: 'host' has the wrong form; "
                f"right is for example {{'eu-central-1a': '{HOST}'}}"
            ),
        ),
    ],
)
def test_hosts_that_are_none(hosts: dict[str, str], line: str, reference_values: Path) -> None:
    assert problems(on_dedicated_hosts() | {"hostIds": hosts}, reference_values) == [line]


def test_shared_hosts_where_a_machine_asks_for_its_own(reference_values: Path) -> None:
    stack = stack_of("azure")
    stack["machines"][0]["tenancy"] = "dedicated-host"
    with pytest.raises(SpecError, match="on shared hosts only in germanywestcentral; nearest valid: shared"):
        RegionSpec.from_mapping(stack, reference_values=reference_values)
    assert problems(stack_of("azure") | {"hostIds": {"1": HOST}}, reference_values) == [
        "bailiwick:hostIds: is a key of aws, and the cloud is azure"
    ]
