"""Emulated clouds by the name that a stack file gives them (`bailiwick:cloud`)."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from sandbox.clouds.hardware import Hardware
from sandbox.provider import Provider

_CLASSES: Final = {
    "azure": ("sandbox.clouds.azure", "AzureCloud"),
    "gcp": ("sandbox.clouds.gcp", "GcpCloud"),
    "aws": ("sandbox.clouds.aws", "AwsCloud"),
    "kubernetes": ("sandbox.clouds.kubernetes", "KubernetesCloud"),
}


class Cloud(Provider, Protocol):
    """A provider whose objects persist in a directory, and whose private DNS guests can ask."""

    def resolve(self, host: str, from_network_id: str) -> list[str]:
        """The ids of the machines that answer to a private DNS name, as seen from a network."""

    def object_url(self, location: str) -> str:
        """How the region addresses its object storage: a URL with `{account}`, `{container}` and `{blob}`."""

    def object_obstacle(self, host: str, from_network_id: str) -> str | None:
        """Why a network does not lead to the object storage at `host`, and what would; None where it does."""

    def close(self) -> None: ...


def providers_of(cloud: Cloud) -> dict[str, Provider]:
    """Every provider that a program for `cloud` needs, by package: the cloud, and what it brings along."""
    companions: Mapping[str, Provider] = getattr(cloud, "companions", {})
    return {cloud.package: cloud, **companions}


def open_cloud(cloud: str, data_dir: Path, hardware: Hardware) -> Cloud:
    """The emulated `cloud` whose objects live under `data_dir`, on `hardware`. Imports that cloud's provider SDK.

    Raises:
        ValueError: there is no emulated cloud of that name.
    """
    try:
        module, name = _CLASSES[cloud]
    except KeyError:
        raise ValueError(f"there is no emulated cloud {cloud!r}; there is {', '.join(_CLASSES)}") from None
    opened: Cloud = getattr(importlib.import_module(module), name)(data_dir, hardware)
    return opened
