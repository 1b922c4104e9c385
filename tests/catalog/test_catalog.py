"""The catalogue that ships: its facts agree with their sources and with each other, and it says what is nearest."""

import datetime
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

import catalog
from catalog.loader import DATA

FACTS = catalog.load()
AZURE_REGIONS = FACTS.regions(cloud="azure")


def all_facts() -> list[catalog.Fact]:
    return [fact for _, _, _, fact in FACTS.everything()]


def test_every_fact_has_a_cited_source_a_date_and_a_confidence() -> None:
    facts = all_facts()
    assert len(facts) > 700
    for fact in facts:
        assert all(len(source.text) > 20 for source in fact.source), fact
        assert datetime.date(2026, 1, 1) <= fact.date, fact
        assert fact.confidence in {"high", "medium", "low"}, fact


def test_what_rests_on_common_knowledge_alone_is_not_said_with_high_confidence() -> None:
    for fact in all_facts():
        if {source.id for source in fact.source} == {"general"}:
            assert fact.confidence != "high", fact


def test_every_source_is_cited() -> None:
    documents = [yaml.safe_load(path.read_text()) for path in sorted(DATA.rglob("*.yaml"))]
    sources = {id_ for document in documents for id_ in document.get("sources", ())}
    cited = {name for path in DATA.rglob("*.yaml") for name in re.findall(r"\w+", _cited(path))}
    assert sources <= cited


def _cited(path: Path) -> str:
    return " ".join(re.findall(r"source: \[([^\]]*)\]", path.read_text()))


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("DE", "DE", True),
        ("DE", "EU", True),
        ("DE", "EEA", True),
        ("DE", "EU-data-boundary", True),
        ("EU", "DE", False),
        ("NO", "EU", False),
        ("NO", "EEA", True),
        ("CH", "EEA", False),
        ("CH", "EFTA", True),
        ("UK", "EEA", False),
        ("US-dod", "US", True),
        ("US", "US-gov", False),
        ("HK", "CN", False),
    ],
)
def test_within(inner: str, outer: str, expected: bool) -> None:
    assert FACTS.within(inner, outer) is expected


def test_the_european_union_has_27_member_states() -> None:
    members = FACTS.jurisdictions["EU"].members
    assert len([id_ for id_ in members if FACTS.jurisdictions[id_].kind == "country"]) == 27


def test_within_does_not_guess_about_an_unknown_jurisdiction() -> None:
    with pytest.raises(catalog.UnknownFact, match="unknown jurisdiction 'Deutschland'"):
        FACTS.within("Deutschland", "EU")


@pytest.mark.parametrize("region", FACTS.regions(), ids=lambda region: region.id)
def test_region_lies_where_its_country_lies(region: catalog.Region) -> None:
    country = {"GB": "UK"}.get(region.country, region.country)
    assert country in region.jurisdictions
    assert FACTS.within(region.jurisdiction, country)


@pytest.mark.parametrize("region", [r for r in AZURE_REGIONS if r.paired_region], ids=lambda region: region.id)
def test_pair_is_a_region_of_the_same_cloud(region: catalog.Region) -> None:
    assert region.paired_region is not None
    assert FACTS.region("azure", region.paired_region).id != region.id


def test_germany_west_central() -> None:
    region = FACTS.region("azure", "germanywestcentral")
    assert region.jurisdictions == ("DE", "EU", "EEA", "EU-data-boundary")
    assert region.zones is True
    assert region.zone_names == ("1", "2", "3")
    assert region.paired_region == "germanynorth"
    assert region.attestation_host == "shareddewc.dewc.attest.azure.net"
    assert not region.restricted_access
    sizes = {machine.size for machine in FACTS.machine_types("azure", region="germanywestcentral", tee="snp")}
    assert {"Standard_DC2as_v5", "Standard_DC4as_v5", "Standard_EC96ias_v5"} <= sizes
    assert not FACTS.machine_types("azure", region="germanywestcentral", tee="tdx")


def test_attestation_of_brazil_fails_over_to_another_jurisdiction() -> None:
    assert FACTS.service("azure", "azure-attestation").location == "pair"
    pair = FACTS.region("azure", "brazilsouth").paired_region
    assert pair is not None
    assert FACTS.region("azure", pair).jurisdiction == "US"


def test_zones_are_none_where_the_sources_do_not_say() -> None:
    assert FACTS.region("azure", "chilecentral").zones is None
    assert FACTS.region("azure", "germanynorth").zones is False


def test_regions_of_a_jurisdiction() -> None:
    ids = {region.id for region in FACTS.regions(cloud="azure", jurisdiction="DE")}
    assert ids == {"germanynorth", "germanywestcentral"}
    everywhere = {region.id for region in FACTS.regions(jurisdiction="DE")}
    assert everywhere >= ids | {"deloscloudgermanycentral", "europe-west3", "eu-central-1", "eusc-de-east-1"}
    assert "europe-west4" not in everywhere


def test_machine_type() -> None:
    machine = FACTS.machine_type("azure", "Standard_DC4as_v5")
    assert (machine.tee, machine.vcpu, machine.memory_gib, machine.family) == ("snp", 4, 16, "DCas_v5")
    assert len(machine.regions) == 18


def test_h100_machine_has_its_gpu() -> None:
    machine = FACTS.machine_type("azure", "Standard_NCC40ads_H100_v5")
    assert machine.gpu is not None
    assert (machine.gpu.model, machine.gpu.count, machine.gpu.cc) == ("NVIDIA H100 NVL", 1, True)
    assert machine.regions == {"centralus", "eastus2", "southcentralus", "westeurope"}


@pytest.mark.parametrize("machine", FACTS.machine_types("azure"), ids=lambda machine: machine.size)
def test_size_name_agrees_with_its_vcpus(machine: catalog.MachineType) -> None:
    named = re.match(r"Standard_[A-Z]+(\d+)", machine.size)
    assert named is not None
    assert int(named.group(1)) == machine.vcpu


def test_nearest_machine_type_keeps_the_shape() -> None:
    plain = FACTS.machine_type("azure", "Standard_D8s_v5")
    found = FACTS.nearest_machine_type(plain, region="germanywestcentral", tee="snp")
    assert found is not None
    assert found.size == "Standard_DC8as_v5"
    assert FACTS.nearest_machine_type(plain, region="germanywestcentral", tee="tdx") is None


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: FACTS.cloud("azur"), "unknown cloud 'azur'; nearest: azure"),
        (
            lambda: FACTS.region("azure", "germanywest"),
            "unknown region 'germanywest' of cloud azure; nearest: germanywestcentral",
        ),
        (
            lambda: FACTS.machine_type("azure", "standard_dc4as_v5"),
            "unknown machine type 'standard_dc4as_v5' of cloud azure; nearest: Standard_DC4as_v5",
        ),
        (
            lambda: FACTS.service("azure", "keyvault-premium"),
            "unknown service 'keyvault-premium' of cloud azure; nearest: key-vault-premium",
        ),
        (
            lambda: FACTS.private_endpoint("azure", "keyvault"),
            "unknown private endpoint 'keyvault' of cloud azure; nearest: key-vault",
        ),
        (lambda: FACTS.jurisdictions["EUU"], "unknown jurisdiction 'EUU'; nearest: EU"),
        (lambda: FACTS.region("azure", "zzz"), "unknown region 'zzz' of cloud azure"),
        (lambda: FACTS.machine_types("azure", region="mars"), "unknown region 'mars' of cloud azure"),
    ],
)
def test_an_unknown_id_names_the_nearest(ask: Callable[[], object], message: str) -> None:
    with pytest.raises(catalog.UnknownFact) as raised:
        ask()
    assert str(raised.value) == message


def test_asking_whether_an_id_is_known_does_not_raise() -> None:
    assert "EUU" not in FACTS.jurisdictions
    assert FACTS.global_types("azure").get("azure-native:network:VirtualNetwork") is None


def test_private_endpoint_of_the_key_vault() -> None:
    endpoint = FACTS.private_endpoint("azure", "key-vault")
    assert (endpoint.group_id, endpoint.zone) == ("vault", "privatelink.vaultcore.azure.net")


def test_key_services_that_release_keys() -> None:
    services = FACTS.services("azure").values()
    assert {service.id for service in services if service.key_release} == {"key-vault-premium", "managed-hsm"}


def test_control_plane_is_honest_about_where_it_is() -> None:
    for id_, host in (("entra-id", "login.microsoftonline.com"), ("resource-manager", "management.azure.com")):
        service = FACTS.service("azure", id_)
        assert host in service.endpoints.values()
        assert (service.location, service.operator_jurisdiction) == ("global", "US")
        assert service.reason


def test_sovereign_clouds_have_operators_of_their_own() -> None:
    assert FACTS.cloud("azure").operator_jurisdiction == "US"
    assert FACTS.cloud("azure-bleu").operator_jurisdiction == "FR"
    assert FACTS.cloud("azure-delos").operator_jurisdiction == "DE"


def test_private_dns_zones_are_global_and_say_why() -> None:
    zone = FACTS.global_types("azure")["azure-native:privatedns:PrivateZone"]
    assert (zone.residence, zone.location) == ("global", "Global")
    assert zone.reason


def test_global_types_exist_in_the_provider_sdk() -> None:
    spec = find_spec("pulumi_azure_native")
    assert spec is not None
    assert spec.origin is not None
    sdk = Path(spec.origin).parent
    for token in (one for one in FACTS.global_types("azure") if one.startswith("azure-native:")):
        _, module, name = token.split(":")
        registered = (sdk / module / "__init__.py").read_text()
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
        assert f"from .{snake} import *" in registered, token


def test_the_orchestrator_application() -> None:
    application = FACTS.application("azure", "confidential-vm-orchestrator")
    assert application.app_id == "bf7b6499-ff71-4aa2-97a4-f372087be7f0"
