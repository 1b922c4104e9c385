"""Where everything goes in the drawing of the jurisdiction graph.

The stack is in the middle, its dependencies by kind on both sides, and a border around all that lies inside the
jurisdiction. What lies outside stands below the border, so that its edge crosses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 1080
_MARGIN = 16
_CARD_WIDTH = 350
_HEAD = 30
_LINE = 38
_TEXT = 20
_GAP = 14
_TOP = 56
_CENTRE_WIDTH = 200
_CENTRE_HEIGHT = 76
_TITLE_CHARACTERS = 46
_NOTE_CHARACTERS = 56


@dataclass(frozen=True)
class Line:
    """One dependency on a card. title: its name; note: where it is and who runs it; full: everything, for a tooltip."""

    title: str
    note: str
    full: str
    carries: str


@dataclass(frozen=True)
class Card:
    """The dependencies of one kind, at a place. edge: the path from the stack to the card."""

    kind: str
    lines: tuple[Line, ...]
    x: int
    y: int
    edge: str
    outside: bool

    @property
    def height(self) -> int:
        """Height in pixels."""
        return _height(len(self.lines))

    def rows(self) -> list[tuple[int, Line]]:
        """Each line with the y of its first baseline."""
        return [(self.y + _HEAD + 14 + index * _LINE, line) for index, line in enumerate(self.lines)]


@dataclass(frozen=True)
class Drawing:
    """Coordinates of a whole drawing, in pixels; the page's template turns them into SVG."""

    jurisdiction: str
    stack: str
    cards: tuple[Card, ...]
    border_height: int
    height: int
    centre_y: int
    lacks: tuple[tuple[int, str], ...] = ()
    """What a region of keys and log does not have, below everything else: the baseline of each line, and its text."""
    width: int = WIDTH
    card_width: int = _CARD_WIDTH
    centre_x: int = (WIDTH - _CENTRE_WIDTH) // 2
    centre_width: int = _CENTRE_WIDTH
    centre_height: int = _CENTRE_HEIGHT


def draw(stack: str, statement: Mapping[str, Any]) -> Drawing:
    """Lay out a `jurisdiction` statement: `jurisdiction`, `inside`, `dependencies`, and a region's `lacks`,
    if there are any."""
    inside = [edge for edge in statement["dependencies"] if edge["jurisdiction"] in statement["inside"]]
    outside = [edge for edge in statement["dependencies"] if edge["jurisdiction"] not in statement["inside"]]
    left, right = _balanced(_by_kind(inside))
    tallest = max(_column_height(left), _column_height(right), _CENTRE_HEIGHT)
    border_height = _TOP + tallest + _MARGIN
    centre_y = _TOP + (tallest - _CENTRE_HEIGHT) // 2
    cards = [*_column(left, side=-1, centre_y=centre_y), *_column(right, side=1, centre_y=centre_y)]
    below = _below(_by_kind(outside), border_height, centre_y)
    bottom = max((card.y + card.height for card in below), default=border_height + _MARGIN)
    lacks = [(bottom + (number + 1) * _TEXT, text) for number, text in enumerate(statement.get("lacks", ()))]
    return Drawing(
        jurisdiction=statement["jurisdiction"],
        stack=stack,
        cards=(*cards, *below),
        border_height=border_height,
        height=max((y for y, _ in lacks), default=bottom) + _MARGIN,
        centre_y=centre_y,
        lacks=tuple(lacks),
    )


def _by_kind(edges: Sequence[Mapping[str, Any]]) -> list[tuple[str, tuple[Line, ...]]]:
    kinds: dict[str, list[Line]] = {}
    for edge in edges:
        reach = ", ".join(edge.get("legalReach") or ())
        note = f"{edge['location']} · {edge['operator']}" + (f" · law of {reach}" if reach else "")
        full = f"{edge['name']}: {edge.get('endpoint', '')}; {note}; carries {edge.get('carries', 'content')}"
        title = _short(edge["name"], _TITLE_CHARACTERS)
        line = Line(title, _short(note, _NOTE_CHARACTERS), full, edge.get("carries", "content"))
        kinds.setdefault(edge["kind"], []).append(line)
    return [(kind, tuple(lines)) for kind, lines in sorted(kinds.items())]


def _balanced(groups: list[tuple[str, tuple[Line, ...]]]) -> tuple[list[Any], list[Any]]:
    """Two columns of about the same height: the tallest groups first, each to the shorter column."""
    columns: tuple[list[Any], list[Any]] = ([], [])
    for group in sorted(groups, key=lambda item: (-len(item[1]), item[0])):
        min(columns, key=_column_height).append(group)
    return columns


def _column(groups: list[tuple[str, tuple[Line, ...]]], *, side: int, centre_y: int) -> list[Card]:
    x = 2 * _MARGIN if side < 0 else WIDTH - 2 * _MARGIN - _CARD_WIDTH
    cards, y = [], _TOP
    for kind, lines in groups:
        cards.append(Card(kind, lines, x, y, _edge(side, y + _height(len(lines)) // 2, centre_y), outside=False))
        y += _height(len(lines)) + _GAP
    return cards


def _below(groups: list[tuple[str, tuple[Line, ...]]], border_height: int, centre_y: int) -> list[Card]:
    """Cards under the border, two in a row, each with an edge that crosses it."""
    cards, y, row_height = [], border_height + 2 * _MARGIN + 20, 0
    for index, (kind, lines) in enumerate(groups):
        if index and index % 2 == 0:
            y, row_height = y + row_height + _GAP, 0
        x = 2 * _MARGIN if index % 2 == 0 else WIDTH - 2 * _MARGIN - _CARD_WIDTH
        middle, target = WIDTH // 2, y + _height(len(lines)) // 2
        end = x + _CARD_WIDTH if index % 2 == 0 else x
        edge = f"M{middle} {centre_y + _CENTRE_HEIGHT} V{target - _LINE} Q{middle} {target} {end} {target}"
        cards.append(Card(kind, lines, x, y, edge, outside=True))
        row_height = max(row_height, _height(len(lines)))
    return cards


def _edge(side: int, y: int, centre_y: int) -> str:
    start = WIDTH // 2 + side * _CENTRE_WIDTH // 2
    end = WIDTH // 2 + side * (WIDTH // 2 - 2 * _MARGIN - _CARD_WIDTH)
    middle = (start + end) // 2
    from_y = centre_y + _CENTRE_HEIGHT // 2
    return f"M{start} {from_y} C{middle} {from_y} {middle} {y} {end} {y}"


def _height(lines: int) -> int:
    return _HEAD + lines * _LINE + 6


def _column_height(groups: Sequence[tuple[str, tuple[Line, ...]]]) -> int:
    return sum(_height(len(lines)) + _GAP for _, lines in groups) - (_GAP if groups else 0)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
