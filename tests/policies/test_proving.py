"""`prove` finds each flaw that it exists for, and what the page about it shows runs."""

import re
import runpy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policies.conditions import OneOf
from policies.context import Declared
from policies.proving import flaws
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Resource
from policies.terms import Setting
from policies.verdict import Finding, require

PAGE = Path(__file__).parents[2] / "docs" / "policies" / "testing.md"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page's program defines."""
    _, program = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path_factory.mktemp("page") / "test_own.py"
    file.write_text(program, encoding="utf-8")
    return runpy.run_path(str(file))


@pytest.fixture
def rule(page: dict[str, Any]) -> Rule:
    found: Rule = page["KEYLESS"]
    return found


def test_the_page_s_rule_is_proven_as_the_page_says(page: dict[str, Any], prove: Any) -> None:
    page["test_keyless"](prove)


def test_a_failing_example_that_is_let_through(rule: Rule) -> None:
    (flaw,) = flaws(replace(rule, failing=(rule.passing,)))
    assert flaw == "OWN-01 azure, 'No shared key.': is let through"


def test_a_passing_example_that_is_refused_or_not_judged(rule: Rule) -> None:
    refused = flaws(replace(rule, passing=rule.failing[0]))
    assert any("the passing example: is refused: OWN-01" in flaw for flaw in refused)
    elsewhere = Example("", (ExampleResource("azure-native:search:Service", "x", {}),))
    assert any("is not judged at all" in flaw for flaw in flaws(replace(rule, passing=elsewhere)))


def test_a_property_that_is_read_for_nothing(rule: Rule) -> None:
    def curious(resource: Resource, declared: Declared) -> Iterator[Finding]:
        assert resource.props.at("kind").value != ""
        yield from rule.check(resource, declared) if rule.check else ()

    example = Example(
        "", (ExampleResource("azure-native:storage:StorageAccount", "data", {**_props(rule), "kind": "x"}),)
    )
    noted = replace(rule, check=curious, passing=example)
    assert "OWN-01 reads kind and says the same whatever it is" in flaws(noted)
    assert "OWN-01 reads kind and says the same whatever it is" not in flaws(noted, irrelevant={"kind"})
    assert "OWN-01 does decide by owner, or never reads it" in flaws(noted, irrelevant={"kind", "owner"})


def test_an_unknown_value_that_is_let_through_and_a_secret_that_is_printed(rule: Rule) -> None:
    def careless(resource: Resource, _: Declared) -> Iterator[Finding]:
        shared = resource.props.at("allowSharedKeyAccess")
        if shared.unknown:
            return
        if shared.value is not False:
            yield Finding("allowSharedKeyAccess", f"is {shared.value}", "false")

    found = flaws(replace(rule, check=careless))
    assert (
        "OWN-01 azure, the passing example: data allowSharedKeyAccess decides, and does not block when it is unknown"
        in found
    )
    assert "OWN-01 azure, the passing example: prints a secret in data allowSharedKeyAccess" in found


def test_an_object_that_is_let_through_when_all_of_it_is_unknown(rule: Rule) -> None:
    def careless(resource: Resource, _: Declared) -> Iterator[Finding]:
        if not resource.props.at("encryption").unknown:
            yield from require(Setting(resource.props.at("encryption", "enabled"), OneOf((True,))))

    on, off = (
        Example("", (ExampleResource("azure-native:storage:StorageAccount", "data", {"encryption": {"enabled": one}}),))
        for one in (True, False)
    )
    assert flaws(replace(rule, check=careless, passing=on, failing=(off,))) == [
        "OWN-01 azure, the passing example: data encryption decides, and does not block when it is unknown",
        "OWN-01 azure, '': passes when data encryption is unknown",
    ]


def test_a_rule_that_fails_with_an_error(rule: Rule) -> None:
    def broken(resource: Resource, _: Declared) -> Iterator[Finding]:
        yield from require(Setting(resource.props.at("allowSharedKeyAccess"), OneOf((False,))))
        raise ZeroDivisionError

    assert any("the message does not say in one line" in flaw for flaw in flaws(replace(rule, check=broken)))


def _props(rule: Rule) -> dict[str, Any]:
    return dict(rule.passing.resources[0].props)
