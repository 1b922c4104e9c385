"""What an emulated AWS resource type is: one record, read by `sandbox.clouds.aws.cloud`.

The schema comes from the SDK and the object from moto. An `AwsType` says how one becomes the other: which calls make,
change and remove the object, what the provider answers about it, and which catalogue facts and rules moto does not
know. A check that meets a value which a preview does not know yet is left for the deployment.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.clouds.hardware import Hardware
from sandbox.clouds.resource import View
from sandbox.clouds.store import Object, Store
from sandbox.provider import Properties
from sandbox.values import Value


class Session(Protocol):
    """What a `Call` may ask of the cloud."""

    store: Store
    hardware: Hardware
    types: Mapping[str, "AwsType"]

    def client(self, service: str, region: str) -> Any: ...

    def location(self) -> str: ...

    def now(self) -> float: ...

    def operation(self) -> AbstractContextManager[None]: ...

    def record(self, token: str, region: str, object_id: str) -> Object: ...


@dataclass(frozen=True)
class Call:
    """One operation on one object. `id` is '' before it is made; `before` are the inputs that it had."""

    session: Session
    type: "AwsType"
    urn: str
    inputs: View
    id: str = ""
    before: View = field(default_factory=lambda: View({}))
    preview: bool = False

    @property
    def region(self) -> str:
        """The resource's own region; that of the provider for what has none."""
        return self.inputs.text("region") or self.session.location()

    @property
    def key(self) -> str:
        """The object's id among the records."""
        return key_of(self.type, self.region, self.id)

    @property
    def name(self) -> str:
        """What the resource is called: its name property."""
        return self.inputs.text(self.type.name_property or "name")

    @property
    def tags(self) -> list[dict[str, str]]:
        """The tags as most services take them."""
        return [{"Key": key, "Value": str(value)} for key, value in self.tag_mapping.items()]

    @property
    def tag_mapping(self) -> dict[str, str]:
        return {key: str(value) for key, value in (self.inputs["tags"] or {}).items()}

    def client(self, service: str) -> Any:
        """The boto3 client of a service in the resource's region."""
        return self.session.client(service, self.region)

    def at(self, object_id: str) -> "Call":
        """The same operation on an object that now has an id."""
        return Call(self.session, self.type, self.urn, self.inputs, object_id, self.before, self.preview)

    def changed(self, path: str) -> bool:
        """Whether an update gives `path` another value."""
        return bool(self.before.properties) and self.before[path] != self.inputs[path]

    def given(self, **parameters: Value) -> dict[str, Value]:
        """Request parameters without those that the program left out."""
        return {name: value for name, value in parameters.items() if value not in (None, "", [], {})}


def key_of(kind: "AwsType", region: str, object_id: str) -> str:
    """Names are unique in a region and type only, so that an object's own id alone would not do."""
    return f"{kind.pulumi_type}|{region}|{object_id}"


def nothing(_call: Call) -> None:
    """There is nothing to do: the object goes with another one."""


def no_outputs(_call: Call) -> Properties:
    """The provider answers no more than the inputs."""
    return {}


@dataclass(frozen=True, kw_only=True)
class AwsType:
    """One emulated resource type.

    `pulumi_type` is Pulumi's name of it. `create` makes the object and returns the provider's id of it; `remove`
    deletes it; `change` brings it to new inputs, of which `in_place` lists the properties that AWS changes without a
    new object: every other change replaces. `answer` gives the computed outputs. `name_property` is the input that
    names it, filled in when left out. `defaults` are the provider's own. `checks` run in previews as well. `started`
    runs when the object is there, again after a run that was killed before it was done; `changed` after each change;
    `stopped` before the object goes; all outside the cloud's lock.
    """

    pulumi_type: str
    create: Callable[[Call], str]
    remove: Callable[[Call], None] = nothing
    change: Callable[[Call], None] = nothing
    answer: Callable[[Call], Properties] = no_outputs
    in_place: frozenset[str] = frozenset()
    name_property: str | None = None
    defaults: Mapping[str, Value] = field(default_factory=dict)
    checks: tuple[Callable[[Call], None], ...] = ()
    started: Callable[[Call], None] | None = None
    changed: Callable[[Call], None] | None = None
    stopped: Callable[[Call], None] | None = None
