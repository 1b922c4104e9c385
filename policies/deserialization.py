"""Turns a resource into Python once for each request instead of once for each policy.

The SDK's servicer (pulumi-policy 1.21, `policy.py`) does it inside its loop over policies: properties, which it wraps
in proxies, options and provider, which at 50 rules is most of the time that judging takes; of a stack it does so for
every resource. Policies must not change what they are given, and ours do not.
"""

import contextlib
import importlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

from google.protobuf import json_format
from pulumi.runtime.proto.analyzer_pb2 import AnalyzeStackRequest
from pulumi_policy import PolicyResource, StackValidationArgs

_sdk: Final[Any] = importlib.import_module("pulumi_policy.policy")
_message_to_dict: Final[Callable[..., dict[str, Any]]] = json_format.MessageToDict
_deserialize: Final[Callable[..., Any]] = _sdk.deserialize_properties
_proxy: Final[Callable[..., Any]] = _sdk.unknown_checking_proxy
_Servicer: Final[Any] = _sdk._PolicyAnalyzerServicer  # noqa: SLF001 - the SDK's one class that hosts policies
_options: Final = partial(_Servicer._get_resource_options, None)  # noqa: SLF001 - reads nothing of the servicer
_provider: Final = partial(_Servicer._get_provider_resource, None)  # noqa: SLF001 - the same


class _Seen(threading.local):
    """What this thread has read in the request at hand, by how and from what, both of which are kept alive."""

    read: dict[tuple[int, int], tuple[Any, Any]] | None = None
    resources: list[PolicyResource] | None = None
    """Of the stack that is being judged."""


_SEEN: Final = _Seen()


def _stack_args(resources: list[PolicyResource], *others: Any) -> StackValidationArgs:
    """The arguments of a stack policy; from the servicer below the SDK has no resources."""
    return StackValidationArgs(resources if _SEEN.resources is None else _SEEN.resources, *others)


def once(work: Callable[..., Any], source: Any, *options: Any) -> Any:
    """`work(source)`, done once in the request at hand; outside of one, each time."""
    if _SEEN.read is None or options:
        return work(source, *options)
    key = id(work), id(source)
    if key not in _SEEN.read:
        _SEEN.read[key] = source, work(source)
    return _SEEN.read[key][1]


@contextlib.contextmanager
def once_per_request() -> Iterator[None]:
    """Within it, and in this thread, every message is turned into Python once."""
    before, _SEEN.read = _SEEN.read, {}
    try:
        yield
    finally:
        _SEEN.read = before


_sdk.json_format = SimpleNamespace(MessageToDict=lambda message, *options: once(_message_to_dict, message, *options))
_sdk.deserialize_properties = lambda properties, *options: once(_deserialize, properties, *options)
_sdk.unknown_checking_proxy = lambda properties: once(_proxy, properties)
_sdk.StackValidationArgs = _stack_args


class OncePerRequest(_Servicer):  # type: ignore[misc]
    """The SDK's servicer, for which each request is one."""

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the protocol
        with once_per_request():
            return super().Analyze(request, context)

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the protocol
        with once_per_request():
            _SEEN.resources = _resources(request)
            try:
                return super().AnalyzeStack(AnalyzeStackRequest(), context)
            finally:
                _SEEN.resources = None

    def _get_resource_options(self, request: Any) -> Any:
        return once(_options, request)

    def _get_provider_resource(self, request: Any) -> Any:
        return once(_provider, request)


def _resources(request: AnalyzeStackRequest) -> list[PolicyResource]:
    """What the SDK makes of a stack's resources, each with those that it depends on."""
    resources = [
        PolicyResource(
            source.type,
            _proxy(_deserialize(_message_to_dict(source.properties))),
            source.urn,
            source.name,
            _options(source),
            _provider(source),
            None,
            [],
            {},
        )
        for source in request.resources
    ]
    by_urn = {resource.urn: resource for resource in resources}
    for source, resource in zip(request.resources, resources, strict=True):
        resource.parent = by_urn.get(source.parent)
        resource.dependencies += [by_urn[urn] for urn in source.dependencies if urn in by_urn]
        for key, needed in source.propertyDependencies.items():
            resource.property_dependencies[key] = [by_urn[urn] for urn in needed.urns if urn in by_urn]
    return resources
