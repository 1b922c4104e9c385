"""Reads a CEL condition: what it asks of the claims at least (github.com/google/cel-spec, doc/langdef.md).

`&&`, `||`, comparisons with constants, and the macro `exists` over a list of constants are understood. All else, such
as `!`, `? :` and functions, asks nothing here. A claim that a token lacks is an error in CEL, which denies.
"""

from policies.release.asks import NEVER, NOTHING, Alternatives, Ask, Keys, Kind, all_of, any_of, comparison, constants
from policies.release.expressions import Call, Items, Literal, Node, Operation, Path, parse, tokens
from policies.release.model import MalformedDocument

SIGNER = "*signer"
"""Last key of the path of a list of image signatures, each written as algorithm, colon and key."""


def alternatives(condition: str) -> Alternatives:
    """What `condition` asks; raises `MalformedDocument`."""
    found = tokens(condition)
    if not found:
        raise MalformedDocument("", "is empty")
    return _asks(parse(found))


def claim_of(expression: str) -> Keys:
    """The path of the claim whose value `expression` is; empty for what computes one.

    The first of a list of signers that signed the image (`[…].filter(it, it in <names>)[0]`) counts as the signer.
    """
    node = parse(tokens(expression))
    if isinstance(node, Path):
        return node.keys
    match node:
        case Call("[]", Call("filter", Items(), (Path((name,)), Operation("in", Path((same,)), names))), (Literal(0),)):
            found = path_of(names)
            return found.keys if name == same and isinstance(found, Path) else ()
    return ()


def _asks(node: Node) -> Alternatives:
    if isinstance(node, Operation) and node.operator == "&&":
        return all_of((_asks(node.left), _asks(node.right)))
    if isinstance(node, Operation) and node.operator == "||":
        return any_of((_asks(node.left), _asks(node.right)))
    if isinstance(node, Operation):
        return comparison(Operation(node.operator, path_of(node.left), path_of(node.right)))
    if isinstance(node, Call):
        return _call(node)
    return comparison(node)


def _call(node: Call) -> Alternatives:
    if node.function == "startsWith" and isinstance(node.target, Path) and len(node.arguments) == 1:
        (prefix,) = node.arguments
        return ((Ask(Kind.STARTS, node.target.keys, (prefix.value,)),),) if isinstance(prefix, Literal) else NOTHING
    if node.function == "exists" and node.target is not None and len(node.arguments) == 2:
        values, (name, body) = constants(node.target), node.arguments
        if values is not None and isinstance(name, Path) and len(name.keys) == 1:
            return _merged([_asks(_bound(body, name, Literal(value))) for value in values])
    return NOTHING


def _merged(parts: list[Alternatives]) -> Alternatives:
    """One ask with all values, where every part is one ask about the same claim."""
    if not parts:
        return NEVER
    single = [part[0][0] for part in parts if len(part) == 1 and len(part[0]) == 1]
    if len(single) == len(parts) and len({(ask.kind, ask.path) for ask in single}) == 1:
        values = tuple(dict.fromkeys(value for ask in single for value in ask.values))
        return ((Ask(single[0].kind, single[0].path, values),),)
    return any_of(parts)


def _bound(node: Node, name: Path, value: Literal) -> Node:
    """`node` with the macro's variable replaced by one of its values."""
    if node == name:
        return value
    if isinstance(node, Operation):
        return Operation(node.operator, _bound(node.left, name, value), _bound(node.right, name, value))
    if isinstance(node, Call) and node.function == "startsWith":
        return Call(node.function, node.target, tuple(_bound(one, name, value) for one in node.arguments))
    return node


def path_of(node: Node) -> Node:
    """`node`, or the path of the signatures' names if it maps image signatures to `algorithm:key_id`."""
    if not (isinstance(node, Call) and node.function == "map" and isinstance(node.target, Path)):
        return node
    if len(node.arguments) != 2 or not isinstance(node.arguments[0], Path):
        return node
    name, body = node.arguments[0].keys, node.arguments[1]
    algorithm, key = Path((*name, "signature_algorithm")), Path((*name, "key_id"))
    wanted = Operation("+", Operation("+", algorithm, Literal(":")), key)
    return Path((*node.target.keys, SIGNER)) if body == wanted else node
