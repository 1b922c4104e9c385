"""A cloud's providers, with a list of what an engine asked them to do."""

from typing import Any

from sandbox.clouds import Cloud, providers_of
from sandbox.provider import Provider

_ACTS = ("create", "update", "delete")


class _Recorded:
    """Does what its provider does, and notes each act that changes the cloud."""

    def __init__(self, provider: Provider, acts: list[list[str]]) -> None:
        self._provider = provider
        self._acts = acts

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._provider, name)
        if name not in _ACTS:
            return method

        def noted(urn: str, *arguments: Any, **options: Any) -> Any:
            if not options.get("preview"):
                self._acts.append([name, urn])
            return method(urn, *arguments, **options)

        return noted


def recorded(cloud: Cloud) -> tuple[dict[str, Any], list[list[str]]]:
    """Every provider of `cloud` by package, and the list that fills with (act, URN) as an engine uses them."""
    acts: list[list[str]] = []
    return {package: _Recorded(provider, acts) for package, provider in providers_of(cloud).items()}, acts
