"""What becomes of objects in the emulated Google Cloud: hardware, names, changes, private DNS."""

import pytest

from sandbox.provider import Created, ProviderError
from tests.sandbox.clouds.project import (
    KEY,
    NETWORK,
    PROJECT,
    REGION,
    RING,
    SUBNET,
    ZONE,
    Bench,
    changed,
    key,
    machine,
    region_parts,
    spot_h100,
    subnet,
    template,
    urn,
)
from tests.sandbox.clouds.project_parts import machine_parts, network_parts

HOST = "verifier.test.internal"
MACHINE = f"projects/{PROJECT}/zones/{ZONE}/instances/inference"


def balanced(bench: Bench) -> dict[str, Created]:
    """A region whose `verifier` leads to one instance and to a managed group of three."""
    parts = [*region_parts(), *network_parts(), *machine_parts()]
    return {name: bench.create(kind, name, inputs) for kind, name, inputs in parts}


def test_an_instance_boots_with_what_its_guest_is_told(google: Bench) -> None:
    google.region()
    google.create("compute:Instance", "vm", machine())
    (booted,) = google.hardware.booted
    assert booted.id == MACHINE
    assert (booted.location, booted.zone, booted.size, booted.tee) == (REGION, ZONE, "n2d-standard-4", "snp")
    assert booted.custom_data == b'{"version":1}'
    assert booted.image_reference.endswith("/images/inference-guest/versions/1.0.0")
    assert (booted.private_ip, booted.network_id) == ("10.20.1.2", NETWORK)
    assert booted.secure_boot
    assert booted.vtpm


@pytest.mark.parametrize(
    ("configuration", "tee"),
    [
        ({"confidentialInstanceType": "SEV_SNP"}, "snp"),
        ({"enableConfidentialCompute": True}, "sev"),
        (None, None),
    ],
)
def test_the_switch_without_a_type_means_plain_sev(
    google: Bench, configuration: dict[str, object] | None, tee: str | None
) -> None:
    """Google accepts it where SEV-SNP was wanted; the guest then has no evidence to show."""
    google.region()
    google.create("compute:Instance", "vm", machine(confidentialInstanceConfig=configuration))
    assert google.hardware.booted[0].tee == tee


def test_a_tdx_machine_is_handed_to_the_hardware_as_one(google: Bench) -> None:
    google.region()
    google.create("compute:Subnetwork", "gpu", subnet("gpu", "10.20.9.0/24", region="europe-west4"))
    google.create("compute:Instance", "vm", spot_h100())
    assert (google.hardware.booted[0].tee, google.hardware.booted[0].gpu) == ("tdx", "h100")


def test_a_label_does_not_reboot_a_machine_and_another_size_does(google: Bench) -> None:
    google.region()
    inputs = machine(allowStoppingForUpdate=True)
    google.create("compute:Instance", "vm", inputs)
    relabelled = changed(inputs, {"labels": {"owner": "other"}})
    outputs = google.cloud.update(urn("compute:Instance", "vm"), MACHINE, inputs, relabelled, preview=False)
    assert outputs["effectiveLabels"]["owner"] == "other"
    assert len(google.hardware.booted) == 1
    larger = changed(relabelled, {"machineType": "n2d-standard-8"})
    google.cloud.update(urn("compute:Instance", "vm"), MACHINE, relabelled, larger, preview=False)
    assert google.hardware.stopped == [MACHINE]
    assert google.hardware.booted[1].size == "n2d-standard-8"
    assert google.hardware.booted[1].private_ip == google.hardware.booted[0].private_ip


def test_a_private_name_leads_through_the_balancer_to_every_member(google: Bench) -> None:
    made = balanced(google)
    found = google.cloud.resolve(HOST, NETWORK)
    assert found == google.cloud.resolve(f"{HOST}.", NETWORK)
    assert set(found) == {item.id for item in google.hardware.booted}
    assert len(found) == 4
    assert google.cloud.resolve(HOST, f"{NETWORK}-other") == []
    assert google.cloud.resolve(f"other.{HOST}", NETWORK) == []
    google.cloud.delete(urn("dns:RecordSet", "record"), made["record"].id, {})
    assert google.cloud.resolve(HOST, NETWORK) == []


def test_a_managed_group_keeps_its_number_of_machines(google: Bench) -> None:
    made = balanced(google)
    inputs = dict(machine_parts()[4][2])
    group, kind = made["group"], urn("compute:RegionInstanceGroupManager", "group")
    first = [item for item in google.hardware.booted if item.id != MACHINE]
    assert len({(item.zone, item.private_ip) for item in first}) == 3
    google.cloud.update(kind, group.id, inputs, inputs | {"targetSize": 1}, preview=False)
    assert sorted(google.hardware.stopped) == sorted(item.id for item in first[1:])
    google.cloud.delete(urn("compute:ForwardingRule", "balancer"), made["balancer"].id, {})
    google.cloud.delete(urn("compute:RegionBackendService", "backend"), made["backend"].id, {})
    google.cloud.delete(kind, group.id, {})
    assert {item.id for item in first} <= set(google.hardware.stopped)


def test_another_template_replaces_the_machines_of_a_proactive_group(google: Bench) -> None:
    made = balanced(google)
    next_template = template(name="next", region=REGION, metadata={"user-data": "next"})
    created = google.create("compute:RegionInstanceTemplate", "next", next_template)
    inputs = dict(machine_parts()[4][2])
    news = inputs | {"versions": [{"instanceTemplate": created.outputs["selfLink"]}]}
    kind = urn("compute:RegionInstanceGroupManager", "group")
    google.cloud.update(kind, made["group"].id, inputs, news, preview=False)
    assert [item.custom_data for item in google.hardware.booted[-3:]] == [b"next"] * 3


def test_only_a_key_in_the_hsm_is_made_by_the_hardware(google: Bench) -> None:
    google.region()
    google.create("kms:CryptoKey", "soft", key("soft", versionTemplate__protectionLevel="SOFTWARE"))
    assert google.hardware.keys == [(RING, "os-disk")]


def test_a_destroyed_key_keeps_its_name_and_loses_its_versions_when_its_time_is_over(
    google: Bench, clock: list[float]
) -> None:
    google.region()
    google.cloud.delete(urn("kms:CryptoKey", "os-disk"), KEY, {})
    left = google.cloud.read(urn("kms:CryptoKey", "os-disk"), KEY, {})
    assert left is not None
    assert left.outputs["primaries"][0]["state"] == "DESTROY_SCHEDULED"
    google.cloud.configure({})
    assert google.hardware.destroyed == []
    clock[0] += 31 * 86_400
    google.cloud.configure({})
    assert google.hardware.destroyed == [(RING.lower(), "os-disk")]
    with pytest.raises(ProviderError, match="already exists"):
        google.create("kms:CryptoKey", "again", key("os-disk"))


def test_a_pools_name_is_free_again_after_thirty_days(google: Bench, clock: list[float]) -> None:
    inputs = {"workloadIdentityPoolId": "guests"}
    google.delete("iam:WorkloadIdentityPool", google.create("iam:WorkloadIdentityPool", "one", inputs))
    clock[0] += 31 * 86_400
    google.cloud.configure({})
    google.create("iam:WorkloadIdentityPool", "two", inputs)


def test_what_is_prevented_stays_and_what_is_abandoned_is_left_alone(google: Bench) -> None:
    kept = google.create("compute:Network", "kept", {"name": "kept", "deletionPolicy": "PREVENT"})
    with pytest.raises(ProviderError, match="without setting deletion_policy to DELETE"):
        google.delete("compute:Network", kept)
    left = google.create("compute:Network", "left", {"name": "left", "deletionPolicy": "ABANDON"})
    google.delete("compute:Network", left)
    assert google.cloud.read(urn("compute:Network", "left"), left.id, {}) is not None


@pytest.mark.parametrize(
    ("changes", "replaces"),
    [
        ({"labels": {"owner": "other"}}, ()),
        ({"machineType": "n2d-standard-8"}, ()),
        ({"confidentialInstanceConfig__confidentialInstanceType": "TDX"},
         ("confidentialInstanceConfig.confidentialInstanceType",)),
        ({"bootDisk__initializeParams__image": "other"}, ("bootDisk.initializeParams.image",)),
        ({"zone": "europe-west3-b"}, ("zone",)),
    ],
)  # fmt: skip
def test_what_makes_another_machine(google: Bench, changes: dict[str, object], replaces: tuple[str, ...]) -> None:
    diff = google.cloud.diff(urn("compute:Instance", "vm"), MACHINE, machine(), {}, machine(**changes))
    assert diff.replaces == replaces
    assert diff.delete_before_replace is bool(replaces)


def test_a_self_link_and_its_path_are_the_same(google: Bench) -> None:
    linked = subnet("s", "10.20.2.0/24") | {"network": f"https://www.googleapis.com/compute/v1/{NETWORK}"}
    diff = google.cloud.diff(urn("compute:Subnetwork", "s"), SUBNET, subnet("s", "10.20.2.0/24"), {}, linked)
    assert diff.changed == ()


def test_what_has_no_name_gets_one_that_stays(google: Bench) -> None:
    first = google.cloud.check(urn("compute:Network", "net"), {}, {}).inputs
    assert first["name"].startswith("net-")
    again = google.cloud.check(urn("compute:Network", "net"), first, {}).inputs
    assert again["name"] == first["name"]


def test_region_and_zone_come_from_the_provider_where_they_are_left_out(google: Bench) -> None:
    google.region()
    google.cloud.configure({"project": PROJECT, "region": REGION, "zone": ZONE})
    assert google.create("compute:Instance", "vm", machine(zone=None)).id == MACHINE


def test_invokes_know_the_project(google: Bench) -> None:
    answer = google.cloud.invoke("gcp:organizations/getProject:getProject", {})
    assert (answer["projectId"], answer["number"]) == (PROJECT, "100000000001")
