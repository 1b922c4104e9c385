"""Dynamic resources of a program (`pulumi.dynamic`), as the plugin `pulumi-resource-pulumi-python` runs them.

The provider in a resource's `__provider` is loaded and asked, as there (sdk/python/lib/pulumi/dynamic/__main__.py);
only those are that a cloud knows how to connect to its emulation. Everything else about a dynamic resource is real.
"""

import base64
import pickle
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from pulumi.dynamic import ResourceProvider
from pulumi.runtime import rpc

from sandbox.clouds.difference import differing
from sandbox.engine.urn import type_of
from sandbox.provider import Checked, CheckFailure, Created, Diff, Properties, ProviderError, Read
from sandbox.values import UNKNOWN, Value

_PROVIDER = "__provider"
_PREFIX = "pulumi-python:dynamic/"

_T = TypeVar("_T")
Connect = Callable[[ResourceProvider], None]
Known = tuple[Mapping[str, type[ResourceProvider]], Connect]
"""The provider's class by type (`azure:ManagedHsmKey`), and what leads a loaded provider to the emulation."""


class DynamicProvider:
    """Implements `Provider` for the package of dynamic resources. Thread-safe as far as their providers are.

    `known` is asked when there is the first such resource: most programs have none, and need no SDK of theirs.
    """

    package = "pulumi-python"
    version = "0.1.0"

    def __init__(self, known: Callable[[], Known]) -> None:
        self._ask = known
        self._known: Known | None = None
        self._lock = threading.Lock()

    def configure(self, config: Properties) -> None:
        """Dynamic providers have no configuration of their own."""

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        checked = self._load(urn, news).check(_plain(olds), _plain(news))
        failures = tuple(CheckFailure(failure.property, failure.reason) for failure in checked.failures)
        return Checked({**_marked(checked.inputs), _PROVIDER: news[_PROVIDER]}, failures)

    def diff(self, urn: str, id: str, olds: Properties, outputs: Properties, news: Properties) -> Diff:  # noqa: A002
        found = self._load(urn, news).diff(id, _plain(outputs), _plain(news))
        changed = tuple(differing(olds, news, lambda _path, old, new: bool(old == new)))
        if found.changes is False:
            changed = ()
        return Diff(changed, tuple(found.replaces or ()), bool(found.delete_before_replace))

    def create(self, urn: str, inputs: Properties, *, preview: bool) -> Created:
        provider = self._load(urn, inputs)
        if preview:
            return Created("", inputs)
        made = _calling(lambda: provider.create(_plain(inputs)))
        return Created(made.id, {**(made.outs or {}), _PROVIDER: inputs[_PROVIDER]})

    def read(self, urn: str, id: str, inputs: Properties) -> Read | None:  # noqa: A002
        provider = self._load(urn, inputs)
        live = _calling(lambda: provider.read(id, _plain(inputs)))
        if not live.id:
            return None
        kept = {_PROVIDER: inputs[_PROVIDER]}
        return Read(live.id, {**(live.inputs or inputs), **kept}, {**(live.outs or {}), **kept})

    def update(
        self,
        urn: str,
        id: str,  # noqa: A002
        olds: Properties,
        news: Properties,
        *,
        preview: bool,
    ) -> Properties:
        provider = self._load(urn, news)
        if preview:
            return news
        made = _calling(lambda: provider.update(id, _plain(olds), _plain(news)))
        return {**(made.outs or {}), _PROVIDER: news[_PROVIDER]}

    def delete(self, urn: str, id: str, outputs: Properties) -> None:  # noqa: A002
        provider = self._load(urn, outputs)
        _calling(lambda: provider.delete(id, _plain(outputs)))

    def invoke(self, token: str, args: Properties) -> Properties:  # noqa: ARG002 - the protocol's signature
        raise ProviderError(f"NotEmulated: the dynamic provider has no function '{token}'")

    def _load(self, urn: str, properties: Properties) -> ResourceProvider:
        """The provider that the resource itself carries, connected."""
        token = type_of(urn)
        with self._lock:
            self._known = self._known or self._ask()
        providers, connect = self._known
        known = providers.get(token.removeprefix(_PREFIX))
        if known is None:
            raise ProviderError(
                f"NotEmulated: '{token}' is not emulated: a cloud's `companions` name the dynamic providers it knows"
            )
        try:
            provider = pickle.loads(base64.b64decode(str(properties.get(_PROVIDER) or "")))  # noqa: S301 - the program's own
        except (ValueError, EOFError, AttributeError, ImportError, pickle.UnpicklingError):
            raise ProviderError(f"InvalidProvider: the provider of '{token}' cannot be loaded") from None
        if type(provider) is not known:
            raise ProviderError(f"InvalidProvider: '{token}' is of {known.__name__}, not {type(provider).__name__}")
        connect(provider)
        return provider


def _calling(act: Callable[[], _T]) -> _T:
    """What a provider raises is what the plugin would tell the engine."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - a dynamic provider may raise anything
        raise ProviderError(" ".join(str(error).split()) or type(error).__name__) from None


def _plain(values: Value) -> Value:
    """Values as the SDK gives them to a provider: unknown ones are its sentinel."""
    if isinstance(values, Mapping):
        return {key: _plain(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_plain(value) for value in values]
    return rpc.UNKNOWN if values is UNKNOWN else values


def _marked(values: Value) -> Value:
    """The other way round."""
    if isinstance(values, Mapping):
        return {key: _marked(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_marked(value) for value in values]
    return UNKNOWN if values == rpc.UNKNOWN else values
