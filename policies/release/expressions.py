"""Expressions as CEL and Rego share them, read into a small tree.

The two grammars agree on paths, literals, lists, calls and operators (github.com/google/cel-spec, doc/langdef.md;
openpolicyagent.org/docs/policy-language). What is well-formed and not needed to judge a release policy becomes
`Opaque`, of which a reader must believe nothing.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from policies.release.model import MalformedDocument

DEEPEST = 48
LONGEST = 100_000
"""Characters; a resource policy for a hundred keys is shorter."""


@dataclass(frozen=True, slots=True)
class Path:
    """A name, and what is reached from it by constant keys: `assertion.submods["cpu"]`."""

    keys: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: "Value"


@dataclass(frozen=True, slots=True)
class Items:
    """A list, or a set."""

    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Call:
    """A function, a method of `target`, or `[]`: a key of what a call returns."""

    function: str
    target: "Node | None"
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and what is between them."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Opaque:
    """Well-formed, and not understood."""


Value = str | int | float | bool | None | tuple[Any, ...]
"""A constant; a list of constants is a tuple."""
Node = Path | Literal | Items | Call | Operation | Opaque

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|\#[^\n]*|//[^\n]*)
    |(?P<line>\n)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'[^'\\\n]*'|`[^`]*`)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>==|!=|<=|>=|&&|\|\||:=|[-+*/%<>=!?:.,;()\[\]{}|&])""",
    re.VERBOSE,
)
_PRECEDENCE = {
    "?": 1,
    "||": 2,
    "&&": 3,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "="), 4),
    **dict.fromkeys(("|", "&"), 5),
    **dict.fromkeys(("+", "-"), 6),
    **dict.fromkeys(("*", "/", "%"), 7),
}
_UNARY = 8
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `kind` is line, text, number, name, sign or end."""

    kind: str
    text: str
    line: int


END = Token("end", "", 0)


def tokens(source: str) -> list[Token]:
    """The tokens of `source` without spaces and comments; raises `MalformedDocument`."""
    if len(source) > LONGEST:
        raise MalformedDocument("", f"is longer than {LONGEST} characters")
    return list(_tokens(source))


def _tokens(source: str) -> Iterator[Token]:
    position, line = 0, 1
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise MalformedDocument(f"line {line}", "has a character that the language does not have there")
        kind, text = str(match.lastgroup), match.group()
        if kind != "space":
            yield Token(kind, text, line)
        line += text.count("\n")
        position = match.end()


def parse(found: Sequence[Token]) -> Node:
    """One expression, which all of `found` must be; raises `MalformedDocument`."""
    reader = _Reader([token for token in found if token.kind != "line"])
    node = reader.expression(0)
    if reader.peek() is not END:
        raise MalformedDocument(f"line {reader.peek().line}", "goes on where an expression ends")
    return node


class _Reader:
    """Precedence climbing over a list of tokens."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._found = found
        self._next = 0
        self._depth = 0

    def peek(self) -> Token:
        return self._found[self._next] if self._next < len(self._found) else END

    def _take(self, text: str | None = None) -> Token:
        token = self.peek()
        if token is END or (text is not None and token.text != text):
            raise MalformedDocument(f"line {token.line}" if token.line else "", f"lacks {text or 'an operand'}")
        self._next += 1
        return token

    def _skip(self, text: str) -> bool:
        if self.peek().kind == "sign" and self.peek().text == text:
            self._next += 1
            return True
        return False

    def expression(self, least: int) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise MalformedDocument("", f"nests deeper than {DEEPEST} levels")
        node = self._operand()
        while (precedence := self._binary()) and precedence > least:
            operator = self._take().text
            if operator == "?":
                self.expression(0)
                self._take(":")
                self.expression(0)
                node = Opaque()
            else:
                node = Operation(operator, node, self.expression(precedence))
        self._depth -= 1
        return node

    def _binary(self) -> int:
        token = self.peek()
        return 0 if token.kind == "text" else _PRECEDENCE.get(token.text, 0)

    def _operand(self) -> Node:
        token = self._take()
        if token.kind == "sign" and token.text in "!-":
            operand = self.expression(_UNARY)
            negative = token.text == "-" and isinstance(operand, Literal) and isinstance(operand.value, int | float)
            return Literal(-operand.value) if negative else Opaque()  # type: ignore[operator,union-attr]
        return self._reached(self._primary(token))

    def _primary(self, token: Token) -> Node:
        if token.kind == "text":
            return Literal(_unquoted(token))
        if token.kind == "number":
            return Literal(float(token.text) if set(token.text) & set(".eE") else int(token.text))
        if token.kind == "name":
            return Literal(_CONSTANTS[token.text]) if token.text in _CONSTANTS else Path((token.text,))
        if token.text == "(":
            node = self.expression(0)
            self._take(")")
            return node
        if token.text == "[":
            return Items(self._list("]"))
        if token.text == "{":
            return self._braces()
        raise MalformedDocument(f"line {token.line}", "has a sign where an operand belongs")

    def _list(self, end: str) -> tuple[Node, ...]:
        found = []
        while not self._skip(end):
            found.append(self.expression(0))
            if not self._skip(","):
                self._take(end)
                break
        return tuple(found)

    def _braces(self) -> Node:
        found, pairs = [], False
        while not self._skip("}"):
            found.append(self.expression(0))
            if self._skip(":"):
                pairs = True
                self.expression(0)
            if not self._skip(","):
                self._take("}")
                break
        return Opaque() if pairs or not found else Items(tuple(found))

    def _reached(self, node: Node) -> Node:
        """What postfix keys and calls reach from `node`."""
        while True:
            if self._skip("."):
                name = self._take()
                if name.kind != "name":
                    raise MalformedDocument(f"line {name.line}", "lacks a name after a dot")
                node = Call(name.text, node, self._list(")")) if self._skip("(") else _key(node, Literal(name.text))
            elif self._skip("["):
                key = self.expression(0)
                self._take("]")
                node = _key(node, key)
            elif isinstance(node, Path) and len(node.keys) == 1 and self._skip("("):
                node = Call(str(node.keys[0]), None, self._list(")"))
            else:
                return node


def _key(node: Node, key: Node) -> Node:
    plain = isinstance(key, Literal) and isinstance(key.value, str | int) and not isinstance(key.value, bool)
    if isinstance(node, Path) and plain:
        return Path((*node.keys, key.value))  # type: ignore[union-attr,arg-type]
    return Call("[]", node, (key,)) if isinstance(node, Call) else Opaque()


def _unquoted(token: Token) -> str:
    if token.text[0] != '"':
        return token.text[1:-1]
    try:
        return str(json.loads(token.text))
    except json.JSONDecodeError:
        raise MalformedDocument(f"line {token.line}", "has an escape in a text that is not read here") from None
