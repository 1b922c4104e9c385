"""A program's own components are in no package that rules know, and are judged by what is below them."""

import pytest

from policies import examples, pack
from policies.context import Declared
from policies.rule import Example, ExampleResource
from policies.rules.residency import RES_02
from policies.subject import Property, Provider, Resource
from policies.testing import Violation, judge
from policies.verdict import NotApplicable

OWN = ExampleResource("acme:platform:Store", "store", {})


def found(*resources: ExampleResource) -> list[Violation]:
    """What RES-02 says of a stack with these resources."""
    return list(judge(list(RES_02.policies()), Example("", resources)).violations)


def test_a_component_passes_with_what_is_below_it() -> None:
    assert found(OWN, examples.but(examples.VAULT, {}, parent="store")) == []


def test_what_is_below_it_is_judged_all_the_same() -> None:
    (violation,) = found(OWN, ExampleResource("azure-native:cdn:Profile", "front", {}, parent="store"))
    assert violation.urn.endswith("::front")


def test_what_groups_nothing_may_be_anything_and_is_refused() -> None:
    (violation,) = found(OWN, examples.VAULT)
    assert "is of a package that the rules for azure cannot judge" in violation.message


def test_what_a_provider_makes_is_no_component() -> None:
    made = Resource("urn", OWN.type, "store", Property("", {}), Provider("acme", "p", Property("", {})))
    (finding,) = RES_02.check(made, Declared(dict(examples.CONFIG), None))
    assert "cannot judge" in finding.found


def test_a_component_of_a_package_that_provisions_another_cloud_is_refused() -> None:
    foreign = ExampleResource("aws:ec2:Vpc", "network", {})
    violations = found(foreign, examples.but(examples.VAULT, {}, parent="network"))
    assert [one.urn.rpartition("::")[2] for one in violations] == ["network"]


def test_every_other_rule_is_silent_about_it() -> None:
    with pytest.raises(NotApplicable):
        list(RES_02.check(Resource("urn", OWN.type, "store", Property("", {})), Declared(dict(examples.CONFIG), None)))
    outcome = judge(pack.build(), Example("", (OWN, examples.but(examples.VAULT, {}, parent="store"))))
    assert not [one for one in outcome.violations if one.urn.endswith("::store")]
