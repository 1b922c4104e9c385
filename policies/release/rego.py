"""Reads a Rego module: what its rules ask of the input at least (openpolicyagent.org/docs/policy-language).

Comparisons of constant paths with constants are understood, names of such paths, helper rules and functions made of
them. All else, such as `not`, `every`, comprehensions, `with` and built-in functions, asks nothing here, so that the
reading is an upper bound of whom the module lets in. Whoever relies on more gets a finding, never a pass.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from policies.release.asks import NEVER, NOTHING, Alternatives, all_of, any_of, comparison
from policies.release.expressions import (
    END,
    Call,
    Items,
    Literal,
    Node,
    Opaque,
    Operation,
    Path,
    Token,
    parse,
    tokens,
)
from policies.release.model import MalformedDocument

DEEPEST = 16
_OPEN: Final = {"(": ")", "[": "]", "{": "}"}
_GOES_ON: Final = frozenset(
    {"with", ".", "==", "!=", "<", "<=", ">", ">=", "in", "=", ":=", "|", "&", "+", "-", "*", "/", "%"}
)
"""What a line begins with that belongs to the line before it."""
_ROOTS: Final = frozenset({"input", "data"})

_Statement = Sequence[Token]
_Names = Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One definition: parameters of a function, the value, and a body; a rule without body always holds."""

    value: Node
    parameters: tuple[Node, ...] | None = None
    body: tuple[_Statement, ...] | None = None
    partial: bool = False


@dataclass
class Module:
    """A module's package, rules and defaults."""

    package: str = ""
    rules: dict[str, list[_Rule]] = field(default_factory=dict)
    defaults: dict[str, Node] = field(default_factory=dict)

    def alternatives(self, name: str) -> Alternatives:
        """What must hold for the rule `name` to be true; raises `MalformedDocument`."""
        if name not in self:
            raise MalformedDocument("", f"has no rule {name}")
        return self._rule(name, (), 0)

    def __contains__(self, name: str) -> bool:
        return name in self.rules or name in self.defaults

    def always(self, name: str) -> bool:
        """Whether the rule `name` is true by default, or by a definition that asks nothing."""
        true = Literal(value=True)
        stated = (rule for rule in self.rules.get(name, ()) if rule.value == true and not rule.partial)
        return self.defaults.get(name) == true or any(
            all([token.text for token in statement] == ["true"] for statement in rule.body or ()) for rule in stated
        )

    def _rule(self, name: str, arguments: Sequence[Node], depth: int) -> Alternatives:
        if depth > DEEPEST:
            raise MalformedDocument("", f"has rules that need each other {DEEPEST} levels deep")
        default = self.defaults.get(name, Literal(value=False))
        parts = [NEVER if default == Literal(value=False) else NOTHING]
        for rule in self.rules.get(name, ()):
            if rule.partial:
                parts.append(NOTHING)
            elif rule.value != Literal(value=False):
                parts.append(self._body(rule, arguments, depth))
        return any_of(parts)

    def _body(self, rule: _Rule, arguments: Sequence[Node], depth: int) -> Alternatives:
        parameters = rule.parameters or ()
        if len(parameters) != len(arguments):
            raise MalformedDocument("", "calls a function with another number of arguments")
        names: dict[str, Node] = {
            str(parameter.keys[0]): argument
            for parameter, argument in zip(parameters, arguments, strict=True)
            if isinstance(parameter, Path)
        }
        statements = rule.body or ()
        names |= {name: Opaque() for statement in statements for name in _declared(statement)}
        parts = []
        for statement in statements:
            if len(statement) > 1 and statement[1].text == ":=" and statement[0].kind == "name":
                names[statement[0].text] = self._resolved(_parsed(statement[2:]), names)
            else:
                parts.append(self._asks(_parsed(statement), names, depth))
        return all_of(parts)

    def _asks(self, node: Node, names: _Names, depth: int) -> Alternatives:
        if isinstance(node, Path) and len(node.keys) == 1 and self._is_rule(node, names):
            if not self._constant(str(node.keys[0])):
                return self._rule(str(node.keys[0]), (), depth + 1)
        elif isinstance(node, Call) and node.target is None and node.function in self.rules:
            arguments = [self._resolved(argument, names) for argument in node.arguments]
            return self._rule(node.function, arguments, depth + 1)
        return comparison(self._resolved(node, names))

    def _is_rule(self, node: Path, names: _Names) -> bool:
        return node.keys[0] not in names and node.keys[0] in self.rules

    def _constant(self, name: str) -> Node | None:
        """The value of a rule that always has the same one."""
        rules = self.rules[name]
        only = rules[0]
        always = len(rules) == 1 and name not in self.defaults and only.body is None
        return only.value if always and only.parameters is None and not only.partial else None

    def _resolved(self, node: Node, names: _Names, depth: int = 0) -> Node:
        """`node` with names replaced by what they stand for."""
        if depth > DEEPEST:
            return Opaque()
        if isinstance(node, Path):
            return self._named(node, names, depth)
        if isinstance(node, Items):
            return Items(tuple(self._resolved(item, names, depth + 1) for item in node.items))
        if isinstance(node, Operation):
            left, right = (self._resolved(one, names, depth + 1) for one in (node.left, node.right))
            return Operation(node.operator, left, right)
        if isinstance(node, Call) and node.target is None and node.function == "to_number":
            return self._resolved(node.arguments[0], names, depth + 1) if len(node.arguments) == 1 else Opaque()
        return node if isinstance(node, Literal) else Opaque()

    def _named(self, node: Path, names: _Names, depth: int) -> Node:
        root, rest = str(node.keys[0]), node.keys[1:]
        if root in names:
            base = names[root]
        elif root in _ROOTS:
            return node
        elif root in self.rules:
            base = self._resolved(self._constant(root) or Opaque(), {}, depth + 1)
        else:
            return Opaque()
        if isinstance(base, Path):
            return Path((*base.keys, *rest))
        return Opaque() if rest else base


def read(source: str) -> Module:
    """The module `source`; raises `MalformedDocument`."""
    return _Reader(tokens(source)).module()


def _parsed(statement: _Statement) -> Node:
    """The expression that a statement is; opaque where it is more than an expression."""
    try:
        return parse(statement)
    except MalformedDocument:
        return Opaque()


def _declared(statement: _Statement) -> Iterator[str]:
    """Names that are variables of the body: they hide rules of the same name."""
    for before, token in zip((END, *statement), statement, strict=False):
        if token.text == ":=" and before.kind == "name":
            yield before.text
    if statement and statement[0].text == "some":
        yield from (token.text for token in statement[1:] if token.kind == "name")


class _Reader:
    """Cuts tokens into rules and statements, by brackets and line ends alone."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._found = found
        self._next = 0

    def module(self) -> Module:
        module = Module()
        while self._skip_lines() is not END:
            word = self._take().text
            if word == "package":
                module.package = "".join(token.text for token in self._line())
            elif word == "import":
                self._line()
            elif word == "default":
                name = self._take().text
                self._take()
                module.defaults[name] = _parsed(self._line())
            else:
                self._rule(module.rules.setdefault(word, []))
        return module

    def _peek(self) -> Token:
        return self._found[self._next] if self._next < len(self._found) else END

    def _take(self) -> Token:
        token = self._peek()
        if token is END:
            raise MalformedDocument("", "ends in the middle of a rule")
        self._next += 1
        return token

    def _skip_lines(self) -> Token:
        while self._peek().kind == "line" or self._peek().text == ";":
            self._next += 1
        return self._peek()

    def _rule(self, rules: list[_Rule]) -> None:
        if self._found[self._next - 1].kind != "name":
            raise MalformedDocument(f"line {self._found[self._next - 1].line}", "does not begin a rule")
        parameters: tuple[Node, ...] | None = None
        partial = False
        if self._peek().text == "(":
            inner = self._group()
            items = _parsed([Token("sign", "[", 0), *inner, Token("sign", "]", 0)])
            parameters = items.items if isinstance(items, Items) else ()
        while self._peek().text in ("[", ".", "contains"):
            partial = True
            self._head_key()
        rules.append(self._definition(parameters, partial=partial))
        while self._goes_on():
            if self._peek().text == "else":
                self._take()
            rules.append(self._definition(parameters, partial=partial))

    def _head_key(self) -> None:
        token = self._peek()
        if token.text == "[":
            self._group()
        elif token.text == ".":
            self._next += 2
        else:
            self._until_body()

    def _goes_on(self) -> bool:
        """Whether `else` or another body of the same rule follows."""
        before = self._next
        if self._skip_lines().text == "else" or (self._peek().text == "{" and before == self._next):
            return True
        self._next = before
        return False

    def _definition(self, parameters: tuple[Node, ...] | None, *, partial: bool) -> _Rule:
        value: Node = Literal(value=True)
        if self._peek().text in (":=", "="):
            self._take()
            value = _parsed(self._until_body())
        conditional = self._peek().text == "if"
        if conditional:
            self._take()
        body: tuple[_Statement, ...] | None = None
        if self._peek().text == "{":
            body = _statements(self._group())
        elif conditional:
            body = _statements(self._line())
        elif self._peek() is not END and self._peek().kind != "line":
            raise MalformedDocument(f"line {self._peek().line}", "has a rule head that is not read here")
        return _Rule(value, parameters, body, partial)

    def _until_body(self) -> list[Token]:
        """A value in a rule's head: up to `if`, a body, or the end of the line."""
        found: list[Token] = []
        while (token := self._peek()) is not END and token.kind != "line" and token.text != "if":
            if token.text == "{" and found:
                break
            if token.kind == "sign" and token.text in _OPEN:
                found += [token, *self._group(), Token("sign", _OPEN[token.text], token.line)]
            else:
                found.append(self._take())
        return found

    def _line(self) -> list[Token]:
        """The rest of the line, and of the brackets that it opens."""
        found: list[Token] = []
        while (token := self._peek()) is not END and token.kind != "line":
            if token.kind == "sign" and token.text in _OPEN:
                found += [token, *self._group(), Token("sign", _OPEN[token.text], token.line)]
            else:
                found.append(self._take())
        return found

    def _group(self) -> list[Token]:
        """What stands between a bracket and its partner."""
        start = self._take()
        expected, found = [_OPEN[start.text]], list[Token]()
        while True:
            token = self._take()
            if token.kind == "sign" and token.text in _OPEN:
                expected.append(_OPEN[token.text])
            elif token.kind == "sign" and token.text in _OPEN.values():
                if expected.pop() != token.text:
                    raise MalformedDocument(f"line {token.line}", "has a bracket without its partner")
                if not expected:
                    return found
            found.append(token)


def _statements(found: Sequence[Token]) -> tuple[_Statement, ...]:
    """The statements of a body; one that the next line goes on with is left out, which makes it ask nothing."""
    cut: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        if token.kind == "sign":
            depth += (token.text in _OPEN) - (token.text in _OPEN.values())
        if depth == 0 and (token.kind == "line" or token.text == ";"):
            cut.append([])
        else:
            cut[-1].append(token)
    whole = [statement for statement in cut if statement]
    return tuple(
        statement
        for statement, after in zip(whole, [*whole, [END]][1:], strict=True)
        if after[0].text not in _GOES_ON and statement[0].text not in _GOES_ON
    )
