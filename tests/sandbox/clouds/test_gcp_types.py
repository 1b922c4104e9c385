"""Every emulated type of Google Cloud: it can be made, and what it answers is what the SDK expects."""

import pytest

from sandbox.clouds import schema
from sandbox.provider import Created
from sandbox.values import UNKNOWN, Value
from tests.sandbox.clouds.project import PROJECT, REGION, SUBNET, ZONE, Bench, machine, region_parts, token, urn
from tests.sandbox.clouds.project_parts import other_parts
from tests.sandbox.clouds.unknowns import agrees, unknown_paths

PARTS = region_parts() + other_parts()
API = "https://www.googleapis.com/compute/v1"


def made(bench: Bench) -> dict[str, Created]:
    return {name: bench.create(kind, name, inputs) for kind, name, inputs in PARTS}


def test_there_is_an_example_of_every_emulated_type(google: Bench) -> None:
    assert {token(kind) for kind, _, _ in PARTS} == set(google.cloud.types)


def test_outputs_have_the_shape_that_the_sdk_reads(google: Bench) -> None:
    for kind, name, inputs in PARTS:
        created = google.create(kind, name, inputs)
        outputs = schema.resource(token(kind)).outputs
        assert [found for found in schema.judge(created.outputs, outputs) if found.kind != "missing"] == [], kind
        assert unknown_paths(created.outputs) == [], kind


def test_a_preview_foretells_only_what_comes_true(google: Bench) -> None:
    foretold = {name: google.create(kind, name, inputs, preview=True) for kind, name, inputs in PARTS}
    for name, created in made(google).items():
        assert foretold[name].id == created.id
        assert agrees(foretold[name].outputs, created.outputs), name


def test_a_preview_of_unknown_names_knows_no_id(google: Bench) -> None:
    foretold = google.create("compute:Network", "n", {"name": UNKNOWN}, preview=True)
    assert foretold.id == ""
    assert foretold.outputs["selfLink"] is UNKNOWN


def test_everything_goes_in_the_reverse_order(google: Bench) -> None:
    parts = [(kind, name, google.create(kind, name, inputs)) for kind, name, inputs in PARTS]
    for kind, name, created in reversed(parts):
        google.cloud.delete(urn(kind, name), created.id, created.outputs)
        survives = kind in ("kms:KeyRing", "kms:CryptoKey", "kms:EkmConnection")
        assert (google.cloud.read(urn(kind, name), created.id, {}) is not None) is survives


@pytest.mark.parametrize(
    ("part", "path", "expected"),
    [
        ("net", "selfLink", f"{API}/projects/{PROJECT}/global/networks/net"),
        ("guests", "gatewayAddress", "10.20.1.1"),
        ("guests", "region", REGION),
        ("vm", "zone", ZONE),
        ("vm", "currentStatus", "RUNNING"),
        ("vm", "networkInterfaces.0.networkIp", "10.20.1.102"),
        ("vm", "effectiveLabels.goog-pulumi-provisioned", "true"),
        ("guest", "email", f"guest-one@{PROJECT}.iam.gserviceaccount.com"),
        ("guest", "member", f"serviceAccount:guest-one@{PROJECT}.iam.gserviceaccount.com"),
        ("os-disk", "primaries.0.state", "ENABLED"),
        ("pool", "name", "projects/100000000001/locations/global/workloadIdentityPools/guests"),
        ("audit", "url", "gs://audit-bucket"),
        ("sink", "writerIdentity", "serviceAccount:service-100000000001@gcp-sa-logging.iam.gserviceaccount.com"),
        ("balancer", "ipAddress", "10.20.1.100"),
        ("members", "size", 1),
        ("health", "type", "HTTP"),
        ("group", "instanceGroup", f"{API}/projects/{PROJECT}/regions/{REGION}/instanceGroups/group"),
    ],
)  # fmt: skip
def test_what_google_computes(google: Bench, part: str, path: str, expected: Value) -> None:
    value: Value = made(google)[part].outputs
    for step in path.split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    assert value == expected


def test_an_external_address_is_given_where_it_is_asked_for(google: Bench) -> None:
    """Google accepts what a policy must find."""
    google.region()
    interface = {"subnetwork": SUBNET, "accessConfigs": [{}]}
    created = google.create("compute:Instance", "vm", machine(networkInterfaces=[interface]))
    assert created.outputs["networkInterfaces"][0]["accessConfigs"][0]["natIp"].startswith("203.0.113.")
