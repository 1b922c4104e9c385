"""What a class takes or gives, read from its annotations: the one description of a component for every language."""

import ast
import inspect
import textwrap
from collections.abc import Awaitable, Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import Annotated, Any, Final, ForwardRef, Union, get_args, get_origin

import pulumi
from pydantic import BaseModel

from components.arguments import camel_case

SPELLED_OUT: Final = ("placement", "tags", "spec")
"""Inputs that other languages have as inputs for each of their fields: every component has the first two, and a region
takes the keys of a stack file."""
FOR_PYTHON: Final = ("HsmGrant",)
"""Alternatives to another type that become dynamic resources, which Pulumi has for programs in Python only."""
LOOKED_UP: Final = ("zone_ids",)
"""Mappings in which components look names up and which they never go through, so that one Output will do."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an annotation says of a value."""

    type: Any
    optional: bool
    """Whether there may be none."""
    late: bool
    """Whether it may be known only after deployment: an `Input` or an `Output`."""


def shape(annotation: Any) -> Shape:
    """The shape that an annotation states: a class, `Any`, a `Literal`, a generic of `collections.abc`; or none of it.

    Raises `TypeError` for a union, which other languages do not have.
    """
    annotation = _bare(annotation)
    if get_origin(annotation) is pulumi.Output:
        return replace(shape(get_args(annotation)[0]), late=True)
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    late = [part for part in parts if isinstance(part, ForwardRef) or get_origin(part) is Awaitable]  # an Input's
    types = {_bare(part) for part in parts if part is not NoneType and part not in late}
    types -= {one for one in types if getattr(one, "__name__", "") in FOR_PYTHON}
    if len(types) != 1:
        raise TypeError(f"{annotation} has {len(types)} types, and other languages take one")
    return Shape(types.pop(), optional=NoneType in parts, late=bool(late))


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


@dataclass(frozen=True, slots=True)
class Field:
    """One named part of a class."""

    owner: type
    name: str
    """In Python."""
    shape: Shape
    has_default: bool

    @property
    def meaning(self) -> str:
        """What the source says of it, or of its type where that is named for this one use."""
        of_type = self.shape.type.__doc__ if _is_ours(self.shape.type) else ""
        return meanings(self.owner).get(self.name) or inspect.cleandoc(of_type or "")

    @property
    def required(self) -> bool:
        """Whether there is neither a default nor a way to say that there is none."""
        return not self.has_default and not self.shape.optional

    @property
    def key(self) -> str:
        """Its name in other languages."""
        return camel_case(self.name)


def is_object(type_: Any) -> bool:
    """Whether values of a type have fields: a dataclass, a pydantic model, a component with outputs."""
    return inspect.isclass(type_) and (is_dataclass(type_) or issubclass(type_, BaseModel | pulumi.ComponentResource))


def fields_of(type_: type) -> Iterator[Field]:
    """The fields of a dataclass or a pydantic model; the outputs of a component, in the order of the source.

    A resource of a provider's SDK is no output: it stands for an order that programs in Python state with it, and
    other languages with `dependsOn` of the whole component.
    """
    for name, annotation, has_default in _annotated(type_):
        if not _is_resource(annotation):
            stated = shape(annotation)
            yield Field(type_, name, replace(stated, late=stated.late or name in LOOKED_UP), has_default)


def inputs_of(args: type) -> list[Field]:
    """What other languages give to a component whose Args are of this class."""
    found: dict[str, Field] = {}
    for field in fields_of(args):
        for one in inputs_of(field.shape.type) if field.name in SPELLED_OUT else [field]:
            found.setdefault(one.name, one)
    return list(found.values())


@cache
def meanings(type_: type) -> dict[str, str]:
    """What the source says of each field of a class: pydantic's descriptions, or the string below the annotation."""
    found: dict[str, str] = {}
    for base in reversed(type_.__mro__):
        if _is_ours(base):
            (source,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
            found |= _documented(source.body) if isinstance(source, ast.ClassDef) else {}
    if issubclass(type_, BaseModel):
        found |= {name: field.description for name, field in type_.model_fields.items() if field.description}
    return found


def _is_ours(type_: Any) -> bool:
    return inspect.isclass(type_) and type_.__module__.startswith("components.")


def _annotated(type_: type) -> Iterator[tuple[str, Any, bool]]:
    """Name, annotation and whether there is a default."""
    if is_dataclass(type_):
        for field in fields(type_):
            yield field.name, field.type, not field.default is field.default_factory is MISSING
    elif issubclass(type_, BaseModel):
        for name, info in type_.model_fields.items():
            yield name, info.annotation, not info.is_required()
    else:
        for name, annotation in inspect.get_annotations(type_).items():
            if not name.startswith("_"):
                yield name, annotation, False


def _is_resource(annotation: Any) -> bool:
    return any(part is pulumi.Resource for part in (annotation, *get_args(annotation)))


def _documented(statements: list[ast.stmt]) -> dict[str, str]:
    return {
        field.target.id: " ".join(following.value.value.split())
        for field, following in pairwise(statements)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
        and isinstance(following.value.value, str)
    }
