"""The drawing of the jurisdiction graph: what stands where, and what each line says."""

from dataclasses import replace
from typing import Any

from tests.verifier.evidence.test_form import INPUTS, SIGNER, check
from verifier.evidence import build, render_html, to_bytes
from verifier.evidence.drawing import Drawing, draw
from verifier.evidence.page import render_svg


def edge(kind: str, **changes: Any) -> dict[str, Any]:
    found = {"kind": kind, "name": "zone", "location": "berlin", "operator": "Example", "jurisdiction": "DE"}
    return {name: value for name, value in (found | changes).items() if value is not None}


def drawn(*edges: dict[str, Any], **members: Any) -> Drawing:
    return draw("stack", {"jurisdiction": "DE", "inside": ["DE", "DE-BE"], "dependencies": edges} | members)


def test_a_line_says_where_who_and_under_whose_law() -> None:
    (card,) = drawn(edge("dns", legalReach=["DE", "US"], carries="keys"), edge("dns", legalReach=None)).cards
    first, second = card.lines
    assert (first.title, first.note) == ("zone", "berlin · Example · law of DE, US")
    assert (second.note, second.carries) == ("berlin · Example", "content")
    assert first.full == "zone: ; berlin · Example · law of DE, US; carries keys"


def test_long_texts_are_cut_and_told_in_full_elsewhere() -> None:
    (card,) = drawn(edge("dns", name="n" * 46, operator="o" * 60), edge("dns", name="m" * 47)).cards
    first, second = card.lines
    assert (first.title, second.title) == ("n" * 46, "m" * 45 + "…")
    assert (len(first.note), first.note[-1]) == (56, "…")
    assert "o" * 60 in first.full


def test_each_kind_is_a_card_and_the_columns_are_about_as_high() -> None:
    many = [edge("a") for _ in range(5)] + [edge(kind, jurisdiction="DE-BE") for kind in "bcd"]
    cards = drawn(*many).cards
    assert [card.kind for card in cards if card.x == cards[0].x] == ["a"]
    assert [card.kind for card in cards if card.x != cards[0].x] == ["b", "c", "d"]
    assert not any(card.outside for card in cards)


def test_what_is_outside_stands_below_the_border_two_in_a_row() -> None:
    drawing = drawn(edge("inside"), *(edge(kind, jurisdiction="US") for kind in "abcde"))
    outside = [card for card in drawing.cards if card.outside]
    left, right = outside[0].x, outside[1].x
    assert [card.x for card in outside] == [left, right, left, right, left]
    heights = [card.y for card in outside]
    assert heights[0] == heights[1] < heights[2] == heights[3] < heights[4]
    assert drawing.border_height + 52 == heights[0]
    assert heights[2] == heights[0] + outside[0].height + 14
    assert drawing.height == heights[4] + outside[4].height + 16


def test_a_stack_without_dependencies_is_drawn() -> None:
    drawing = drawn()
    assert drawing.cards == ()
    assert drawing.border_height < drawing.height


def test_what_a_region_lacks_stands_below_everything_else() -> None:
    bare, lacking = drawn(edge("dns")), drawn(edge("dns"), lacks=["no guests", "no disks"])
    assert bare.lacks == ()
    (first, _), (second, text) = lacking.lacks
    assert bare.border_height < first < second < lacking.height
    assert text == "no disks"


def test_the_page_is_of_the_file_and_cuts_digests() -> None:
    bundle = build(INPUTS, SIGNER)
    outcome = check(bundle)
    page = render_html(bundle, outcome)
    assert page == render_html(to_bytes(bundle), outcome)
    assert outcome.signer is not None
    assert f"{len(to_bytes(bundle))} bytes" in page


def test_the_page_says_why_a_rule_did_not_pass() -> None:
    (verdict,) = INPUTS.verdicts
    for status, shown in (("pass", False), ("not_applicable", False), ("waived", True), ("fail", True)):
        bundle = build(replace(INPUTS, verdicts=[dict(verdict, status=status, message="because of this")]), SIGNER)
        assert ("because of this" in render_html(bundle, check(bundle))) is shown


def test_the_image_stands_alone() -> None:
    image = render_svg("a <stack>", {"jurisdiction": "DE", "inside": ["DE"], "dependencies": [edge("dns")]})
    assert image.startswith("<svg")
    assert 'xmlns="http://www.w3.org/2000/svg"' in image
    assert "a &lt;stack&gt;" in image
