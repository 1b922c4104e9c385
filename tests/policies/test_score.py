"""A scorecard never claims more than the evidence supports."""

from policies.controls import frameworks
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


def test_a_framework_without_weights_has_no_ceiling() -> None:
    assert score(frameworks()["nist"], []).ceiling is None
