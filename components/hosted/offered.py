"""Which components other languages have, by token."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from components.component import Component, ComponentArgs
from components.errors import InputError

PACKAGE: Final = "bailiwick"
VERSION: Final = "0.1.0"
SCHEMA_FILE: Final = Path(__file__).with_name("schema.json")
"""From which Pulumi makes the SDKs of other languages; `python -m components.hosted.package` writes it."""
NOT_HOSTED: Final[Mapping[str, str]] = {
    "AzureManagedHsm": "its keys and roles are dynamic resources, which Pulumi runs in Python programs only",
}
"""Components that other languages do not have, and why."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud of the package."""

    folder: str
    """Its package below `components`."""
    provider: str
    """Pulumi package that its resources are of."""


CLOUDS: Final = {
    "Azure": Cloud("azure", "azure-native"),
    "Gcp": Cloud("gcp", "gcp"),
    "Aws": Cloud("aws", "aws"),
    "Kubernetes": Cloud("kubernetes", "kubernetes"),
}
"""By the word with which the names of a cloud's components begin."""


@dataclass(frozen=True, slots=True)
class Hosted:
    """One component that other languages have."""

    token: str
    """Its type, such as `bailiwick:index:AzureAuditLog`."""
    component: type[Any]
    """Its class: made from a name, `args` and options."""
    args: type[ComponentArgs]


def hosted_on(cloud: Cloud) -> dict[str, Hosted]:
    """A cloud's components by token: all that its package offers, without those of `NOT_HOSTED`."""
    module = import_module(f"components.{cloud.folder}")
    found = {}
    for name in module.__all__:
        component = getattr(module, name)
        if isinstance(component, type) and issubclass(component, Component):
            token: str = import_module(component.__module__).TYPE
            if token.rpartition(":")[2] not in NOT_HOSTED:
                found[token] = Hosted(token, component, getattr(module, f"{name}Args"))
    return found


def hosted(token: str) -> tuple[Cloud, Hosted]:
    """The component with a token, and its cloud, whose package alone is imported; raises `InputError`."""
    name = token.removeprefix(f"{PACKAGE}:index:")
    if name in NOT_HOSTED:
        raise InputError(token, "type", f"is for programs in Python: {NOT_HOSTED[name]}")
    for word, cloud in CLOUDS.items():
        if name.startswith(word) and token in (offered := hosted_on(cloud)):
            return cloud, offered[token]
    raise InputError(token, "type", "is no component of this package")
