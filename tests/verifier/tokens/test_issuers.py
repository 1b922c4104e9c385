"""The list of issuers says of each value where it is from, and when that was read."""

from datetime import date

import yaml

from verifier import tokens
from verifier.tokens import issuers

LISTED = issuers._listed()


def test_every_value_has_a_dated_source():
    for issuer in LISTED:
        assert issuer.sources.keys() == {"issuer", "keys", "algorithms"}
        for text in issuer.sources.values():
            assert date.fromisoformat(text.rpartition(", ")[2]) <= date(2026, 11, 23)


def test_names_and_issuers_are_each_ones_own():
    names = [name for issuer in LISTED for name in (issuer.name, issuer.issuer)]
    assert len(names) == len(set(names))
    content = yaml.safe_load(issuers._DATA.read_text())
    assert len(LISTED) == len(content["services"]) + len(content["azure"]["providers"])


def test_a_customers_own_provider_has_the_sources_of_its_region():
    shared = tokens.find("azure-attestation-germanywestcentral")
    own = tokens.find(shared.issuer.replace("shareddewc", "contoso"))
    assert (own.country, own.sources) == (shared.country, shared.sources)
