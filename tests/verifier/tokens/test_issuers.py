"""The list of issuers: of each value where it is from, and when that was read; who is on it, and who only looks so."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import yaml

import catalog
from tests.verifier.tokens.fake_issuer import AZURE
from verifier import tokens
from verifier.errors import InvalidToken
from verifier.tokens import issuers

LISTED = issuers._listed()


def test_every_value_has_a_dated_source():
    today = datetime.now(UTC).date()
    for issuer in LISTED:
        assert issuer.sources.keys() == {"issuer", "keys", "algorithms"}
        for text in issuer.sources.values():
            assert date.fromisoformat(text.rpartition(", ")[2]) <= today


def test_names_and_issuers_are_each_ones_own():
    names = [name for issuer in LISTED for name in (issuer.name, issuer.issuer)]
    assert len(names) == len(set(names))
    content = yaml.safe_load(issuers._DATA.read_text())
    assert len(LISTED) == len(content["services"]) + len(content["azure"]["providers"])


def test_a_customers_own_provider_has_the_sources_of_its_region():
    shared = tokens.find("azure-attestation-germanywestcentral")
    own = tokens.find(shared.issuer.replace("shareddewc", "contoso"))
    assert (own.country, own.sources) == (shared.country, shared.sources)


def test_an_unlisted_issuer_has_a_neighbour():
    with pytest.raises(InvalidToken, match="nearest is nvidia-nras"):
        tokens.find("nvidia-nra")


def test_a_customer_s_own_provider_is_where_the_shared_one_is():
    shared = tokens.find(AZURE)
    domain = shared.issuer.partition(".")[2]
    own = tokens.find(f"https://contoso1.{domain}")
    assert (own.country, own.keys) == (shared.country, f"https://contoso1.{domain}/certs")


@pytest.mark.parametrize(
    "url",
    [
        "https://contoso.evil.example",
        "http://contoso1.{domain}",
        "contoso1.{domain}",
        "https://contos\u00f61.{domain}",
        "https://a/b.{domain}",
        "https://attest.azure.net",
        "https://contoso1.googleapis.com",
    ],
)
def test_what_only_looks_like_a_provider(url):
    with pytest.raises(InvalidToken, match="not on the list"):
        tokens.find(url.format(domain=tokens.find(AZURE).issuer.partition(".")[2]))


def test_where_it_runs_and_whose_law_reaches_it():
    assert tokens.find(AZURE).jurisdiction == "DE, under the law of US"
    assert replace(tokens.find(AZURE), country=None).jurisdiction == "no stated country, under the law of US"
    assert replace(tokens.find(AZURE), country="US").jurisdiction == "US"


def test_azure_s_regions_are_the_catalogue_s():
    listed = {it.issuer.removeprefix("https://"): it.country for it in LISTED if it.kind == "azure"}
    known = {
        region.attestation_host: region.country
        for region in catalog.load().regions(cloud="azure")
        if (region.attestation_host or "").endswith(".attest.azure.net")
    }
    assert listed == known
