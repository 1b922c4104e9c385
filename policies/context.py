"""What the stack declares about itself, as rules read it: Pulumi config `bailiwick:*`, and the pack's own config.

Nothing has a default: a rule that needs what is not declared refuses. The jurisdiction of the policy config is a
second fence: where a platform team sets it, a stack cannot widen it.
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property
from typing import Any, Final

import pulumi

import catalog
from policies.deserialization import once
from policies.subject import Property

DATA_CLASSES = ("public", "internal", "confidential", "secret")
"""Classes of data, the least sensitive first."""
OWN_HARDWARE_FROM: Final[Mapping[str, str]] = {
    "azure": "secret",
    "gcp": "confidential",
    "aws": "confidential",
    "kubernetes": "confidential",
}
"""By provider: the class of data from which KEY-02 asks for HSMs that nobody shares, unless the policy config says
otherwise. On Azure one class later: AKS takes no key of a Managed HSM, so that no region with a cluster could do it."""
TODAY: ContextVar[date | None] = ContextVar("TODAY", default=None)
"""The day on which a stack is judged; None for the clock's. Examples, which are judged for ever, have their own."""

NAMESPACE = "bailiwick"
EMULATED_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
"""The subscription that exists only in the sandbox."""
ACCOUNTS = {
    "azure": ("subscriptionId", EMULATED_SUBSCRIPTION),
    "gcp": ("projectId", "bailiwick-emulated"),
    "aws": ("accountId", "000000000000"),
    "kubernetes": ("cluster", "bailiwick-emulated"),
}
"""By provider of the catalogue: the key that names a stack's account, and its value in the sandbox."""


class NotDeclared(Exception):  # noqa: N818 - named for what it says
    """The stack does not declare something that a rule needs, or declares what the catalogue does not know."""

    def __init__(self, key: str, problem: str, allowed: str) -> None:
        super().__init__(f"{key} {problem}")
        self.key = key
        self.problem = problem
        self.allowed = allowed


_KEYS = (
    "cloud",
    "jurisdiction",
    "emulated",
    "tenantId",
    "dataClass",
    "state",
    "approval",
    "registries",
    *(key for key, _ in ACCOUNTS.values()),
)


def today() -> date:
    """The day on which the stack is judged, in UTC."""
    return TODAY.get() or datetime.now(UTC).date()


@dataclass(frozen=True)
class Declared:
    """The stack's declarations. Each property raises `NotDeclared` when it is missing or unknown to the catalogue."""

    stack: Mapping[str, str | None]
    """The stack's own configuration, without the namespace."""
    fence: str | None
    """The jurisdiction that the policy config sets, if it does."""
    asked_hardware_from: str | None = None
    """The class of data from which the policy config asks for HSMs that nobody shares, if it does."""

    @classmethod
    def read(cls, policy_config: Mapping[str, Any]) -> "Declared":
        """The declarations of the running stack, and the config of the running policy."""
        fence, own_hardware = policy_config.get("jurisdiction"), policy_config.get("ownHardwareFrom")
        return _declared(once(_configuration, NAMESPACE), fence, own_hardware)

    @cached_property
    def jurisdictions(self) -> tuple[str, ...]:
        """The areas that nothing may leave: the stack's, and the policy config's where it names one."""
        known = catalog.load().jurisdictions
        named = [self._text("jurisdiction")]
        if self.fence is not None:
            named.append(self.fence)
        for name in named:
            if name not in known:
                hint = catalog.nearest(name, known) or "an id of catalog/data/jurisdictions.yaml"
                raise NotDeclared(f"{NAMESPACE}:jurisdiction", "is not in the catalogue", hint)
        return tuple(dict.fromkeys(named))

    @property
    def area(self) -> str:
        """The jurisdictions as a message prints them."""
        names = " and ".join(self.jurisdictions)
        return names if len(self.jurisdictions) == 1 else f"what {names} have in common"

    @cached_property
    def cloud(self) -> catalog.Cloud:
        name = self._text("cloud")
        clouds = catalog.load().clouds
        if name not in clouds:
            raise NotDeclared(f"{NAMESPACE}:cloud", "is not in the catalogue", " or ".join(clouds))
        return clouds[name]

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Ids of the cloud's regions inside every jurisdiction."""
        return tuple(
            region.id for region in catalog.load().regions(cloud=self.cloud.id) if self.contains(region.jurisdiction)
        )

    @property
    def emulated(self) -> bool:
        """Whether the stack deploys to the sandbox: it says so, and its account is the one that is not real."""
        return self.stack.get("emulated") == "true" and self.account == ACCOUNTS[self.cloud.provider][1]

    @property
    def account(self) -> str | None:
        """The subscription, project, account or cluster that the stack names."""
        return self.stack.get(ACCOUNTS[self.cloud.provider][0])

    @property
    def tenant(self) -> str | None:
        return self.stack.get("tenantId")

    @cached_property
    def state(self) -> Property:
        """Where the stack says that Pulumi keeps its state: `backend`, `secretsProvider`, `location`."""
        return self._structured("state", dict, "an object with backend, secretsProvider and location")

    @cached_property
    def approval(self) -> Property:
        """Who the stack says must agree to a deployment: `needed` of `people`."""
        return self._structured("approval", dict, "an object with needed and people")

    @cached_property
    def registries(self) -> tuple[Property, ...]:
        """Container registries that the stack knows, each with `name`, a host or more, and `jurisdiction`."""
        if not self.stack.get("registries"):
            return ()
        return self._structured("registries", list, "a list of objects with name and jurisdiction").items()

    @property
    def own_hardware_from(self) -> str:
        """The class of data from which keys must be of HSMs that nobody shares."""
        return self.asked_hardware_from or OWN_HARDWARE_FROM[self.cloud.provider]

    @cached_property
    def data_classes(self) -> tuple[str, ...]:
        """Classes of data that the stack may handle, the least sensitive first."""
        return tuple(one for one in DATA_CLASSES if self.handles(one))

    def handles(self, data_class: str) -> bool:
        """Whether the stack handles data of `data_class` or of a more sensitive one."""
        stated = self._text("dataClass")
        for key, one in ((f"{NAMESPACE}:dataClass", stated), ("ownHardwareFrom", data_class)):
            if one not in DATA_CLASSES:
                raise NotDeclared(key, "is no class of data", " or ".join(DATA_CLASSES))
        return DATA_CLASSES.index(stated) >= DATA_CLASSES.index(data_class)

    def contains(self, jurisdiction: str) -> bool:
        """Whether `jurisdiction` lies inside every declared one."""
        return all(catalog.load().within(jurisdiction, outer) for outer in self.jurisdictions)

    def contains_known(self, jurisdiction: str | None) -> bool:
        """Whether `jurisdiction` is one of the catalogue's and lies inside every declared one."""
        return jurisdiction is not None and jurisdiction in catalog.load().jurisdictions and self.contains(jurisdiction)

    def _structured(self, key: str, kind: type[dict[str, Any]] | type[list[Any]], allowed: str) -> Property:
        """The object or list under `key`, which Pulumi hands on as JSON."""
        try:
            value = json.loads(self._text(key, allowed))
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, kind):
            raise NotDeclared(f"{NAMESPACE}:{key}", "cannot be read", allowed)
        return Property(f"{NAMESPACE}:{key}", value)

    def _text(self, key: str, allowed: str = "a value of the catalogue") -> str:
        value = self.stack.get(key)
        if not value:
            raise NotDeclared(f"{NAMESPACE}:{key}", "is not set", allowed)
        return value


def _configuration(namespace: str) -> tuple[tuple[str, str | None], ...]:
    """The stack's own configuration, as far as rules read it."""
    config = pulumi.Config(namespace)
    return tuple((key, config.get(key)) for key in _KEYS)


@cache
def _declared(stack: tuple[tuple[str, str | None], ...], fence: str | None, own_hardware: str | None) -> Declared:
    """One object for equal declarations: every rule asks for every resource, and what follows from them is the same."""
    return Declared(dict(stack), fence, own_hardware)
