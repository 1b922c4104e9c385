"""The page that a person reads: complete in one file, honest about the verdict, and deaf to what strangers wrote."""

from html.parser import HTMLParser
from typing import Any

import pytest

from tests.verifier.emulated_site import DEK, KEK, MEASUREMENT, PASSPHRASE, RESOURCE, Guest, Site
from tests.verifier.evidence.test_bundle import Export, deployed
from verifier.evidence import render_html
from verifier.signer import SoftwareSigner

HOSTILE = '"><script>alert(1)</script>&'


class Elements(HTMLParser):
    """Start tags with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag == name]


@pytest.fixture
def export(site: Site, guest: Guest) -> Export:
    return Export(deployed(site, guest, refused=guest.but(vmpl=3)), SoftwareSigner.generate())


def page(export: Export, content: bytes | None = None, **arguments: Any) -> Elements:
    content = content or export.file
    return Elements(render_html(content, export.verify(content, **arguments)))


def test_the_page_shows_verdict_checks_decisions_claims_and_policies(export: Export) -> None:
    text = page(export).text
    for expected in (
        "Verified.",
        "azure-germany",
        "emulated hardware, which proves nothing",
        "hardware.evidence",
        RESOURCE,
        KEK,
        MEASUREMENT.hex()[:16],
        "the report is from VMPL 3, the policy accepts 0",
        "policy.debug",
        "KEY-01",
    ):
        assert expected in text


def test_the_graph_is_drawn_with_what_leaves_outside_the_border(export: Export) -> None:
    elements = page(export)
    border = next(item for item in elements.tags("rect") if item["class"] == "border")
    cards = [item for item in elements.tags("rect") if (item["class"] or "").startswith("card")]
    bottom = int(border["y"] or 0) + int(border["height"] or 0)
    assert [item["class"] for item in cards] == ["card", "card out"]
    inside, outside = cards
    assert int(inside["y"] or 0) + int(inside["height"] or 0) < bottom < int(outside["y"] or 0)
    assert [item["class"] for item in elements.tags("path") if "edge" in (item.get("class") or "")] == [
        "edge",
        "edge out",
    ]


def test_cards_never_overlap(export: Export) -> None:
    edge = export.inputs.dependencies[0]
    kinds = ["keys", "dns", "compute", "network", "identity", "models", "images"]
    many = [dict(edge, kind=kinds[index % 7], name=f"n{index}") for index in range(23)]
    many += [dict(edge, kind=f"outside-{index}", jurisdiction="US", carries="metadata") for index in range(5)]
    elements = page(export.but(dependencies=many))
    boxes = [
        tuple(int(item[name] or 0) for name in ("x", "y", "width", "height"))
        for item in elements.tags("rect")
        if (item["class"] or "").startswith(("card", "centre"))
    ]
    assert len(boxes) == 7 + 5 + 1
    for index, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[index + 1 :]:
            apart_x = x + width <= other_x or other_x + other_width <= x
            apart_y = y + height <= other_y or other_y + other_height <= y
            assert apart_x or apart_y
    view = next(item["viewbox"] for item in elements.tags("svg") if item.get("role") == "img")
    _, _, page_width, page_height = (int(number) for number in (view or "").split())
    assert all(x + width <= page_width and y + height <= page_height for x, y, width, height in boxes)


def test_a_changed_bundle_is_shown_as_such_and_its_content_is_not(export: Export) -> None:
    changed = export.file.replace(b'"payload":"e', b'"payload":"f', 1)
    text = page(export, changed).text
    assert "Not verified." in text
    assert "was changed, or another key signed it" in text
    assert RESOURCE not in text


def test_an_unknown_signer_is_the_first_thing_that_one_reads(export: Export) -> None:
    assert "Not verified: the signer is not known." in page(export, trusted_key=None).text


def test_nothing_is_loaded_and_nothing_runs(export: Export) -> None:
    rendered = render_html(export.file, export.verify(export.file))
    elements = Elements(rendered)
    assert not {"script", "link", "img", "iframe", "object", "form", "a"} & {tag for tag, _ in elements.found}
    assert not any(name in attributes for _, attributes in elements.found for name in ("src", "href", "onload"))
    assert "url(" not in rendered
    assert "@import" not in rendered
    policies = [item["content"] for item in elements.tags("meta") if item.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_what_strangers_wrote_is_text(export: Export) -> None:
    dependency = dict(export.inputs.dependencies[0], name=HOSTILE, kind=HOSTILE, operator=HOSTILE)
    verdict = dict(export.inputs.verdicts[0], message=HOSTILE, status="waived", rule=HOSTILE)
    hostile = export.but(stack=HOSTILE, engine=HOSTILE, dependencies=[dependency], verdicts=[verdict])
    elements = page(hostile)
    assert elements.tags("script") == []
    assert elements.text.count(HOSTILE) >= 5


def test_no_secret_is_on_the_page(export: Export) -> None:
    rendered = render_html(export.file, export.verify(export.file))
    for secret in ("planted", DEK.hex(), PASSPHRASE):
        assert secret not in rendered


def test_a_broken_statement_still_gives_a_page(export: Export) -> None:
    broken = export.but(dependencies=[{"name": "no kind"}], verdicts=[{"rule": "X"}])
    outcome = broken.verify(broken.file)
    assert not outcome.ok
    assert "statements.form" in Elements(render_html(broken.file, outcome)).text
