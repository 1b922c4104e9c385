"""Every emulated type: it can be made, and what it answers is what the SDK expects."""

import pytest

from sandbox.clouds import schema
from sandbox.values import UNKNOWN, Value
from tests.sandbox.clouds.examples import other_parts
from tests.sandbox.clouds.region import Bench, region_parts, urn
from tests.sandbox.clouds.unknowns import agrees, unknown_paths

PARTS = region_parts() + other_parts()


def test_there_is_an_example_of_every_emulated_type(bench: Bench) -> None:
    assert {f"azure-native:{kind}" for kind, _, _ in PARTS} == set(bench.cloud.types)


def test_outputs_have_the_shape_that_the_sdk_reads(bench: Bench) -> None:
    for pulumi_type, name, inputs in PARTS:
        created = bench.create(pulumi_type, name, inputs)
        outputs = schema.resource(f"azure-native:{pulumi_type}").outputs
        wrong = [found for found in schema.judge(created.outputs, outputs) if found.kind != "missing"]
        assert wrong == [], pulumi_type
        assert unknown_paths(created.outputs) == [], pulumi_type


def test_a_preview_foretells_only_what_comes_true(bench: Bench) -> None:
    foretold = {name: bench.create(kind, name, inputs, preview=True) for kind, name, inputs in PARTS}
    for pulumi_type, name, inputs in PARTS:
        created = bench.create(pulumi_type, name, inputs)
        assert foretold[name].id == created.id
        assert agrees(foretold[name].outputs, created.outputs), pulumi_type


def test_a_preview_of_unknown_names_knows_no_id(bench: Bench) -> None:
    foretold = bench.create("network:VirtualNetwork", "v", {"resourceGroupName": UNKNOWN}, preview=True)
    assert foretold.id == ""
    assert foretold.outputs["etag"] is UNKNOWN


def test_everything_goes_in_the_reverse_order(bench: Bench) -> None:
    made = [(kind, name, bench.create(kind, name, inputs)) for kind, name, inputs in PARTS]
    for pulumi_type, name, created in reversed(made):
        bench.cloud.delete(urn(pulumi_type, name), created.id, created.outputs)
        assert bench.cloud.read(urn(pulumi_type, name), created.id, {}) is None


@pytest.mark.parametrize(
    ("part", "path", "expected"),
    [
        ("vault", "properties.vaultUri", "https://kv-test-1.vault.azure.net/"),
        ("os-disk", "keyUri", "https://kv-test-1.vault.azure.net/keys/os-disk"),
        ("audit", "primaryEndpoints.blob", "https://audit1.blob.core.windows.net/"),
        ("provider", "attestUri", "https://att1.dewc.attest.azure.net"),
        ("record", "fqdn", "verifier.test.internal."),
        ("vm", "provisioningState", "Succeeded"),
        ("retention", "state", "Unlocked"),
    ],
)
def test_what_azure_computes(bench: Bench, part: str, path: str, expected: str) -> None:
    made = {name: bench.create(kind, name, inputs) for kind, name, inputs in PARTS}
    value: Value = made[part].outputs
    for step in path.split("."):
        value = value[step]
    assert value == expected


def test_a_secret_is_never_given_back(bench: Bench) -> None:
    made = {name: bench.create(kind, name, inputs) for kind, name, inputs in PARTS}
    assert "geheim" not in repr(made["secret"].outputs)


def test_identities_show_their_principals_where_they_are_used(bench: Bench) -> None:
    made = {name: bench.create(kind, name, inputs) for kind, name, inputs in PARTS}
    (shown,) = made["vm"].outputs["identity"]["userAssignedIdentities"].values()
    assert shown == {key: made["guest"].outputs[key] for key in ("principalId", "clientId")}
