"""The components as other languages get them: the same resources as in Python, from inputs of their own."""

from dataclasses import replace
from pathlib import Path

import pulumi
import pulumi_gcp as google
import pytest

from components.hosted.offered import hosted_on
from components.hosted.provider import Host
from tests.components.aws import region as aws
from tests.components.gcp import region as gcp
from tests.components.hosted.clouds import BENCHES, Bench, as_delivered, below, construct, essence, spelled_out
from tests.components.hosted.test_inputs import AWS
from tests.components.recorder import Recording

REGION = "bailiwick:index:GcpSovereignRegion"
IDENTITY = "bailiwick:index:AwsWorkloadIdentity"


@pytest.fixture(scope="module", params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Bench:
    return BENCHES[request.param]


@pytest.fixture(scope="module")
def reference_values(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bench.write_reference_values(tmp_path_factory.mktemp(bench.name))


@pytest.fixture(scope="module")
def native(bench: Bench, reference_values: Path) -> Recording:
    return bench.native(reference_values)


def test_a_region_is_the_region_of_the_same_stack_file_with_a_provider_of_its_own(
    bench: Bench, reference_values: Path, native: Recording
) -> None:
    token = f"bailiwick:index:{bench.word}SovereignRegion"
    inputs = {**bench.spec, **bench.operator, "referenceValues": str(reference_values)}
    made = construct(token, bench.name, inputs, bench.record)
    provider, *hosted = made.registrations
    assert (provider.type, provider.name) == (
        f"pulumi:providers:{bench.cloud.provider}",
        f"{bench.name}-{bench.cloud.folder}",
    )
    assert essence(hosted) == essence(native.registrations)
    assert {one.provider for one in hosted[1:] if one.provider} == {provider.name}
    assert bench.outputs(made)["outputs"] == bench.outputs(native)


def test_every_component_makes_what_it_makes_in_python(bench: Bench, native: Recording) -> None:
    offered = hosted_on(bench.cloud)
    compared = {f"bailiwick:index:{bench.word}SovereignRegion"}
    for recording in (native, *bench.rest()):
        for component in recording.registrations:
            if component.type in offered and component.type not in compared:
                hosted = construct(component.type, component.name, spelled_out(component.inputs), bench.record)
                wanted = [replace(component, parent=""), *below(recording, component)]
                assert essence(hosted.registrations) == essence(wanted), component.type
                compared.add(component.type)
    assert compared == offered.keys()


def test_a_region_takes_the_provider_that_its_program_gives_it(tmp_path: Path) -> None:
    gcp.write_reference_values(tmp_path)
    inputs = as_delivered(gcp.GERMANY | {"referenceValues": str(tmp_path)})

    def program() -> None:
        own = google.Provider("own", project=gcp.PROJECT, region="europe-west3")
        Host().construct("region", REGION, inputs, pulumi.ResourceOptions(providers={"gcp": own}))

    made = gcp.record(program).registrations
    assert [one.name for one in made if one.type == "pulumi:providers:gcp"] == ["own"]
    assert {one.provider for one in made if one.provider} == {"own"}


def test_an_output_within_an_object_is_as_good_as_in_python() -> None:
    grant = {"name": "read", "actions": ["s3:GetObject"], "resource": "<bucket.arn>"}
    inputs = AWS | {"role": "inference"}

    def program() -> None:
        late = pulumi.Output.from_input(grant["resource"])
        Host().construct("identity", IDENTITY, inputs | {"grants": [grant | {"resource": late}]})

    plain = construct(IDENTITY, "identity", inputs | {"grants": [grant]}, aws.record)
    assert essence(aws.record(program).registrations) == essence(plain.registrations)


def test_what_a_component_gives_has_its_names_in_other_languages() -> None:
    inputs = AWS | {"addressSpace": "10.40.0.0/16", "domain": "region.example.internal"}
    made = construct("bailiwick:index:AwsSovereignNetwork", "network", inputs, aws.record)
    given = BENCHES["aws"].outputs(made)
    assert given["subnetIds"]["workload"]["eu-west-1a"] == "<network-workload-eu-west-1a.id>"
    assert given["prefixes"]["workload"] == "10.40.0.0/24"
