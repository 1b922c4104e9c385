"""The data plane of a Managed HSM, through Microsoft's own SDK, for the dynamic providers of its keys and roles.

The SDK is imported when it is needed, so that a program without a Managed HSM does not pay for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult

if TYPE_CHECKING:
    from azure.keyvault.administration import KeyVaultAccessControlClient
    from azure.keyvault.keys import KeyClient

Props = dict[str, Any]
Client = TypeVar("Client", "KeyClient", "KeyVaultAccessControlClient")


class HsmError(Exception):
    """The HSM refused or could not be reached; one line with the service's own code and words."""


class HsmProvider(pulumi.dynamic.ResourceProvider):
    """What the dynamic providers share: required inputs, and a client for the HSM that a resource names.

    Pulumi keeps a provider in the state of each of its resources. dill writes a class of a package as its name, so that
    what is kept is that name: no code that would age there, and no secret, which is why it need not be one.
    """

    serialize_as_secret_always = False
    required: tuple[str, ...] = ()
    """Inputs without which there is no such resource."""
    credential: Any = None
    """Who calls: None is whom Azure's own SDK finds (environment, workload identity, `az login`)."""
    transport: Any = None
    """How requests travel: None is over the network."""

    def check(self, _olds: Props, news: Props) -> CheckResult:
        """Refuse inputs that are missing or that `judge` finds wrong."""
        failures = [CheckFailure(name, "is missing") for name in self.required if news.get(name) in (None, "")]
        return CheckResult(news, failures or [CheckFailure(*found) for found in self.judge(news)])

    def judge(self, news: Props) -> Iterator[tuple[str, str]]:  # noqa: ARG002 - a provider overrides it
        """What is wrong with complete inputs: property and reason."""
        yield from ()

    def client(self, kind: "type[Client]", uri: str) -> "Client":
        """A client of the SDK for the HSM at `uri`."""
        options = {} if self.transport is None else {"transport": self.transport}
        if self.credential is None:
            from azure.identity import DefaultAzureCredential

            return kind(uri, DefaultAzureCredential(), **options)
        return kind(uri, self.credential, **options)


def is_unknown(value: object) -> bool:
    """Whether a preview does not know `value` yet."""
    return value == pulumi.runtime.rpc.UNKNOWN


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """Turn what the SDK raises about `what` into `HsmError`."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ServiceRequestError

    try:
        yield
    except ClientAuthenticationError as error:
        raise HsmError(f"{what}: {_one_line(error)}; sign in as an administrator of the HSM") from None
    except HttpResponseError as error:
        raise HsmError(f"{what}: {_one_line(error)}") from None
    except ServiceRequestError as error:
        raise HsmError(
            f"{what}: the HSM cannot be reached ({_one_line(error)}); deploy from where its private endpoint is"
        ) from None
    except AzureError as error:
        raise HsmError(f"{what}: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    """The service's message without the SDK's own lines of codes and content."""
    return str(getattr(error, "message", None) or error).split("\nCode:")[0].replace("\n", " ").strip()
