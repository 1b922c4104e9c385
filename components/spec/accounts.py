"""The keys of a stack file that say whose account a region is in: each cloud has its own, and one that is emulated."""

from collections.abc import Iterator, Mapping
from typing import Any

from components.spec.problems import Problem, key_path

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
EMULATED_OBJECT_ID = "00000000-0000-0000-0000-000000000b1e"
"""Who deploys to the emulated Azure, as Microsoft Entra would name them."""
EMULATED_PROJECT_NUMBER = "100000000001"
"""Number of the emulated Google Cloud's project, by which Google's service agents in it are named."""

EMULATED_XKS_CREDENTIAL = ("EMULATEDXKSPROXYAAAAA", "emulated" * 6)
"""Access key id and secret with which the emulated AWS KMS signs its requests to a key manager that is not real."""

EMULATED_ACCOUNT: Mapping[str, Mapping[str, str]] = {
    "azure": {"subscriptionId": ZERO_GUID, "tenantId": ZERO_GUID},
    "gcp": {"projectId": "bailiwick-emulated"},
    "aws": {"accountId": "000000000000"},
    "kubernetes": {"cluster": "bailiwick-emulated"},
}
"""By provider of the catalogue: its account keys, each with the value that only the sandbox knows."""


def account_problems(
    mapping: Mapping[str, Any], provider: str, project_prefix: str | None, *, emulated: bool
) -> Iterator[Problem]:
    """What is missing or out of place among the account keys of a stack on `provider`.

    `project_prefix` begins each project id of a Google universe that is not Google's own.
    """
    for owner, keys in EMULATED_ACCOUNT.items():
        for key in keys:
            if owner != provider and mapping.get(key):
                yield Problem(key_path(key), f"is a key of {owner}, and the cloud is {mapping['cloud']}")
    for key, reserved in EMULATED_ACCOUNT[provider].items():
        value = mapping.get(key) or ""
        path = key_path(key)
        if not isinstance(value, str):
            continue
        if not value:
            yield Problem(path, f"is missing: a stack on {provider} names it", reserved if emulated else None)
        elif value == reserved and not emulated:
            yield Problem(path, f"'{reserved}' is the emulated account, and the region is not emulated")
        elif value != reserved and emulated:
            yield Problem(path, "names a real account, and the region is emulated", reserved)
        elif key == "projectId" and project_prefix and not emulated and not value.startswith(project_prefix):
            yield Problem(path, f"'{value}' is not a project of {mapping['cloud']}", f"{project_prefix}{value}")
