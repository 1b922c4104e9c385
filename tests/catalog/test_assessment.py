"""What a sovereign stack can and cannot have in a region: verdicts, reasons and the facts they rest on."""

import pytest

import catalog
from catalog.assessment import Reason, Verdict, assess, machines_with
from catalog.loader import DATA, load_from

FACTS = load_from(DATA)


def findings(cloud: str, region: str, area: str | None = None) -> dict[str, catalog.Finding]:
    return {finding.subject: finding for finding in assess(FACTS, cloud, region, jurisdiction=area).findings}


@pytest.mark.parametrize(
    ("cloud", "region", "area", "subject", "verdict", "reason"),
    [
        ("gcp-s3ns", "u-france-east1", "EU", "operator", "can", None),
        ("gcp-s3ns", "u-france-east1", "EU", "sovereignty", "limited", "sovereign-operator-no-tee"),
        ("gcp-berlin", "u-germany-northeast1", "EU", "operator", "unknown", "legal-reach-unknown"),
        ("gcp-berlin", "u-germany-northeast1", "EU", "sovereignty", "limited", "sovereign-operator-no-tee"),
        ("aws-eusc", "eusc-de-east-1", "EU", "operator", "limited", "foreign-legal-reach"),
        ("aws-eusc", "eusc-de-east-1", "EU", "machines with AMD SEV-SNP", "unknown", "offer-unknown"),
        ("aws", "eu-central-1", "EU", "machines with AMD SEV-SNP", "limited", "dedicated-host-only"),
        ("aws", "eu-west-1", "EU", "machines with AMD SEV-SNP", "can", None),
        ("aws", "eu-north-1", "EU", "machines with AMD SEV-SNP", "cannot", "not-offered"),
        ("aws", "eu-west-1", "EU", "machines with Intel TDX", "cannot", "not-offered"),
        ("aws", "eu-west-1", "EU", "GPU confidential computing", "cannot", "not-offered"),
        ("gcp", "europe-west4", "EU", "GPU confidential computing", "limited", "spot-or-flex-start-only"),
        ("gcp", "europe-west4", "EU", "machines with Intel TDX", "can", None),
        ("gcp", "europe-west3", "DE", "machines with Intel TDX", "limited", "sources-disagree"),
        ("gcp", "europe-west9", "FR", "machines with Intel TDX", "limited", "some-zones-only"),
        ("gcp", "europe-west1", "BE", "machines with Intel TDX", "unknown", "offer-unknown"),
        ("gcp", "europe-west1", "BE", "machines with AMD SEV-SNP", "cannot", "not-offered"),
        ("azure", "brazilsouth", "BR", "failover", "limited", "pair-abroad"),
        ("azure", "westeurope", "NL", "failover", "limited", "pair-abroad"),
        ("azure", "westeurope", "EU", "failover", "can", None),
        ("azure", "germanywestcentral", "DE", "failover", "can", None),
        ("azure", "germanywestcentral", "DE", "machines with AMD SEV-SNP", "can", "price-list-only"),
        ("azure", "germanynorth", "DE", "machines with AMD SEV-SNP", "unknown", "low-confidence"),
        ("azure", "germanynorth", "DE", "location", "limited", "restricted-access"),
        ("azure", "northeurope", "IE", "machines with Intel TDX", "limited", "not-generally-available"),
        ("azure", "germanywestcentral", "FR", "location", "cannot", "outside-jurisdiction"),
        ("azure", "germanynorth", "DE", "zones", "cannot", "no-zones"),
        ("azure-bleu", "bleufrancecentral", "FR", "operator", "unknown", "low-confidence"),
        ("azure", "germanywestcentral", "DE", "aks confidential-nodes", "can", None),
        ("azure", "germanynorth", "DE", "aks confidential-nodes", "cannot", "not-offered"),
    ],
)
def test_finding(cloud: str, region: str, area: str, subject: str, verdict: Verdict, reason: Reason | None) -> None:
    finding = findings(cloud, region, area)[subject]
    assert finding.verdict == verdict
    assert reason in finding.reasons if reason else not finding.reasons


def test_foreign_reach_names_the_laws() -> None:
    finding = findings("azure", "germanywestcentral")["operator"]
    assert "CLOUD Act" in finding.says
    assert {"cloud_act"} <= {source.id for fact in finding.facts for source in fact.source}


def test_keys_that_go_to_nitro_only_are_no_keys_for_a_verifier_of_ones_own() -> None:
    kms = [one for one in assess(FACTS, "aws", "eu-west-1").findings if one.says.startswith("AWS KMS:")]
    assert [(one.verdict, one.reasons) for one in kms] == [("limited", ("operator-attested-only",))]


@pytest.mark.parametrize("region", FACTS.regions(), ids=lambda region: f"{region.cloud}/{region.id}")
def test_every_region_is_assessed_and_every_finding_rests_on_a_fact(region: catalog.Region) -> None:
    assessment = assess(FACTS, region.cloud, region.id)
    assert len(assessment.findings) >= 6
    for finding in assessment.findings:
        assert finding.says
        assert finding.facts, finding
        assert finding.reasons or finding.verdict == "can", finding


def test_a_tee_and_a_gpu_together_mean_one_machine_with_both() -> None:
    netherlands = FACTS.region("azure", "westeurope")
    assert machines_with(FACTS, netherlands, tee="snp", gpu="h100").verdict == "can"
    assert machines_with(FACTS, netherlands, tee="tdx", gpu="h100").verdict == "cannot"


def test_an_unknown_jurisdiction_names_the_nearest() -> None:
    with pytest.raises(catalog.UnknownFact, match="nearest: EU"):
        assess(FACTS, "azure", "westeurope", jurisdiction="EUU")
