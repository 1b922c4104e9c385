"""The region as a whole: what it registers, what it tells its guests, what it exports, what it refuses."""

from pathlib import Path
from typing import Any

import pytest

import catalog
from components.azure import SovereignRegion, SovereignRegionArgs
from components.errors import InputError
from components.reference_values import ReferenceValuesError
from components.spec import RegionSpec
from components.surroundings import Surroundings
from tests.components.azure import region
from tests.components.azure.recorder import STACK, Recording, record


def test_every_resource_hangs_below_the_region_with_its_tags(germany: Recording) -> None:
    region_itself, *rest = germany.registrations
    assert (region_itself.name, region_itself.parent) == (STACK, "")
    names = {one.name for one in germany.registrations}
    assert all(one.parent in names for one in rest)
    tags = {"jurisdiction": "DE", "data-class": "confidential", "owner": "platform@example.org", "stack": STACK}
    tagged = [one for one in rest if "tags" in one.inputs]
    assert len(tagged) > 30
    assert all(one.inputs["tags"] == tags for one in tagged)


def test_every_place_is_the_specified_one(germany: Recording) -> None:
    allowed = catalog.load().global_types("azure")
    for one in germany.registrations:
        if one.type.startswith("bailiwick:"):
            continue
        location = one.inputs.get("location")
        assert location == "germanywestcentral" or one.type in allowed, f"{one.type} {one.name} in {location}"


def test_components_carry_their_args(germany: Recording) -> None:
    for one in germany.registrations:
        if one.type.startswith("bailiwick:"):
            assert one.inputs, f"{one.name} registers without inputs: policies and state would see nothing"
    spec = germany[STACK].inputs["spec"]
    assert (spec["jurisdiction"], spec["machines"][0]["model"]) == ("DE", "llm")


def test_a_guest_is_told_verifier_key_and_artefact(germany: Recording) -> None:
    account = germany["azure-germany-models-store"].inputs["accountName"]
    assert region.user_data(germany, "azure-germany-inference-vm") == {
        "version": 1,
        "role": "workload",
        "verifier": "http://verifier.azure-germany.bailiwick.internal:8443",
        "resource": "default/model-key/llm",
        "artefact": {"account": account, "container": "models", "blob": "llm.enc"},
    }


def test_every_replica_gets_the_same_verifier_configuration(germany: Recording) -> None:
    first, second = (region.user_data(germany, f"azure-germany-verifier-{index}-vm") for index in range(2))
    assert first == second
    assert first["name"] == "verifier.azure-germany.bailiwick.internal"
    assert first["region"] == {"cloud": "azure", "location": "germanywestcentral", "jurisdiction": "DE"}
    assert first["trust_anchors"] == ["amd"]
    assert first["reference_values"] == [region.envelope("inference-guest-1.0.0")]
    assert first["build_keys"][0].startswith("-----BEGIN PUBLIC KEY-----")
    (resource,) = first["resources"]
    assert resource["path"] == "default/model-key/llm"
    assert resource["kek"] == germany["azure-germany-keys-model-llm"].inputs["keyName"]
    assert resource["policy"]["images"] == ["inference-guest-1.0.0"]
    assert resource["policy"]["minimum_tcb"] == {"bootloader": 4, "tee": 0, "snp": 22, "microcode": 213}
    assert (resource["policy"]["debug"], resource["policy"]["migration"], resource["policy"]["vmpl"]) == (
        False,
        False,
        [0],
    )


def test_two_images_for_one_model_share_its_key_on_the_stricter_firmware(reference_values: Path) -> None:
    newer = {**region.SPEC["machines"][0], "name": "canary", "image": {"name": "inference-guest", "version": "1.1.0"}}
    found = region.deploy(reference_values, {"machines": [*region.SPEC["machines"], newer]})
    (resource,) = region.user_data(found, "azure-germany-verifier-0-vm")["resources"]
    assert resource["policy"]["images"] == ["inference-guest-1.0.0", "inference-guest-1.1.0"]
    assert resource["policy"]["minimum_tcb"]["microcode"] == 220


def test_an_emulated_region_can_be_destroyed_and_a_real_one_cannot(germany: Recording, reference_values: Path) -> None:
    account = "11111111-1111-4111-8111-111111111111"
    real = region.deploy(
        reference_values,
        {"emulated": False, "subscriptionId": account, "tenantId": account},
        orchestrator_principal_id=account,
    )
    for kept in (*real.of_type("keyvault:Key"), *real.of_type("keyvault:Vault")):
        assert kept.options["retainOnDelete"] is True
    for lost in (*germany.of_type("keyvault:Key"), *germany.of_type("keyvault:Vault")):
        assert lost.options == {}
    orchestrated = [one for one in real.of_type("RoleAssignment") if one.name.endswith("-orchestrator")]
    assert {one.inputs["principalId"] for one in orchestrated} == {account}
    assert len(orchestrated) == len(list(real.of_type("compute:DiskEncryptionSet")))


def test_a_real_region_needs_the_orchestrator(reference_values: Path) -> None:
    account = "11111111-1111-4111-8111-111111111111"
    with pytest.raises(InputError, match=r"orchestrator_principal_id: .*bf7b6499-ff71-4aa2-97a4-f372087be7f0"):
        region.deploy(reference_values, {"emulated": False, "subscriptionId": account, "tenantId": account})


_CLUSTER = {"clusters": [{"name": "serving", "size": "Standard_DC4as_v5", "nodes": 2}]}


def test_a_cluster_needs_administrators(reference_values: Path) -> None:
    with pytest.raises(InputError, match="cluster_admin_group_ids: is empty: without local accounts"):
        region.deploy(reference_values, _CLUSTER, cluster_admin_group_ids=())


_HSM = {"keys": {"service": "managed-hsm", "administrators": ["00000000-0000-0000-0000-000000000b1e"]}}


@pytest.mark.parametrize("keys", [{}, _HSM], ids=["vault", "managed HSM"])
def test_a_cluster_can_use_its_own_keys_registry_and_subnets_only(keys: dict[str, Any], reference_values: Path) -> None:
    found = region.deploy(reference_values, {**_CLUSTER, **keys})
    control = f"{STACK}-serving-control-"
    grants = {one.name: one.inputs["scope"] for one in found.of_type("authorization:RoleAssignment")}
    assert {name.removeprefix(control): scope for name, scope in grants.items() if name.startswith(control)} == {
        "subnet": f"<{STACK}-network-cluster-serving.id>",
        "control-plane": f"<{STACK}-network-control-planes.id>",
        "secrets": f"<{STACK}-cluster-keys-cluster-secrets.id>",
        "vault": f"<{STACK}-cluster-keys-vault.id>",
        "disks": f"<{STACK}-clusters-disks.id>",
        "nodes": f"<{STACK}-clusters-nodes-identity.id>",
    }
    assert grants[f"{STACK}-clusters-nodes-pull"] == f"<{STACK}-clusters-registry.id>"
    registry = found[f"{STACK}-clusters-registry"].inputs
    assert (registry["publicNetworkAccess"], registry["adminUserEnabled"]) == ("Disabled", False)
    cluster = found[f"{STACK}-serving-cluster"].inputs
    assert cluster["securityProfile"]["azureKeyVaultKms"]["keyVaultResourceId"] == f"<{STACK}-cluster-keys-vault.id>"
    assert found.outputs[STACK]["clusters"]["serving"]["name"] == f"{STACK}-serving"


def test_clusters_keys_are_apart_from_the_models(reference_values: Path) -> None:
    found = region.deploy(reference_values, _CLUSTER)
    vaults = {one.name: one.inputs["vaultName"] for one in found.of_type("keyvault:Vault")}
    assert len(set(vaults.values())) == 2
    held = {one.inputs["vaultName"]: one.name for one in found.of_type("keyvault:Key") if "cluster" in one.name}
    assert held.keys() == {f"<{STACK}-cluster-keys-vault.name>"} or held.keys() == {
        vaults[f"{STACK}-cluster-keys-vault"]
    }
    edges = [one["endpoint"] for one in found.outputs[STACK]["jurisdictionGraph"] if one["kind"] == "keys"]
    assert sorted(edges) == sorted(f"https://{name}.vault.azure.net/" for name in vaults.values())
    (admit,) = found[f"{STACK}-cluster-keys-admit-role"].inputs["permissions"]
    assert admit == {
        "actions": [
            "Microsoft.KeyVault/vaults/read",
            "Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action",
        ],
        "dataActions": [],
    }
    roles = {one.name for one in found.of_type("authorization:RoleDefinition")}
    assert roles == {f"{STACK}-keys-unwrap-role", f"{STACK}-cluster-keys-admit-role"}


def test_a_cluster_s_vault_is_judged_by_where_it_fails_over_to(reference_values: Path) -> None:
    here = {"jurisdiction": "NL", "location": "westeurope", **_HSM}
    said = []
    for clusters in ({}, _CLUSTER):
        with pytest.raises(InputError, match="evidence would leave NL") as refusal:
            region.deploy(reference_values, here | clusters)
        said.append("; keys " in f"; {refusal.value.problem.partition(': ')[2]}")
    assert said == [False, True]


def test_the_stack_exports_what_the_command_line_reads(germany: Recording) -> None:
    outputs = germany.outputs[f"bailiwick-{STACK}"]
    assert outputs["verifierUrl"] == "http://verifier.azure-germany.bailiwick.internal:8443"
    assert outputs["vaultUri"] == f"https://{germany['azure-germany-keys-vault'].inputs['vaultName']}.vault.azure.net/"
    assert outputs["machines"]["inference"] == {
        "id": "<azure-germany-inference-vm.id>",
        "name": "azure-germany-inference",
        "image": "inference-guest-1.0.0",
        "model": "llm",
        "count": 1,
    }
    assert outputs["keys"]["llm"] == {"name": "model-llm", "id": "<azure-germany-keys-model-llm.id>"}
    assert outputs["modelStore"]["container"] == "models"
    assert outputs["auditStore"]["retentionDays"] == 365


def test_the_graph_has_every_kind_and_only_metadata_leaves(germany: Recording) -> None:
    outputs = germany.outputs[f"bailiwick-{STACK}"]
    graph = outputs["jurisdictionGraph"]
    assert {edge["kind"] for edge in graph} == {
        "audit-log",
        "collateral",
        "compute",
        "control-plane",
        "dns",
        "identity",
        "images",
        "keys",
        "models",
        "network",
        "verifier",
    }
    for edge in graph:
        assert all(edge[key] for key in ("name", "endpoint", "location", "operator", "jurisdiction", "source")), edge
    left = {(edge["kind"], edge["carries"]) for edge in outputs["edgesLeaving"]}
    assert left == {("control-plane", "metadata"), ("dns", "metadata"), ("identity", "metadata")}
    assert outputs["foreignReach"] == ["Microsoft Corporation"]


def test_the_graph_names_the_endpoints_that_were_registered(germany: Recording) -> None:
    endpoints = {edge["endpoint"] for edge in germany.outputs[f"bailiwick-{STACK}"]["jurisdictionGraph"]}
    for account in germany.of_type("storage:StorageAccount"):
        origin = f"https://{account.inputs['accountName']}.blob.core.windows.net"
        assert any(endpoint.startswith(origin) for endpoint in endpoints)
    provider = germany["azure-germany-verifier-provider"].inputs["providerName"]
    assert f"https://{provider}.dewc.attest.azure.net" in endpoints
    assert germany.outputs[f"bailiwick-{STACK}"]["vaultUri"] in endpoints


def test_a_region_whose_keys_fail_over_abroad_is_refused(reference_values: Path) -> None:
    dutch = {"jurisdiction": "NL", "location": "westeurope"}
    assert Surroundings("azure", "westeurope").residence("key-vault-premium") == "EU"
    spec = RegionSpec.from_mapping({**region.SPEC, **dutch}, reference_values=reference_values)
    with pytest.raises(InputError, match=r"would leave NL: keys Key Vault Premium is in EU"):
        record(lambda: SovereignRegion(STACK, SovereignRegionArgs(spec=spec, reference_values=reference_values)))


@pytest.mark.parametrize(
    ("service", "location", "jurisdiction"),
    [
        ("key-vault-premium", "germanywestcentral", "DE"),
        ("thim", "westeurope", "NL"),
        ("entra-id", "germanywestcentral", "US"),
        ("azure-attestation", "brazilsouth", "US"),
    ],
)
def test_residence_is_the_narrowest_area_that_holds_every_place_of_work(
    service: str, location: str, jurisdiction: str
) -> None:
    assert Surroundings("azure", location).residence(service) == jurisdiction


def test_an_image_without_reference_values_registers_nothing(reference_values: Path, tmp_path: Path) -> None:
    spec = RegionSpec.from_mapping(region.SPEC, reference_values=reference_values)
    args = SovereignRegionArgs(spec=spec, reference_values=tmp_path)
    with pytest.raises(ReferenceValuesError, match=r"image verifier-1\.0\.0: no reference values"):
        record(lambda: SovereignRegion(STACK, args))


def test_nothing_secret_is_registered(germany: Recording) -> None:
    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            for key, item in value.items():
                yield key.lower()
                yield from walk(item)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)

    # `secretsProvider` names the key that encrypts the state.
    words = {word for one in germany.registrations for word in walk(one.inputs)} - {"secretsprovider"}
    assert not {word for word in words if "password" in word or "secret" in word or "privatekey" in word}
