"""The life of objects in the emulated Azure: names, changes, replacement, deletion, recovery, machines."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.clouds.azure import AzureCloud
from sandbox.clouds.hardware import Machine
from sandbox.provider import Created, Diff, ProviderError
from sandbox.values import UNKNOWN, Value
from tests.sandbox.clouds.examples import other_parts
from tests.sandbox.clouds.region import (
    DES,
    GROUP,
    IDENTITY,
    LOCATION,
    NIC,
    SUBSCRIPTION,
    VAULT,
    VNET,
    Bench,
    RecordingHardware,
    in_group,
    interface,
    key,
    machine,
    region_parts,
    urn,
)

DAY = 86_400.0


def diff(bench: Bench, pulumi_type: str, old: dict[str, Value], new: dict[str, Value]) -> Diff:
    return bench.cloud.diff(urn(pulumi_type, "x"), "id", old, {}, new)


class TestNames:
    def test_a_resource_without_a_name_gets_its_own_with_a_suffix_that_stays(self, bench: Bench) -> None:
        inputs = {"location": LOCATION}
        first = bench.cloud.check(urn("resources:ResourceGroup", "group"), {}, inputs).inputs
        assert first["resourceGroupName"].startswith("group")
        assert len(first["resourceGroupName"]) == len("group") + 8
        again = bench.cloud.check(urn("resources:ResourceGroup", "group"), first, inputs).inputs
        assert again == first

    def test_a_replacement_beside_the_old_one_gets_another_name(self, bench: Bench) -> None:
        first = bench.create("resources:ResourceGroup", "group", {"location": LOCATION})
        second = bench.create("resources:ResourceGroup", "group", {"location": "francecentral"})
        assert first.id != second.id

    def test_a_child_takes_the_logical_name(self, bench: Bench) -> None:
        bench.region()
        inputs = {"resourceGroupName": "rg", "virtualNetworkName": "vnet", "addressPrefix": "10.20.7.0/24"}
        assert bench.create("network:Subnet", "logical", inputs).id == f"{VNET}/subnets/logical"

    def test_a_role_assignment_is_named_by_a_guid(self, bench: Bench) -> None:
        checked = bench.cloud.check(urn("authorization:RoleAssignment", "a"), {}, {"scope": GROUP})
        assert len(checked.inputs["roleAssignmentName"]) == 36

    def test_the_location_comes_from_the_group(self, bench: Bench) -> None:
        bench.region()
        created = bench.create("managedidentity:UserAssignedIdentity", "i", {"resourceGroupName": "rg"})
        assert created.outputs["location"] == LOCATION

    def test_the_location_comes_from_the_configuration_first(self, bench: Bench) -> None:
        bench.region()
        bench.cloud.configure({"location": "francecentral"})
        created = bench.create("managedidentity:UserAssignedIdentity", "i", {"resourceGroupName": "rg"})
        assert created.outputs["location"] == "francecentral"

    def test_names_are_compared_without_letter_case(self, bench: Bench) -> None:
        bench.region()
        with pytest.raises(ProviderError, match=r"^Conflict"):
            bench.create("resources:ResourceGroup", "again", {"resourceGroupName": "RG", "location": LOCATION})


class TestChanges:
    def test_an_unchanged_resource(self, bench: Bench) -> None:
        assert diff(bench, "compute:VirtualMachine", machine(), machine()) == Diff()

    def test_the_same_place_spelled_otherwise_is_no_change(self, bench: Bench) -> None:
        new = machine() | {"location": "Germany West Central"}
        assert diff(bench, "compute:VirtualMachine", machine(), new) == Diff()

    @pytest.mark.parametrize(
        ("changes", "changed", "replaces"),
        [
            ({"tags": {"cost.centre": "1"}}, "tags", ()),
            ({"hardwareProfile__vmSize": "Standard_DC8as_v5"}, "hardwareProfile.vmSize", ()),
            ({"zones": ["2"]}, "zones[0]", ("zones[0]",)),
            ({"userData": "e30="}, "userData", ("userData",)),
            ({"vmName": "other"}, "vmName", ("vmName",)),
            ({"location": UNKNOWN}, "location", ("location",)),
            (
                {"securityProfile__securityType": "TrustedLaunch"},
                "securityProfile.securityType",
                ("securityProfile.securityType",),
            ),
            ({"securityProfile": None}, "securityProfile", ("securityProfile",)),
        ],
    )
    def test_what_cannot_change_in_place_replaces(
        self, bench: Bench, changes: dict[str, Value], changed: str, replaces: tuple[str, ...]
    ) -> None:
        found = diff(bench, "compute:VirtualMachine", machine(), machine(**changes))
        assert found == Diff((changed,), replaces, delete_before_replace=bool(replaces))

    def test_a_resource_that_azure_native_named_is_replaced_before_it_is_deleted(self, bench: Bench) -> None:
        old = bench.cloud.check(urn("resources:ResourceGroup", "g"), {}, {"location": LOCATION}).inputs
        found = diff(bench, "resources:ResourceGroup", old, old | {"location": "francecentral"})
        assert not found.delete_before_replace

    def test_an_update_keeps_what_was_made_once(self, bench: Bench) -> None:
        before = bench.region()["nic"]
        new = interface("nic") | {"tags": {"a": "b"}}
        after = bench.cloud.update(urn("network:NetworkInterface", "nic"), NIC, {}, new, preview=False)
        assert after == before.outputs | {"tags": {"a": "b"}}

    def test_an_update_of_what_cannot_change_is_refused(self, bench: Bench) -> None:
        bench.region()
        created = bench.create("compute:VirtualMachine", "vm", machine())
        with pytest.raises(ProviderError, match=r"^PropertyChangeNotAllowed: Changing property 'userData'"):
            bench.cloud.update(
                urn("compute:VirtualMachine", "vm"), created.id, machine(), machine(userData="e30="), preview=False
            )

    def test_a_refused_update_leaves_the_object_as_it_was(self, bench: Bench) -> None:
        made = bench.region()["vnet"]
        shrunk = in_group(virtualNetworkName="vnet", addressSpace={"addressPrefixes": ["10.21.0.0/16"]})
        with pytest.raises(ProviderError, match=r"^InUsePrefixCannotBeDeleted"):
            bench.cloud.update(urn("network:VirtualNetwork", "vnet"), VNET, {}, shrunk, preview=False)
        live = bench.cloud.read(urn("network:VirtualNetwork", "vnet"), VNET, {})
        assert live is not None
        assert live.outputs == made.outputs

    def test_an_update_of_what_is_gone(self, bench: Bench) -> None:
        with pytest.raises(ProviderError, match=r"^ResourceNotFound"):
            bench.cloud.update(urn("network:VirtualNetwork", "vnet"), VNET, {}, {}, preview=False)


class TestState:
    def test_objects_outlive_the_process(self, bench: Bench, open_cloud: Callable[[], AzureCloud]) -> None:
        made = bench.region()["vault"]
        live = open_cloud().read(urn("keyvault:Vault", "vault"), VAULT, {})
        assert live is not None
        assert (live.id, live.outputs) == (made.id, made.outputs)

    def test_an_import_gives_the_inputs_that_a_program_would_state(self, bench: Bench) -> None:
        bench.region()
        live = bench.cloud.read(urn("network:NetworkInterface", "nic"), NIC.upper().replace("/SUBS", "/subs"), {})
        assert live is not None
        assert live.inputs == interface("nic")

    def test_an_id_of_another_type_is_not_found(self, bench: Bench) -> None:
        bench.region()
        assert bench.cloud.read(urn("network:VirtualNetwork", "nic"), NIC, {}) is None

    def test_nobody_else_can_read_them(self, bench: Bench, tmp_path: Path) -> None:
        bench.region()
        assert [path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077] == []

    def test_previews_leave_nothing_behind(self, bench: Bench) -> None:
        made = bench.region(preview=True)
        for pulumi_type, name, _ in region_parts():
            assert bench.cloud.read(urn(pulumi_type, name), made[name].id, {}) is None
        assert bench.hardware.keys == []

    def test_deleting_twice_is_no_error(self, bench: Bench) -> None:
        bench.cloud.delete(urn("keyvault:Vault", "vault"), VAULT, {})

    def test_a_group_goes_with_everything_in_it(self, bench: Bench) -> None:
        bench.region()
        created = bench.create("compute:VirtualMachine", "vm", machine())
        bench.cloud.delete(urn("resources:ResourceGroup", "group"), GROUP, {})
        assert bench.cloud.read(urn("network:VirtualNetwork", "vnet"), VNET, {}) is None
        assert bench.hardware.stopped == [created.id]

    def test_threads_never_get_one_address_twice(self, bench: Bench) -> None:
        bench.region()

        def add(number: int) -> Created:
            return bench.create("network:NetworkInterface", f"n{number}", interface(f"n{number}"))

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(add, range(100)))
        addresses = {each.outputs["ipConfigurations"][0]["privateIPAddress"] for each in made}
        assert len(addresses) == 100
        assert "10.20.1.4" not in addresses

    def test_a_freed_address_is_given_again_when_the_subnet_is_used_up(self, bench: Bench) -> None:
        bench.region()
        subnet = {"resourceGroupName": "rg", "virtualNetworkName": "vnet", "subnetName": "small"}
        bench.create("network:Subnet", "small", subnet | {"addressPrefix": "10.20.2.0/29"})
        place = {"subnet": {"id": f"{VNET}/subnets/small"}}
        made = [bench.create("network:NetworkInterface", name, interface(name, **place)) for name in "abc"]
        with pytest.raises(ProviderError, match=r"^SubnetIsFull"):
            bench.create("network:NetworkInterface", "d", interface("d", **place))
        bench.cloud.delete(urn("network:NetworkInterface", "a"), made[0].id, {})
        again = bench.create("network:NetworkInterface", "e", interface("e", **place))
        assert again.outputs["ipConfigurations"][0]["privateIPAddress"] == "10.20.2.4"


class TestVaults:
    def test_destroy_then_up_recovers_the_vault_and_its_keys(self, bench: Bench) -> None:
        before = bench.region()
        for pulumi_type, name, _ in reversed(region_parts()):
            bench.cloud.delete(urn(pulumi_type, name), before[name].id, {})
        after = bench.region()
        assert after["os-disk"].outputs["keyUriWithVersion"] == before["os-disk"].outputs["keyUriWithVersion"]
        assert bench.hardware.destroyed == []

    def test_a_deleted_vault_holds_its_name_against_another_group(self, bench: Bench) -> None:
        bench.region()
        bench.cloud.delete(urn("keyvault:Vault", "vault"), VAULT, {})
        bench.create("resources:ResourceGroup", "other", {"resourceGroupName": "other", "location": LOCATION})
        inputs = dict(region_parts()[6][2]) | {"resourceGroupName": "other"}
        with pytest.raises(ProviderError, match=r"^VaultAlreadyExists"):
            bench.create("keyvault:Vault", "vault", inputs)

    def test_keys_are_destroyed_when_the_retention_ends_not_before(self, bench: Bench, clock: list[float]) -> None:
        bench.region()
        bench.cloud.delete(urn("compute:DiskEncryptionSet", "des"), DES, {})
        bench.cloud.delete(urn("keyvault:Key", "os-disk"), f"{VAULT}/keys/os-disk", {})
        clock[0] += 89 * DAY
        bench.cloud.purge_expired()
        assert bench.hardware.destroyed == []
        clock[0] += 2 * DAY
        bench.cloud.purge_expired()
        assert bench.hardware.destroyed == [("kv-test-1", "os-disk")]

    def test_a_preview_makes_no_key(self, bench: Bench) -> None:
        bench.region()
        made = len(bench.hardware.keys)
        foretold = bench.create("keyvault:Key", "k", key("k"), preview=True)
        assert foretold.outputs["keyUriWithVersion"] is UNKNOWN
        assert len(bench.hardware.keys) == made


class TestMachines:
    def test_the_hardware_hears_what_boots(self, bench: Bench) -> None:
        bench.region()
        created = bench.create("compute:VirtualMachine", "vm", machine())
        (booted,) = bench.hardware.booted
        assert booted == Machine(
            id=created.id,
            name="inference",
            location=LOCATION,
            zone="1",
            size="Standard_DC4as_v5",
            tee="snp",
            image_reference=machine()["storageProfile"]["imageReference"]["id"],
            custom_data=b'{"version":1}',
            private_ip="10.20.1.4",
            network_id=VNET,
            secure_boot=True,
            vtpm=True,
            paravisor=True,
        )

    def test_a_machine_that_does_not_boot_is_not_there(
        self, bench: Bench, hardware: RecordingHardware, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.region()

        def fail(_machine: Machine) -> None:
            raise ProviderError("OSProvisioningTimedOut: no power")

        monkeypatch.setattr(hardware, "boot", fail)
        with pytest.raises(ProviderError, match="no power"):
            bench.create("compute:VirtualMachine", "vm", machine())
        assert bench.cloud.store.of_kind("Microsoft.Compute/virtualMachines") == []

    def test_a_machine_of_a_killed_run_boots_when_the_next_one_asks(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, open_cloud: Callable[[], AzureCloud]
    ) -> None:
        bench.region()

        def die(_machine: Machine) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as killed:
            killed.setattr(bench.hardware, "boot", die)
            with pytest.raises(KeyboardInterrupt):
                bench.create("compute:VirtualMachine", "vm", machine())
        assert bench.hardware.booted == []
        live = open_cloud().read(urn("compute:VirtualMachine", "vm"), "", machine())
        assert live is not None
        assert [each.id for each in bench.hardware.booted] == [live.id]
        assert open_cloud().read(urn("compute:VirtualMachine", "vm"), live.id, {}) == live
        assert len(bench.hardware.booted) == 1

    def test_deleting_switches_off(self, bench: Bench) -> None:
        bench.region()
        created = bench.create("compute:VirtualMachine", "vm", machine())
        bench.cloud.delete(urn("compute:VirtualMachine", "vm"), created.id, {})
        assert bench.hardware.stopped == [created.id]

    def test_another_tag_is_not_another_boot(self, bench: Bench) -> None:
        bench.region()
        created = bench.create("compute:VirtualMachine", "vm", machine())
        new = machine(tags={"a": "b"})
        bench.cloud.update(urn("compute:VirtualMachine", "vm"), created.id, machine(), new, preview=False)
        assert len(bench.hardware.booted) == 1
        assert bench.hardware.stopped == []

    def test_another_size_is_another_boot(self, bench: Bench) -> None:
        bench.region()
        created = bench.create("compute:VirtualMachine", "vm", machine())
        new = machine(hardwareProfile__vmSize="Standard_DC8as_v5")
        bench.cloud.update(urn("compute:VirtualMachine", "vm"), created.id, machine(), new, preview=False)
        assert [each.size for each in bench.hardware.booted] == ["Standard_DC4as_v5", "Standard_DC8as_v5"]
        assert bench.hardware.stopped == [created.id]


class TestPrivateDns:
    @pytest.fixture
    def machine_id(self, bench: Bench) -> str:
        made = {name: bench.create(kind, name, inputs) for kind, name, inputs in region_parts() + other_parts()}
        return made["vm"].id

    def test_a_name_leads_through_the_load_balancer_to_its_machines(self, bench: Bench, machine_id: str) -> None:
        assert bench.cloud.resolve("verifier.test.internal", VNET) == [machine_id]
        assert bench.cloud.resolve("VERIFIER.TEST.INTERNAL.", VNET.upper()) == [machine_id]

    def test_a_network_without_the_zone_does_not_resolve_it(self, bench: Bench, machine_id: str) -> None:
        assert bench.cloud.resolve("verifier.test.internal", VNET.replace("/vnet", "/hub")) == []

    @pytest.mark.parametrize("host", ["other.test.internal", "verifier.example.org", "test.internal", ""])
    def test_a_name_that_is_not_there(self, bench: Bench, machine_id: str, host: str) -> None:
        assert bench.cloud.resolve(host, VNET) == []

    def test_a_name_may_lead_to_a_machine_without_a_load_balancer(self, bench: Bench, machine_id: str) -> None:
        member = bench.cloud.store.get(f"{GROUP}/providers/Microsoft.Network/networkInterfaces/member")
        assert member is not None
        address = member.outputs["ipConfigurations"][0]["privateIPAddress"]
        record = {
            "resourceGroupName": "rg",
            "privateZoneName": "test.internal",
            "recordType": "A",
            "relativeRecordSetName": "direct",
            "aRecords": [{"ipv4Address": address}],
        }
        bench.create("privatedns:PrivateRecordSet", "direct", record)
        assert bench.cloud.resolve("direct.test.internal", VNET) == [machine_id]


def test_the_provider_says_who_asks(bench: Bench) -> None:
    answer = bench.cloud.invoke("azure-native:authorization:getClientConfig", {})
    assert answer["subscriptionId"] == SUBSCRIPTION.rsplit("/", 1)[-1]
    assert set(answer) == {"clientId", "objectId", "subscriptionId", "tenantId"}


def test_an_identity_has_one_principal_for_life(bench: Bench) -> None:
    before = bench.region()["guest"].outputs
    tagged = in_group(resourceName="guest", tags={"a": "b"})
    after = bench.cloud.update(
        urn("managedidentity:UserAssignedIdentity", "guest"), IDENTITY, {}, tagged, preview=False
    )
    assert after["principalId"] == before["principalId"]
