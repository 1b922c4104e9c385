"""What an emulated resource type is: one record, read by `sandbox.clouds.core`.

The schema comes from the SDK. A `ResourceType` adds what the SDK does not say: how the type is named and identified,
what it refers to, what cannot change, what the cloud checks, and what it answers. Each check is one function of a
`Request`; it raises `CloudError` with the cloud's own wording. A check that needs a value which a preview does not
know yet meets `Undetermined`, and is then left for the deployment itself.
"""

import datetime
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sandbox.clouds.claims import Claims
from sandbox.clouds.hardware import Hardware
from sandbox.clouds.store import Grave, Object, Store
from sandbox.provider import ProviderError
from sandbox.values import UNKNOWN, Value


class CloudError(ProviderError):
    """A refusal in the cloud's wording: `code: message`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Undetermined(Exception):  # noqa: N818 - not an error: a question that this preview cannot answer
    """The value asked for is known only after deployment."""


class View:
    """Read access to a property bag by dotted path; an unknown value raises `Undetermined`."""

    def __init__(self, properties: Mapping[str, Value]) -> None:
        self.properties = properties

    def __getitem__(self, path: str) -> Value:
        """The value at `path`, None where any step of it is absent."""
        value: Value = self.properties
        for step in path.split("."):
            if value is UNKNOWN:
                raise Undetermined(path)
            if not isinstance(value, Mapping):
                return None
            value = value.get(step)
        if value is UNKNOWN:
            raise Undetermined(path)
        return value

    def text(self, path: str) -> str:
        """The string at `path`; '' where it is absent."""
        return str(self[path] or "")

    def items(self, path: str) -> "list[View]":
        """The objects of the list at `path`."""
        found = self[path] or []
        if any(item is UNKNOWN for item in found):
            raise Undetermined(path)
        return [View(item) for item in found]


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose objects they are, and where they go by default.

    `id` is the Azure subscription, the Google Cloud project or the AWS account; a cloud adds what else it knows.
    """

    id: str
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """An input that names another object. `path` is dotted, `[]` after a list: `ipConfigurations[].subnet.id`.

    `kinds` are the types that it may name, any when empty. With `same_location` both must be in one region.
    """

    path: str
    kinds: tuple[str, ...] = ()
    same_location: bool = False


@dataclass(frozen=True, slots=True)
class SoftDelete:
    """Deleted objects of this type keep their name for a while. `space` is the namespace of the names.

    `meets` judges a new object against the deleted one of its name, or None: it returns where the cloud recovers the
    deleted one (or makes a new one), and raises the cloud's refusal otherwise. `purged` is told when the object is
    gone for good.
    """

    space: Callable[["Request"], str]
    retention_days: Callable[["Request"], int]
    meets: Callable[["Request", Grave | None], None]
    purged: Callable[[Hardware, Grave], None] = lambda _hardware, _grave: None


class Session(Protocol):
    """What a `Request` may ask of the cloud."""

    store: Store
    foretold_claims: Claims
    hardware: Hardware
    account: Account

    def lookup(self, object_id: str, *, preview: bool) -> Object | None: ...

    def siblings(self, parent: str, kind: str, *, preview: bool) -> list[Object]: ...


@dataclass(frozen=True)
class Request:
    """One create, update or delete of one object. `before` is the existing object, None on a create."""

    session: Session
    type: "ResourceType"
    urn: str
    id: str
    parent: str
    inputs: View
    before: Object | None = None
    preview: bool = False

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[-1]

    @property
    def store(self) -> Store:
        return self.session.store

    @property
    def claims(self) -> Claims:
        """The names that are taken: by what exists, or in a preview by what was foretold so far."""
        return self.session.foretold_claims if self.preview else self.store.claims

    def find(self, object_id: str) -> Object:
        """The object with that id. Raises `Undetermined` where a preview does not have it yet, else `CloudError`."""
        found = self.session.lookup(object_id, preview=self.preview)
        if found is None and self.preview:
            raise Undetermined(object_id)
        if found is None:
            raise CloudError("ResourceNotFound", f"The Resource '{object_id}' was not found.")
        return found

    def siblings(self, parent: str | None = None, kind: str | None = None) -> list[Object]:
        """The other objects of the same type in the same parent; in a preview, those foretold so far."""
        found = self.session.siblings(parent or self.parent, kind or self.type.kind, preview=self.preview)
        return [item for item in found if item.id.lower() != self.id.lower()]

    def location_of(self, item: Object) -> str:
        return str(item.outputs.get("location") or "")

    def keep(self, name: str, make: Callable[[], Value]) -> Value:
        """An output that is made once, at creation, and unknown before."""
        if self.before is not None:
            return self.before.outputs.get(name)
        if self.preview:
            raise Undetermined(name)
        return make()

    def changed(self, path: str) -> bool:
        """Whether an update gives `path` another value than the object has."""
        return self.before is not None and View(self.before.inputs)[path] != self.inputs[path]


Check = Callable[[Request], None]
Compute = Callable[[Request], Value]
Hook = Callable[[Request, Object], None]


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One emulated resource type.

    `pulumi_type` is Pulumi's token of it, `kind` the cloud's. `identify` gives (id, parent id) from the inputs.
    `name_property` is the input that names it, `naming` how it is named when that is left out. `located` says what
    its `location` may be. `replace_on` are paths whose change makes a new object. `open_enums` are inputs for which
    the SDK's enum is only a list of examples. `in_use` judges a delete by the objects that refer to this one.
    `embedded` maps an inline list to the path segment that identifies its members
    (`frontendIPConfigurations`). `started` runs after the object is written, outside the cloud's lock, again after a
    run that was killed before it was done; `stopped` before the object goes. One that `survives` stays in the cloud,
    name and all, when it is deleted (a Google key ring).
    """

    pulumi_type: str
    kind: str
    identify: Callable[[Account, View], tuple[str, str]]
    name_property: str | None
    naming: Literal["random", "copy", "uuid"] = "random"
    located: Literal["region", "global", "none"] = "region"
    replace_on: tuple[str, ...] = ()
    open_enums: frozenset[str] = frozenset()
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()
    outputs: Mapping[str, Compute] = field(default_factory=dict)
    embedded: Mapping[str, str] = field(default_factory=dict)
    in_use: Callable[[Request, list[Object]], None] | None = None
    started: Hook | None = None
    stopped: Hook | None = None
    soft_delete: SoftDelete | None = None
    survives: bool = False


def fresh_guid(name: str) -> Compute:
    """An output that is a random GUID, made at creation."""
    return lambda request: request.keep(name, lambda: str(uuid.uuid4()))


def creation_time(name: str) -> Compute:
    """An output that is the moment of creation, RFC 3339 in UTC."""
    return lambda request: request.keep(name, now)


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def constant(value: Value) -> Compute:
    return lambda _request: value


def referenced(properties: Mapping[str, Value], path: str) -> Iterator[tuple[str, Value]]:
    """The values at a `Reference.path`, each with its exact place; unknown and absent ones are left out."""
    yield from _walk(properties, path.split("."), "")


def _walk(value: Value, steps: list[str], place: str) -> Iterator[tuple[str, Value]]:
    if value is None or value is UNKNOWN:
        return
    if not steps:
        yield place, value
        return
    if not isinstance(value, Mapping):
        return
    step, rest = steps[0], steps[1:]
    name = step.removesuffix("[]")
    where = f"{place}.{name}" if place else name
    inner = value.get(name)
    if step.endswith("[]"):
        items: Iterable[Value] = inner if isinstance(inner, list) else ()
        for index, item in enumerate(items):
            yield from _walk(item, rest, f"{where}[{index}]")
    else:
        yield from _walk(inner, rest, where)
