"""A scorecard never claims more than the evidence supports."""

import pytest
from pydantic import ValidationError

from policies.controls import Framework, frameworks
from policies.report.model import Result, Status
from policies.score import Scorecard, Scored, score

SOV = frameworks()["sov"]
RULES = {rule for requirement in SOV.requirements.values() for rule in requirement.rules}


def results(status: Status, *rules: str) -> list[Result]:
    return [Result(rule, "urn", status, "mandatory", "high") for rule in rules]


def of(card: Scorecard, name: str) -> Scored:
    return next(one for one in card.requirements if one.requirement == name)


def test_everything_passes_and_still_a_fifth_is_not_shown() -> None:
    card = score(SOV, results("pass", *RULES))
    assert {one.requirement for one in card.requirements if one.standing == "evidenced"} == {
        "SOV-2",
        "SOV-3",
        "SOV-4",
        "SOV-5",
        "SOV-6",
        "SOV-7",
    }
    assert card.ceiling == 80
    assert {one.standing for one in card.capped_by} == {"not expressible"}


def test_without_results_nothing_is_evidence() -> None:
    card = score(SOV, [])
    assert card.ceiling == 0
    assert of(card, "SOV-3").standing == "asserted"


def test_what_had_nothing_to_judge_is_no_evidence() -> None:
    assert of(score(SOV, results("not_applicable", *RULES)), "SOV-3").standing == "asserted"


def test_one_finding_outweighs_every_pass_even_if_it_is_waived() -> None:
    statuses: tuple[Status, ...] = ("fail", "unknown", "waived")
    for status in statuses:
        card = score(SOV, [*results("pass", *RULES), *results(status, "KEY-01")])
        assert of(card, "SOV-3").standing == "broken"
        assert of(card, "SOV-3").broken == ("KEY-01",)
        assert card.ceiling == 70


def test_a_framework_without_weights_and_levels_has_no_ceilings() -> None:
    card = score(frameworks()["nist"], results("pass", "KEY-01"))
    assert card.ceiling is None
    assert card.lowest is None
    assert {card.level(one) for one in card.requirements} == {None}


@pytest.mark.parametrize(
    ("laws", "legal", "supply"),
    [
        (("DE", "FR"), "SEAL-4", "SEAL-3"),
        (("DE", "US"), "SEAL-2", "SEAL-2"),
        ((), "SEAL-2", "SEAL-2"),
        (None, "SEAL-2", "SEAL-2"),
    ],
    ids=["of the Union", "of the United States", "of nobody", "unknown"],
)
def test_the_law_over_operators_and_the_makers_of_the_hardware_limit_the_level(
    laws: tuple[str, ...] | None, legal: str, supply: str
) -> None:
    card = score(SOV, results("pass", *RULES), laws)
    levels = {one.requirement: card.level(one) for one in card.requirements}
    assert str(levels["SOV-2"]).startswith(legal)
    assert str(levels["SOV-5"]).startswith(supply)
    assert levels["SOV-1"] is None, "no rule speaks for it, in either direction"
    assert str(card.lowest).startswith(supply)


def test_a_finding_leaves_the_lowest_level() -> None:
    card = score(SOV, [*results("pass", *RULES), *results("fail", "KEY-01")], ("DE",))
    assert str(card.level(of(card, "SOV-3"))).startswith("SEAL-0")
    assert str(card.lowest).startswith("SEAL-0")


def test_without_evidence_there_is_no_level_to_speak_of() -> None:
    assert str(score(SOV, [], ("DE",)).lowest).startswith("SEAL-0")


@pytest.mark.parametrize("wrong", [{"requirements": ("SOV-9",)}, {"level": 5}, {"level": -1}])
def test_a_limit_of_what_the_framework_lacks_is_refused(wrong: dict[str, object]) -> None:
    limit = SOV.limits[0].model_dump() | wrong
    with pytest.raises(ValidationError, match="that the framework lacks"):
        Framework.model_validate(SOV.model_dump() | {"limits": (limit,)})
