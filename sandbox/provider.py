"""The provider protocol, as the local engine and the gRPC server call it.

The same five questions as `pulumirpc.ResourceProvider` (proto/pulumi/provider.proto), in Python values. An emulated
cloud implements `Provider` once; the local engine calls it in process, `sandbox.clouds.server` serves it to the real
engine.
"""

from dataclasses import dataclass, field
from typing import Protocol

from sandbox.values import Value

Properties = dict[str, Value]


class ProviderError(Exception):
    """The cloud refused or failed an operation. `str(error)` is the cloud's own wording, one line, code first."""


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """One input that the cloud would refuse. `property` is a dotted path (`securityProfile.securityType`), or ''."""

    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between the deployed inputs and the new ones, as property paths.

    `changed` lists every differing path, `replaces` those of them that the cloud cannot change in place.
    """

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    """A resource as the cloud has it: provider-assigned id and every output property (inputs included)."""

    id: str
    outputs: Properties


@dataclass(frozen=True, slots=True)
class Read:
    """A live resource read back: `inputs` as a program would have to state them now, and all `outputs`."""

    id: str
    inputs: Properties
    outputs: Properties


@dataclass(frozen=True, slots=True)
class Checked:
    """Inputs with the provider's defaults and auto-names filled in, and what is wrong with them."""

    inputs: Properties
    failures: tuple[CheckFailure, ...] = field(default=())


class Provider(Protocol):
    """One package's provider (`azure-native`, …). Thread-safe. Inputs may hold `UNKNOWN`, in a preview only."""

    package: str
    version: str

    def configure(self, config: Properties) -> None:
        """Provider configuration (`location`, `subscriptionId`, …). Raises `ProviderError` on a real account."""

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked: ...

    def diff(self, urn: str, id: str, olds: Properties, outputs: Properties, news: Properties) -> Diff: ...  # noqa: A002

    def create(self, urn: str, inputs: Properties, *, preview: bool) -> Created:
        """Create, or with `preview` foretell: the outputs that are already known, `UNKNOWN` for the rest."""

    def read(self, urn: str, id: str, inputs: Properties) -> Read | None:  # noqa: A002
        """The live resource, or None when it is gone."""

    def update(
        self,
        urn: str,
        id: str,  # noqa: A002
        olds: Properties,
        news: Properties,
        *,
        preview: bool,
    ) -> Properties: ...

    def delete(self, urn: str, id: str, outputs: Properties) -> None: ...  # noqa: A002

    def invoke(self, token: str, args: Properties) -> Properties: ...
