"""The emulated providers of a run, and the provider resources that stand for them in the program and in state."""

import re
import threading
import uuid
from collections.abc import Mapping

from sandbox.engine.errors import EngineError
from sandbox.engine.goal import Goal
from sandbox.engine.project import Configuration
from sandbox.engine.resource import ResourceState
from sandbox.engine.urn import DEFAULT_PROVIDER_PREFIX, PROVIDER_TYPE_PREFIX, is_provider, make_urn, package_of
from sandbox.engine.wire import for_provider
from sandbox.provider import Properties, Provider
from sandbox.values import Secret, contains_unknown

_NOT_CONFIGURATION = ("version", "__internal", "pluginDownloadURL")


class Providers:
    """Providers by package, each configured once for every provider resource. Thread-safe.

    One instance serves all provider resources of its package: an emulated cloud has one account.
    """

    def __init__(self, available: Mapping[str, Provider], configuration: Configuration) -> None:
        self._available = available
        self._configuration = configuration
        self._configured: dict[str, Properties] = {}
        self._lock = threading.Lock()

    def of_package(self, package: str) -> Provider:
        try:
            return self._available[package]
        except KeyError:
            known = ", ".join(sorted(self._available)) or "none"
            raise EngineError(
                f"no emulated provider for package {package}: the local engine deploys to the sandbox only ({known})"
            ) from None

    def of_resource(self, state: ResourceState, states: Mapping[str, ResourceState]) -> Provider:
        """The provider of a deployed resource, configured as `states` (by URN) record its provider resource."""
        provider_state = states.get(state.provider_urn)
        if provider_state is None:
            raise EngineError(f"its provider {state.provider or '(none)'} is not in the state: run up first")
        self.configure(provider_state)
        return self.of_package(package_of(provider_state.type))

    def configure(self, provider_state: ResourceState) -> None:
        """Configure the package's provider as a provider resource says. Raises `ProviderError` on a real account."""
        config = {key: value for key, value in provider_state.inputs.items() if key not in _NOT_CONFIGURATION}
        known = {key: for_provider(value) for key, value in config.items() if not contains_unknown(value)}
        with self._lock:
            if self._configured.get(provider_state.urn) == known:
                return
            self.of_package(package_of(provider_state.type)).configure(known)
            self._configured[provider_state.urn] = known

    def default_goal(self, package: str, version: str, stack: str, project: str) -> Goal:
        """The provider resource that serves what names none, configured by the stack's `<package>:<key>` values."""
        suffix = f"_{re.sub('[^A-Za-z0-9]', '_', version)}" if version else ""
        type_ = f"{PROVIDER_TYPE_PREFIX}{package}"
        inputs: Properties = {"version": version} if version else {}
        for key, value in self._configuration.values.items():
            namespace, _, name = key.partition(":")
            if namespace == package:
                inputs[name] = Secret(value) if key in self._configuration.secret_keys else value
        return Goal(
            urn=make_urn(stack, project, "", type_, f"{DEFAULT_PROVIDER_PREFIX}{suffix}"),
            type=type_,
            custom=True,
            inputs=inputs,
        )


def with_internal(inputs: Properties) -> Properties:
    """The real engine keeps this key beside a provider's version; without it a preview would show a change."""
    return {"__internal": {}, **inputs} if "version" in inputs else inputs


def new_provider_id() -> str:
    return str(uuid.uuid4())


def is_cloud_resource(state: ResourceState) -> bool:
    """Whether a provider manages it: neither a component nor a provider itself."""
    return state.custom and not is_provider(state.type)
