"""What is wrong with a stack file, all of it at once, in words for the person who edits it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from catalog import nearest

NAMESPACE = "bailiwick"

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where (`bailiwick:machines[0].size`), and the nearest valid value if there is one."""

    path: str
    message: str
    nearest: str | None = None

    def __str__(self) -> str:
        advice = f"; nearest valid: {self.nearest}" if self.nearest else ""
        return f"{self.path}: {self.message}{advice}"


class SpecError(ValueError):
    """A stack file that cannot be used; `str(error)` has one line per problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems), key=lambda problem: (problem.path, problem.message))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def one(cls, path: str, message: str) -> "SpecError":
        return cls([Problem(path, message)])


def key_path(*parts: str | int) -> str:
    """`("machines", 0, "size")` as `bailiwick:machines[0].size`."""
    first, *rest = parts
    steps = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)
    return f"{NAMESPACE}:{first}{''.join(steps)}"


def translate(error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
    """The problems that pydantic found, in the words of the stack file."""
    for detail in error.errors(include_url=False):
        loc = detail["loc"]
        kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
        path = key_path(*loc)
        field = _field(model, loc)
        if kind == "missing":
            yield Problem(path, f"is missing ({_meaning(field)})")
        elif kind == "extra_forbidden":
            yield Problem(path, "is not a key of the specification", _nearest_key(model, loc))
        elif kind == "literal_error":
            allowed = _literals(field)
            yield Problem(path, f"'{given}' is not one of {', '.join(allowed)}", nearest(str(given), allowed))
        elif kind == "string_pattern_mismatch":
            yield Problem(path, f"'{given}' has the wrong form; right is for example {_example(field)}")
        elif kind in {"greater_than_equal", "less_than_equal"}:
            bound = context.get("ge", context.get("le"))
            word = "at least" if kind == "greater_than_equal" else "at most"
            yield Problem(path, f"{given} must be {word} {bound} ({_meaning(field)})", str(bound))
        elif kind == "too_short":
            if not given:  # else an entry is wrong by itself, and pydantic does not count it
                yield Problem(path, f"is empty ({_meaning(field)})")
        elif kind in _KINDS:
            quote = ": put it in quotes" if kind == "string_type" and isinstance(given, int | float) else ""
            yield Problem(path, f"must be {_KINDS[kind]}, not {_shown(given)}{quote}")
        else:
            yield Problem(path, detail["msg"])


def _shown(value: object) -> str:
    """A value of the wrong type in a few characters; never the content of a structure."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'"


def _meaning(field: FieldInfo | None) -> str:
    """A field's description, to stand in brackets."""
    text = (field.description if field else None) or "see the schema of stack files"
    return text.removesuffix(".")


def _example(field: FieldInfo | None) -> str:
    """An example of a field, or of an entry of its list."""
    examples = field.examples if field else None
    while examples and isinstance(examples[0], list):
        examples = examples[0]
    return str(examples[0]) if examples else "in the schema of stack files"


def _literals(field: FieldInfo | None) -> list[str]:
    def walk(annotation: Any) -> Iterator[str]:
        for argument in get_args(annotation):
            if isinstance(argument, str):
                yield argument
            else:
                yield from walk(argument)

    return list(walk(field.annotation)) if field else []


def _aliases(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _nested(field: FieldInfo | None) -> type[BaseModel] | None:
    """The model inside a field: of itself, or of the entries of its list."""
    for annotation in [field.annotation, *get_args(field.annotation)] if field else []:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
    return None


def _field(model: type[BaseModel], loc: Sequence[str | int]) -> FieldInfo | None:
    """The field at `loc` (aliases, list positions, entries of mappings); None where the model has none."""
    current: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in loc:
        if isinstance(part, int):
            continue
        if current is not None:  # else an entry of a mapping, whose field is the mapping's
            field = _aliases(current).get(part)
            current = _nested(field)
    return field


def _nearest_key(model: type[BaseModel], loc: Sequence[str | int]) -> str | None:
    parent = _nested(_field(model, loc[:-1])) if len(loc) > 1 else model
    return nearest(str(loc[-1]), _aliases(parent)) if parent else None
