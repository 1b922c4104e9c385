"""`bailiwick catalog`: what a person and a program read of the catalogue, and what a wrong input is told."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.catalog import app
from tests.cli.conftest import Cli


def read(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def document(*arguments: str) -> Any:
    return json.loads(read(*arguments, "--json"))


def places(*arguments: str) -> set[tuple[str, str]]:
    return {(row["cloud"], row["id"]) for row in document("regions", *arguments)}


def test_regions_of_a_jurisdiction_with_a_tee_and_a_gpu() -> None:
    assert places("--jurisdiction", "EU", "--tee", "tdx", "--gpu", "h100") == {("gcp", "europe-west4")}
    assert places("--jurisdiction", "EU", "--gpu", "H100") == {("gcp", "europe-west4"), ("azure", "westeurope")}
    assert places("--cloud", "gcp", "--jurisdiction", "DE") == {("gcp", "europe-west3"), ("gcp", "europe-west10")}


def test_the_table_of_regions_says_what_limits_them() -> None:
    lines = {
        line.split()[1]: line for line in read("regions", "--cloud", "aws", "--jurisdiction", "EU").splitlines()[3:-2]
    }
    assert "dedicated host" in " ".join(lines["eu-central-1"].split())
    assert "yes" in lines["eu-west-1"]
    table = read("regions", "--cloud", "gcp", "--jurisdiction", "NL")
    assert "spot or flex-start" in table
    assert "1 regions" in table


def test_a_region_in_json_has_verdicts_reasons_and_sources() -> None:
    (row,) = document("regions", "--cloud", "aws-eusc")
    assert row["legal_reach"] == ["DE", "US"]
    assert row["offer"] == "sovereign"
    assert row["snp"]["verdict"] == "unknown"
    assert row["source"]
    assert row["confidence"] == "medium"


def test_sovereign_operator_no_tee_in_json() -> None:
    (row,) = document("regions", "--cloud", "gcp-s3ns")
    assert (row["offer"], row["legal_reach"]) == ("sovereign", ["FR"])
    assert {row[tee]["verdict"] for tee in ("snp", "tdx", "gpu_cc")} == {"cannot"}


def test_machines_by_region_zone_and_tenancy() -> None:
    frankfurt = ("--cloud", "aws", "--region", "eu-central-1", "--tee", "snp")
    assert {row["size"] for row in document("machines", *frankfurt)} >= {"m6a.large", "c6a.16xlarge", "r6a.4xlarge"}
    assert document("machines", *frankfurt, "--tenancy", "shared") == []
    in_a = document(
        "machines", "--cloud", "gcp", "--region", "europe-west4", "--zone", "europe-west4-a", "--gpu", "h100"
    )
    assert in_a == []


def test_a_machine_in_json_says_where_and_how() -> None:
    (row,) = document("machines", "--cloud", "gcp", "--gpu", "h100", "--tee", "tdx", "--jurisdiction", "EU")
    assert row["size"] == "a3-highgpu-1g"
    assert row["purchase"] == ["spot", "flex-start"]
    assert row["regions"] == {"europe-west4": {"tenancy": ["shared"], "zones": ["europe-west4-c"], "disputed": False}}


def test_the_table_of_machines_tells_a_gpu_without_confidential_mode() -> None:
    table = " ".join(read("machines", "--gpu", "h100").split())
    assert "8 x h100 without" in table
    assert "flex-start" in table
    assert "price list" in table


def test_services_of_a_region_have_their_names_filled_in() -> None:
    rows = {row["id"]: row for row in document("services", "--cloud", "aws-eusc", "--region", "eusc-de-east-1")}
    assert rows["kms"]["endpoints"] == {"api": "kms.eusc-de-east-1.amazonaws.eu"}
    assert rows["kms"]["private_target"] == "eu.amazonaws.eusc-de-east-1.kms"
    assert rows["kms-external-key-store"]["offered"] == {"eusc-de-east-1": None}
    assert "cloudhsm" not in rows


def test_services_that_no_law_outside_a_jurisdiction_reaches() -> None:
    rows = document("services", "--jurisdiction", "EU", "--kind", "key")
    assert {row["cloud"] for row in rows} == {"gcp-s3ns", "kubernetes"}
    assert {row["id"] for row in document("services", "--cloud", "vendors", "--kind", "collateral")} >= {"amd-kds"}


def test_services_that_take_the_evidence_of_a_tee() -> None:
    rows = document("services", "--tee", "snp", "--kind", "key")
    assert {(row["cloud"], row["id"]) for row in rows} >= {("azure", "key-vault-premium"), ("azure", "managed-hsm")}
    assert "kms" not in {row["id"] for row in rows}


def test_nothing_found_is_said_in_words() -> None:
    assert read("machines", "--cloud", "aws", "--tee", "tdx").startswith("no machine types in the catalogue meet")


def test_explain_says_what_and_why_with_sources() -> None:
    text = " ".join(read("explain", "aws", "eu-central-1", "--jurisdiction", "EU").split())
    for part in (
        "must stay in EU",
        "dedicated-host-only",
        "CLOUD Act",
        "Sources",
        "snpdoc: https://docs.aws.amazon.com",
    ):
        assert part in text


def test_explain_in_json() -> None:
    said = document("explain", "azure", "brazilsouth")
    assert said["jurisdiction"] == "BR"
    assert "pair-abroad" in said["reasons"]
    failover = next(one for one in said["findings"] if one["subject"] == "failover")
    assert failover["verdict"] == "limited"
    assert "southcentralus" in failover["says"]
    assert "az_regions" in failover["sources"]


def test_stale_facts_are_ordered_by_age_and_then_by_confidence() -> None:
    rows = document("stale")
    keys = [(-row["age_days"], ("low", "medium", "high").index(row["confidence"])) for row in rows]
    assert keys == sorted(keys)
    assert {row["confidence"] for row in document("stale", "--confidence", "low")} == {"low"}
    assert document("stale", "--older-than", "999999") == []
    assert "0 facts (0 low, 0 medium, 0 high confidence)" in read("stale", "--older-than", "999999")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("regions", "--cloud", "azur"), "unknown cloud 'azur'; nearest: azure"),
        (("regions", "--jurisdiction", "EUU"), "unknown jurisdiction 'EUU'; nearest: EU"),
        (("regions", "--tee", "tdxx"), "--tee tdxx: must be one of snp, tdx, snp-child-vm, sev, nitro; nearest: tdx"),
        (("regions", "--gpu", "h10"), "--gpu h10: must be one of b200, h100, h200, rtx-pro-6000; nearest: h100"),
        (
            ("machines", "--region", "europe-west4"),
            "--region europe-west4 needs --cloud: the same id can stand in two clouds",
        ),
        (("machines", "--cloud", "gcp", "--zone", "a"), "--zone needs --cloud and --region"),
        (
            ("machines", "--cloud", "gcp", "--region", "europe-west3", "--zone", "europe-west3-d"),
            "unknown zone 'europe-west3-d' of europe-west3: its zones are europe-west3-a, ",
        ),
        (
            ("machines", "--cloud", "gcp", "--region", "europe-west33"),
            "unknown region 'europe-west33' of cloud gcp; nearest: ",
        ),
        (("services", "--cloud", "vendor"), "unknown cloud 'vendor'; nearest: vendors"),
        (("services", "--kind", "keys"), "--kind keys: must be one of attestation, "),
        (("services", "--region", "eastus"), "--region eastus needs --cloud with the cloud of the region"),
        (
            ("explain", "azure", "germanywest"),
            "unknown region 'germanywest' of cloud azure; nearest: germanywestcentral",
        ),
        (("explain", "azure", "westeurope", "--jurisdiction", "EUU"), "unknown jurisdiction 'EUU'; nearest: EU"),
        (("stale", "--older-than", "-3"), "--older-than -3: must be a number of days, for example 90"),
        (("stale", "--confidence", "hi"), "--confidence hi: must be one of high, medium, low"),
    ],
)
def test_a_wrong_input_gets_one_line_and_exit_code_2(cli: Cli, arguments: tuple[str, ...], line: str) -> None:
    result = cli("catalog", *arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith(f"error: {line}")
    assert result.err.count("\n") == 1


def test_a_wrong_statement_of_the_customer_gets_one_line(cli: Cli) -> None:
    facts = cli.project / "stacks" / "facts"
    facts.mkdir(exist_ok=True)
    (facts / "wrong.yaml").write_text("regions: [{id: eastus9, cloud: azure}]\n")
    result = cli("catalog", "regions")
    assert result.code == 2
    assert result.err == (
        "error: wrong.yaml: regions[0]: facts of cloud 'azure' cannot be stated here, only of kubernetes\n"
    )


def test_a_site_that_the_customer_states_is_listed(cli: Cli) -> None:
    result = cli("catalog", "regions", "--cloud", "kubernetes", "--json")
    assert result.code == 0
    assert [row["id"] for row in json.loads(result.out)] == ["onprem-berlin"]
