"""What must be sayable of each cloud is said by typed fields: operators, tenancy, zones, purchase, key release."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import catalog
from catalog.loader import DATA, load_from

FACTS = load_from(DATA)
SDKS = {"gcp": "pulumi_gcp", "aws": "pulumi_aws", "kubernetes": "pulumi_kubernetes"}


def test_every_cloud_of_the_issue_is_there() -> None:
    offers = {id_: cloud.offer for id_, cloud in FACTS.clouds.items()}
    sovereign = {id_ for id_, offer in offers.items() if offer == "sovereign"}
    assert sovereign == {"aws-eusc", "azure-bleu", "azure-delos", "gcp-berlin", "gcp-s3ns"}
    assert {id_ for id_, offer in offers.items() if offer == "government"} == {"aws-us-gov", "azure-usgov"}
    assert {cloud.provider for cloud in FACTS.clouds.values()} == {"azure", "aws", "gcp", "kubernetes"}


@pytest.mark.parametrize(
    ("cloud", "reach", "abroad"),
    [
        ("azure", ("US",), True),
        ("aws-eusc", ("DE", "US"), True),
        ("gcp-s3ns", ("FR",), False),
        ("azure-delos", ("DE",), False),
        ("gcp-berlin", None, None),
        ("kubernetes", None, None),
    ],
)
def test_legal_reach_of_an_operator(cloud: str, reach: tuple[str, ...] | None, abroad: bool | None) -> None:
    assert FACTS.cloud(cloud).legal_reach == reach
    assert FACTS.reached_from_abroad(reach, "EU") is abroad


def test_a_subsidiary_is_reached_by_the_law_of_its_parent() -> None:
    operator = FACTS.operators["aws-eusc"]
    assert operator.jurisdiction == "DE"
    assert [law.id for law in FACTS.laws_of("US")] == ["us-cloud-act", "us-fisa-702"]
    assert FACTS.laws_of("US-gov") == FACTS.laws_of("US")


def test_a_region_can_have_an_operator_of_its_own() -> None:
    assert FACTS.region("aws-cn", "cn-north-1").operator == "Sinnet (Beijing)"
    assert FACTS.region("aws-cn", "cn-northwest-1").operator == "NWCD (Ningxia)"


@pytest.mark.parametrize(("cloud", "region"), [("gcp-s3ns", "u-france-east1"), ("gcp-berlin", "u-germany-northeast1")])
def test_sovereign_operator_no_tee(cloud: str, region: str) -> None:
    place = FACTS.region(cloud, region)
    assert place.confidential_vm is False
    assert FACTS.cloud(cloud).offer == "sovereign"
    assert FACTS.cloud(cloud).universe_domain in {"s3nsapis.fr", "apis-berlin-build0.goog"}
    assert not FACTS.machine_types(cloud)
    assert FACTS.service(cloud, "cloud-hsm").offered_in(region) is False
    assert FACTS.service(cloud, "cloud-ekm-vpc").offered_in(region) is None


def test_snp_on_a_dedicated_host_only() -> None:
    machine = FACTS.machine_type("aws", "m6a.xlarge")
    assert machine.tenancy("eu-west-1") == ("shared", "dedicated-host")
    assert machine.tenancy("us-east-2") == ("shared", "dedicated-host")
    assert machine.tenancy("eu-central-1") == ("dedicated-host",)
    assert machine.tenancy("eu-north-1") == ()
    on_shared_hosts = {
        region.id
        for region in FACTS.regions(cloud="aws")
        if FACTS.machine_types("aws", region=region.id, tee="snp", tenancy="shared")
    }
    assert on_shared_hosts == {"eu-west-1", "us-east-2"}


def test_snp_sizes_of_aws_are_sixteen_and_the_larger_ones_have_none() -> None:
    assert len(FACTS.machine_types("aws", tee="snp")) == 16
    assert FACTS.machine_type("aws", "m6a.12xlarge").tee is None
    assert not FACTS.machine_types("aws", tee="tdx")


def test_h100_of_aws_has_no_confidential_mode_and_is_not_attested() -> None:
    machine = FACTS.machine_type("aws", "p5.48xlarge")
    assert machine.gpu is not None
    assert (machine.gpu.name, machine.gpu.cc, machine.tee, machine.attested) == ("h100", False, "nitro", False)


def test_confidential_h100_of_google_is_spot_or_flex_start_only_in_three_zones() -> None:
    machine = FACTS.machine_type("gcp", "a3-highgpu-1g")
    assert machine.purchase == ("spot", "flex-start")
    assert machine.zones == {
        "europe-west4": ("europe-west4-c",),
        "us-central1": ("us-central1-a",),
        "us-east5": ("us-east5-a",),
    }
    assert (machine.tee, machine.attested, machine.on_host_maintenance) == ("tdx", True, "TERMINATE")


def test_a_region_is_not_enough_the_zone_counts() -> None:
    machine = FACTS.machine_type("gcp", "c3-standard-4")
    assert machine.in_zone("europe-west9", "europe-west9-a") is True
    assert machine.in_zone("europe-west9", "europe-west9-c") is False
    assert machine.in_zone("europe-west1", "europe-west1-b") is False
    assert FACTS.machine_type("azure", "Standard_DC2as_v5").in_zone("westeurope", "1") is None
    in_zone_c = {
        one.size for one in FACTS.machine_types("gcp", region="europe-west4", zone="europe-west4-c", gpu="h100")
    }
    assert in_zone_c == {"a3-highgpu-1g"}
    assert not FACTS.machine_types("gcp", region="europe-west4", zone="europe-west4-a", gpu="h100")


def test_where_the_sources_disagree_it_is_said() -> None:
    assert FACTS.machine_type("gcp", "c3-standard-4").disputed == {"europe-west3"}


def test_families_of_which_no_region_is_known_are_not_lost() -> None:
    family = FACTS.machine_families("gcp")["c4-standard"]
    assert (family.tee, family.offered, family.sizes, family.regions) == ("tdx", "unknown", (), frozenset())


def test_plain_sev_is_no_attested_tee() -> None:
    assert not FACTS.machine_type("gcp", "g4-standard-48").attested
    assert sorted(catalog.ATTESTED_TEES) == ["snp", "tdx"]


def test_what_fails_over_abroad() -> None:
    brazil = FACTS.region("azure", "brazilsouth")
    attestation, vault = FACTS.service("azure", "azure-attestation"), FACTS.service("azure", "key-vault-premium")
    pair = FACTS.failover(attestation, brazil)
    assert pair is not None
    assert not FACTS.within(pair.jurisdiction, "BR")
    assert FACTS.failover(vault, brazil) is None
    assert FACTS.failover(vault, FACTS.region("azure", "eastasia")) == FACTS.region("azure", "southeastasia")
    assert "Standard_GRS" in FACTS.service("azure", "blob-storage").geo_redundant_skus


@pytest.mark.parametrize(
    ("cloud", "service", "how", "to"),
    [
        ("azure", "key-vault-premium", "policy", ("snp", "tdx")),
        ("azure", "managed-hsm", "policy", ("snp", "tdx")),
        ("gcp", "cloud-hsm", "identity", ("tdx",)),
        ("aws", "kms", "recipient", ("nitro",)),
        ("aws-eusc", "kms", "recipient", ("nitro",)),
    ],
)
def test_how_a_key_service_releases_and_to_which_tee(cloud: str, service: str, how: str, to: tuple[str, ...]) -> None:
    fact = FACTS.service(cloud, service)
    assert (fact.key_release, fact.release_by, fact.releases_to) == (True, how, to)


def test_the_sovereign_partition_has_no_cloudhsm() -> None:
    assert FACTS.service("aws-eusc", "cloudhsm").offered_in("eusc-de-east-1") is False
    assert FACTS.service("aws", "cloudhsm").offered_in("eu-central-1") is True
    cloud = FACTS.cloud("aws-eusc")
    assert cloud.service_names is not None
    assert "kms" in cloud.service_names
    assert "cloudhsmv2" in cloud.absent_services - cloud.service_names


def test_endpoint_names_know_their_partition() -> None:
    assert FACTS.private_endpoint("aws", "kms").target == "{prefix}.{region}.kms"
    prefixes = {id_: FACTS.cloud(id_).endpoint_prefix for id_ in ("aws", "aws-eusc", "aws-us-gov", "aws-cn")}
    assert prefixes == {
        "aws": "com.amazonaws",
        "aws-eusc": "eu.amazonaws",
        "aws-us-gov": "com.amazonaws",
        "aws-cn": "cn.com.amazonaws",
    }


def test_vendor_services_belong_to_no_cloud_and_say_what_can_be_cached() -> None:
    services = FACTS.vendor_services
    assert services["amd-kds"].cacheable
    assert services["intel-pcs"].cacheable
    assert not services["nvidia-nras"].cacheable
    assert {service.legal_reach for service in services.values()} == {("US",)}


def test_partner_boundaries_are_apart_from_the_infrastructure() -> None:
    (boundary,) = FACTS.boundaries("gcp", region="europe-west3")
    assert FACTS.operators[boundary.operator_id].legal_reach == ("DE",)
    assert FACTS.region("gcp", "europe-west3").legal_reach == ("US",)
    assert FACTS.boundaries("gcp", region="europe-west6") == ()


def test_guardrails_are_named_as_the_provider_wants_them() -> None:
    locations = FACTS.guardrail("azure", "allowed-locations").definition
    assert locations.endswith("/policyDefinitions/e56962a6-4747-49cd-b67b-bf8b01975c4c")
    resource_locations = FACTS.guardrail("gcp", "resource-locations")
    assert resource_locations.values["EU"] == "in:eu-locations"
    assert "in:europe-locations" in resource_locations.wider
    assert FACTS.guardrail("aws-eusc", "amd-sev-snp").definition == "ec2:CpuOptionsAmdSevSnp"


def test_what_a_confidential_machine_needs() -> None:
    azure = {one.id: one for one in FACTS.machine_requirements("azure", tee="snp")}
    assert azure["security-type"].value == "ConfidentialVM"
    assert "Ubuntu 20.04" in azure["image-os-snp"].values
    assert "image-os-tdx" not in azure
    gcp = {one.id: one.value for one in FACTS.machine_requirements("gcp", tee="tdx")}
    assert gcp["confidential-instance-type-tdx"] == "TDX"
    assert "min-cpu-platform" not in gcp


def test_confidential_nodes_of_managed_clusters() -> None:
    aks = FACTS.cluster_features("azure")["aks-confidential-nodes"]
    assert (aks.supported, aks.tees) == (True, ("snp",))
    containers = FACTS.cluster_features("azure")["aks-confidential-containers"]
    assert (containers.status, containers.in_provider_sdk, containers.runtime_class) == (
        "preview",
        False,
        "kata-cc-isolation",
    )
    gpus = FACTS.cluster_features("azure")["aks-gpu-confidential-nodes"]
    assert (gpus.supported, gpus.tees, gpus.families) == (True, ("snp",), ("NCCads_H100_v5",))
    assert FACTS.cluster_features("gcp-berlin")["gke-confidential-nodes"].supported is False


def test_release_claims_of_a_document() -> None:
    claims = {claim.claim for claim in FACTS.release_claims("aws", service="nitro-tpm")}
    assert claims == {f"kms:RecipientAttestation:NitroTPMPCR{pcr}" for pcr in (4, 7, 12)}


@pytest.mark.parametrize("cloud", ["gcp", "aws"])
def test_each_region_of_a_public_cloud_names_zones_of_its_own(cloud: str) -> None:
    named = [region for region in FACTS.regions(cloud=cloud) if region.zone_names]
    assert len(named) > 25
    for region in named:
        assert region.zone_names is not None
        assert all(zone.startswith(region.id) for zone in region.zone_names), region.id


@pytest.mark.parametrize("cloud", SDKS)
def test_global_types_exist_in_the_provider_sdk(cloud: str) -> None:
    """But a cluster's custom resources, which controllers define in API groups of their own."""
    spec = find_spec(SDKS[cloud])
    if spec is None or spec.origin is None:
        pytest.skip(f"needs the package {SDKS[cloud].replace('_', '-')}")
    sdk = Path(spec.origin).parent
    for token in FACTS.global_types(cloud):
        _, module, _ = token.split(":")
        group = module.split("/")[0]
        if cloud == "kubernetes" and "." in group and not group.endswith(".k8s.io"):
            continue
        folder = sdk / group.split(".")[0].lower()
        assert any(token in file.read_text() for file in folder.rglob("*.py")), token


def test_no_endpoint_or_definition_has_a_placeholder_that_nobody_fills() -> None:
    known = {"region", "name", "dns", "workspace", "region-code", "prefix", "project"}
    known |= {"product", "chip id", "measurement"}  # filled in by verifier.collateral.fetch
    for _, _, id_, fact in FACTS.everything():
        texts: list[str] = []
        if isinstance(fact, catalog.Service):
            texts += [*fact.endpoints.values(), *fact.paths]
        if isinstance(fact, catalog.PrivateEndpoint):
            texts += [fact.target, *fact.zones]
        assert {name for text in texts for name in re.findall(r"{([^}]*)}", text)} <= known, id_
