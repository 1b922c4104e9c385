"""What a rule looks at: resources, and their properties, read one at a time.

The SDK hands a rule proxies that raise `UnknownValueError` when an unknown value is touched, even by `in` or `.get`,
and that servicer turns the error into an advisory note (pulumi-policy 1.21, `policy.py`). A `Property` never raises it:
it tells *stated* from *known*, and only `value` refuses, with `UnknownProperty`, which blocks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final

from pulumi_policy import PolicyProviderResource, PolicyResource, ResourceValidationArgs
from pulumi_policy.proxy import UnknownValueError

STACK_TYPE = "pulumi:pulumi:Stack"
STACK_REFERENCE = "pulumi:pulumi:StackReference"
PROVIDER_PREFIX = "pulumi:providers:"
COMPONENT_PREFIX = "bailiwick:"
COMPONENT_PROVIDER = "pulumi:providers:bailiwick"
"""The plugin that hosts the components for programs in other languages."""

_ABSENT: Final = object()
_UNKNOWN: Final = object()
_HIDDEN: Final = object()
"""Inside of what is unknown."""


class UnknownProperty(Exception):  # noqa: N818 - named for what it says
    """A rule needs the value of a property that exists only after deployment."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class MalformedProperty(Exception):  # noqa: N818 - named for what it says
    """A property has a shape that its type does not have: a string where an object belongs."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(f"{path} is not {expected}")
        self.path = path
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a resource: its path (`securityProfile.securityType`, `subnets[0].natGateway`) and its value.

    `null` counts as not stated. Inside an unknown object every property is unknown, under the object's path, because
    that is what a person has to make literal.
    """

    path: str
    _held: Any = field(repr=False)

    @property
    def stated(self) -> bool:
        """Whether the program says anything here, even if its value comes only with the deployment. Raises
        `UnknownProperty` inside of an unknown object, which may or may not have the property."""
        if self._held is _HIDDEN:
            raise UnknownProperty(self.path)
        return self._held is not _ABSENT

    @property
    def unknown(self) -> bool:
        return self._held is _UNKNOWN or self._held is _HIDDEN

    @property
    def value(self) -> Any:
        """The value; None when not stated. Raises `UnknownProperty` when it comes only with the deployment."""
        if self.unknown:
            raise UnknownProperty(self.path)
        return None if self._held is _ABSENT else self._held

    @property
    def text(self) -> str | None:
        """The value as a string; None when not stated. A value of another kind raises `MalformedProperty`."""
        value = self.value
        if value is not None and not isinstance(value, str):
            raise MalformedProperty(self.path, "a string")
        return value

    @property
    def flag(self) -> bool | None:
        """The value as a boolean; None when not stated. A value of another kind raises `MalformedProperty`."""
        value = self.value
        if value is not None and not isinstance(value, bool):
            raise MalformedProperty(self.path, "true or false")
        return value

    def at(self, *keys: str) -> "Property":
        """The property under these keys, one level for each."""
        found = self
        for key in keys:
            found = found._child(key)
        return found

    def names(self) -> tuple[str, ...]:
        """The keys of an object, none when not stated; raises `UnknownProperty` for an unknown object."""
        value = self.value
        if value is None:
            return ()
        if not isinstance(value, Mapping):
            raise MalformedProperty(self.path, "an object")
        return tuple(value)

    def items(self) -> "tuple[Property, ...]":
        """The elements of a list, none when not stated; raises `UnknownProperty` for an unknown list."""
        value = self.value
        if value is None:
            return ()
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise MalformedProperty(self.path, "a list")
        return tuple(Property(f"{self.path}[{index}]", _held(value, index)) for index in range(len(value)))

    def _child(self, key: str) -> "Property":
        if self.unknown:
            return Property(self.path, _HIDDEN)
        path = f"{self.path}.{key}" if self.path else key
        if self._held is _ABSENT:
            return Property(path, _ABSENT)
        if not isinstance(self._held, Mapping):
            raise MalformedProperty(self.path, "an object")
        return Property(path, _held(self._held, key))


def _held(container: Any, key: str | int) -> Any:
    """What `container` holds under `key`: a value, `_ABSENT` or `_UNKNOWN`."""
    try:
        value = container[key]
    except KeyError:
        return _ABSENT
    except UnknownValueError:
        return _UNKNOWN
    return _ABSENT if value is None else value


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider that a resource is made through: its package (`azure-native`), name and inputs."""

    package: str
    name: str
    props: Property

    @classmethod
    def from_args(cls, provider: PolicyProviderResource) -> "Provider":
        package = provider_package(provider.resource_type)
        return cls(package, provider.name, Property("", provider.props))


def provider_package(token: str) -> str:
    """The package of a provider's type token, without an API version: `azure-native`."""
    return token.removeprefix(PROVIDER_PREFIX).partition("_")[0]


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One resource: its inputs in a resource rule, its outputs in a stack rule.

    `type` is the token without an API version, so that `azure-native:compute/v20241101:VirtualMachine` and the same
    type from a package of its own version are what they are: a virtual machine.
    """

    urn: str
    type: str
    name: str
    props: Property
    provider: Provider | None = None
    ignored: tuple[str, ...] = ()
    """Properties whose changes the program has the engine ignore (`ignoreChanges`)."""

    @property
    def package(self) -> str:
        return self.type.partition(":")[0]

    @property
    def is_stack(self) -> bool:
        return self.type == STACK_TYPE

    @property
    def is_stack_reference(self) -> bool:
        """Whether it reads what another stack exports, and makes nothing."""
        return self.type == STACK_REFERENCE

    @property
    def is_provider(self) -> bool:
        return self.type.startswith(PROVIDER_PREFIX)

    @property
    def is_component(self) -> bool:
        """Whether it is one of Bailiwick's own groupings, which exist in no cloud."""
        return self.type.startswith(COMPONENT_PREFIX)

    @classmethod
    def from_args(cls, args: ResourceValidationArgs | PolicyResource) -> "Resource":
        provider = Provider.from_args(args.provider) if args.provider is not None else None
        ignored = tuple(args.opts.ignore_changes)
        return cls(args.urn, canonical_type(args.resource_type), args.name, Property("", args.props), provider, ignored)


@lru_cache(maxsize=4096)
def canonical_type(token: str) -> str:
    """`token` without an API version: `azure-native:compute/v20241101:Disk` is `azure-native:compute:Disk`.

    A package generated for one API version (`azure-native_compute_v20241101`) is the package that it was made from.
    Dynamic resources have no versions: `pulumi-python:dynamic/azure:ManagedHsmKey` is that.
    """
    package, separator, rest = token.partition(":")
    module, last, name = rest.rpartition(":")
    if not separator or not last or package in ("pulumi", "pulumi-python"):
        return token
    return f"{package.partition('_')[0]}:{module.partition('/')[0]}:{name}"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who has a right: by the text that names them, or, until that is known, by the resources that it comes from."""

    text: str | None
    origins: frozenset[str] = frozenset()
    """URNs."""

    @property
    def names(self) -> frozenset[str]:
        """All that it is known by; who may be the same principal has one of them too."""
        return self.origins | ({self.text} if self.text is not None else set())

    def may_be(self, other: "Principal") -> bool:
        if self.text is not None and other.text is not None:
            return self.text == other.text
        return bool(self.origins & other.origins)


class Stack:
    """Every resource of a stack after a preview or an update, with what refers to what."""

    def __init__(self, resources: Iterable[PolicyResource]) -> None:
        self._policy_resources = {resource.urn: resource for resource in resources}

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        return tuple(self._by_urn.values())

    @cached_property
    def _by_urn(self) -> dict[str, Resource]:
        return {urn: Resource.from_args(resource) for urn, resource in self._policy_resources.items()}

    @cached_property
    def parents(self) -> frozenset[str]:
        """URNs of the resources that others are below."""
        return frozenset(one.parent.urn for one in self._policy_resources.values() if one.parent is not None)

    def references(self, resource: Resource, key: str) -> tuple[Resource, ...]:
        """The resources that the top-level property `key` of `resource` is computed from, known or not yet known."""
        referenced = self._policy_resources[resource.urn].property_dependencies.get(key, [])
        return tuple(self._by_urn[other.urn] for other in referenced)

    def sources(self, resource: Resource) -> Iterator[Resource]:
        """The resources that any property of `resource` is computed from."""
        for key in self._policy_resources[resource.urn].property_dependencies:
            yield from self.references(resource, key)

    def principal(self, resource: Resource, name: Property, through: str) -> Principal:
        """Whom `name` names, part of the top-level property `through`; raises `UnknownProperty` if nothing tells."""
        origins = frozenset(one.urn for one in self.references(resource, through))
        return Principal(None if name.unknown and origins else name.text, origins)

    def inside(self, component: Resource) -> Iterator[Resource]:
        """The resources below `component`, at any depth."""
        for urn, resource in self._policy_resources.items():
            ancestor = resource.parent
            while ancestor is not None:
                if ancestor.urn == component.urn:
                    yield self._by_urn[urn]
                    break
                ancestor = ancestor.parent
