"""What the stack declares about itself, as rules read it: Pulumi config `bailiwick:*`, and the pack's own config.

Nothing has a default: a rule that needs what is not declared refuses. The jurisdiction of the policy config is a
second fence: where a platform team sets it, a stack cannot widen it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import pulumi

import catalog

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


_KEYS = ("cloud", "jurisdiction", "emulated", "tenantId", *(key for key, _ in ACCOUNTS.values()))


@dataclass(frozen=True)
class Declared:
    """The stack's declarations. Each property raises `NotDeclared` when it is missing or unknown to the catalogue."""

    stack: Mapping[str, str | None]
    """The stack's own configuration, without the namespace."""
    fence: str | None
    """The jurisdiction that the policy config sets, if it does."""

    @classmethod
    def read(cls, policy_config: Mapping[str, Any]) -> "Declared":
        """The declarations of the running stack, and the config of the running policy."""
        config = pulumi.Config(NAMESPACE)
        return _declared(tuple((key, config.get(key)) for key in _KEYS), policy_config.get("jurisdiction"))

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

    def contains(self, jurisdiction: str) -> bool:
        """Whether `jurisdiction` lies inside every declared one."""
        return all(catalog.load().within(jurisdiction, outer) for outer in self.jurisdictions)

    def _text(self, key: str) -> str:
        value = self.stack.get(key)
        if not value:
            raise NotDeclared(f"{NAMESPACE}:{key}", "is not set", "a value of the catalogue")
        return value


@cache
def _declared(stack: tuple[tuple[str, str | None], ...], fence: str | None) -> Declared:
    """One object for equal declarations: every rule asks for every resource, and what follows from them is the same."""
    return Declared(dict(stack), fence)
