"""The components as other languages get them: the same resources as in Python, from inputs of their own."""

from dataclasses import replace
from pathlib import Path

import pytest

from components.hosted.offered import hosted_on
from tests.components.hosted.clouds import BENCHES, Bench, below, construct, essence, spelled_out
from tests.components.recorder import Recording


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
    provider, *hosted = construct(token, bench.name, inputs, bench.record).registrations
    assert (provider.type, provider.name) == (
        f"pulumi:providers:{bench.cloud.provider}",
        f"{bench.name}-{bench.cloud.folder}",
    )
    assert essence(hosted) == essence(native.registrations)
    assert {one.provider for one in hosted[1:] if one.provider} == {provider.name}


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
