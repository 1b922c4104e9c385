"""The list of issuers says of each value where it is from, or that nobody has compared it yet."""

from datetime import date
from pathlib import Path

import yaml

from verifier import tokens
from verifier.tokens import issuers

PAGE = Path(__file__).parents[3] / "docs" / "verifier" / "tokens.md"
LISTED = issuers._listed()


def test_every_value_has_a_dated_source_or_says_that_it_has_none():
    for issuer in LISTED:
        assert issuer.sources.keys() == {"issuer", "keys", "algorithms"}
        for text in issuer.sources.values():
            assert text is None or date.fromisoformat(text.rpartition(", ")[2]) <= date(2026, 11, 23)


def test_the_page_names_the_values_that_were_not_compared():
    services = {issuer.kind for issuer in LISTED if issuer.sources["keys"] is None}
    assert services == {"azure", "confidential-space", "intel"}
    text = " ".join(PAGE.read_text().split())
    assert "the addresses of the keys of Azure Attestation, Confidential Space and Intel Trust Authority" in text


def test_names_and_issuers_are_each_ones_own():
    names = [name for issuer in LISTED for name in (issuer.name, issuer.issuer)]
    assert len(names) == len(set(names))
    content = yaml.safe_load(issuers._DATA.read_text())
    assert len(LISTED) == len(content["services"]) + len(content["azure"]["providers"])


def test_a_customers_own_provider_has_the_sources_of_its_region():
    shared = tokens.find("azure-attestation-germanywestcentral")
    own = tokens.find(shared.issuer.replace("shareddewc", "contoso"))
    assert (own.country, own.sources) == (shared.country, shared.sources)
