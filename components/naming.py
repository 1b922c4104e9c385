"""Names of cloud resources, checked before any call and the same in every run.

A cloud refuses a bad name only when the resource is created, minutes into a deployment. Azure's rules are those of
"Naming rules and restrictions for Azure resources" (learn.microsoft.com/azure/azure-resource-manager/management/
resource-name-rules), so that a bad name fails while the program runs. A name that must be unique in the whole cloud
ends in a digest of subscription and stack: two stacks never collide, one stack never changes its names.
"""

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

DIGEST_LENGTH = 8
"""Characters of a globally unique name that come from the digest: 40 bits, in base 32."""

_NAMESPACE = uuid.UUID("6f1d3c0a-6c53-5b86-9d0c-5d8b8d1a7b11")
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


class InvalidName(ValueError):  # noqa: N818 - named for what it says
    """A name that the cloud would refuse; the message says which rule it breaks and gives a name that fits."""


@dataclass(frozen=True, slots=True)
class NameRule:
    """The length and the alphabet that a cloud accepts for one kind of resource."""

    shortest: int
    longest: int
    pattern: str
    alphabet: str

    def accepts(self, name: str) -> bool:
        return self.shortest <= len(name) <= self.longest and re.fullmatch(self.pattern, name) is not None

    def __str__(self) -> str:
        return f"{self.shortest} to {self.longest} characters, {self.alphabet}"


_WORDS = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?"
_WORDS_TEXT = "letters, digits, '.', '_' and '-', beginning with a letter or digit, not ending in '.' or '-'"

AZURE: Mapping[str, NameRule] = {
    "attestation provider": NameRule(3, 24, r"[a-z0-9]+", "lower-case letters and digits"),
    "blob container": NameRule(
        3, 63, r"[a-z0-9]+(?:-[a-z0-9]+)*", "lower-case letters, digits and single '-' between them"
    ),
    "cluster": NameRule(1, 63, r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?", "letters, digits and inner '-' and '_'"),
    "container registry": NameRule(5, 50, r"[A-Za-z0-9]+", "letters and digits"),
    "diagnostic setting": NameRule(1, 260, r"[A-Za-z0-9._-]+", "letters, digits, '.', '_' and '-'"),
    "disk encryption set": NameRule(1, 80, r"[A-Za-z0-9_-]+", "letters, digits, '_' and '-'"),
    "key": NameRule(1, 127, r"[A-Za-z0-9-]+", "letters, digits and '-'"),
    "load balancer": NameRule(1, 80, _WORDS, _WORDS_TEXT),
    "log workspace": NameRule(4, 63, r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])", "letters, digits and inner '-'"),
    "managed HSM": NameRule(
        3,
        24,
        r"[A-Za-z](?:-?[A-Za-z0-9])*",
        "letters, digits and single '-', beginning with a letter, ending in a letter or digit",
    ),
    "managed identity": NameRule(
        3, 128, r"[A-Za-z0-9][A-Za-z0-9_-]*", "letters, digits, '_' and '-', beginning with a letter or digit"
    ),
    "network interface": NameRule(1, 80, _WORDS, _WORDS_TEXT),
    "network security group": NameRule(1, 80, _WORDS, _WORDS_TEXT),
    "private endpoint": NameRule(2, 64, _WORDS, _WORDS_TEXT),
    "resource group": NameRule(
        1, 90, r"[\w().-]*[\w()-]", "letters, digits, '(', ')', '.', '_' and '-', not ending in '.'"
    ),
    "route table": NameRule(1, 80, _WORDS, _WORDS_TEXT),
    "scale set": NameRule(1, 64, r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", "letters, digits and inner '-'"),
    "storage account": NameRule(3, 24, r"[a-z0-9]+", "lower-case letters and digits"),
    "subnet": NameRule(1, 80, _WORDS, _WORDS_TEXT),
    "vault": NameRule(
        3,
        24,
        r"[A-Za-z](?:-?[A-Za-z0-9])*",
        "letters, digits and single '-', beginning with a letter, ending in a letter or digit",
    ),
    "virtual machine": NameRule(1, 64, r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", "letters, digits and inner '-'"),
    "virtual network": NameRule(2, 64, _WORDS, _WORDS_TEXT),
}


def azure_name(kind: str, name: str) -> str:
    """`name`, when Azure accepts it for a resource of this kind (a key of `AZURE`); raises `InvalidName` otherwise."""
    return checked("Azure", AZURE, kind, name)


def checked(cloud: str, rules: Mapping[str, NameRule], kind: str, name: str) -> str:
    """`name`, when `cloud` accepts it for this kind of resource (a key of `rules`); raises `InvalidName` otherwise."""
    rule = rules[kind]
    if not rule.accepts(name):
        raise InvalidName(f"{kind} name {name!r}: {cloud} accepts {rule}; nearest valid name: {_nearest(rule, name)!r}")
    return name


def globally_unique(kind: str, stem: str, *, subscription_id: str, stack: str) -> str:
    """A name for a resource whose name is unique in all of Azure: the stem, then a digest of subscription and stack.

    The stem loses the characters that the kind does not accept and as many at its end as the digest needs.
    """
    return azure_name(kind, with_digest(AZURE[kind], stem, subscription_id, stack))


def with_digest(rule: NameRule, stem: str, *parts: str) -> str:
    """`stem` with a digest of `parts` at its end: without what the rule refuses, and as long as the rule allows."""
    kept = "".join(character for character in stem.lower() if rule.accepts(f"a{character}" * rule.shortest))
    return kept[: rule.longest - DIGEST_LENGTH] + digest(*parts)


def digest(*parts: str) -> str:
    """`DIGEST_LENGTH` lower-case letters and digits, the same for the same parts, beginning with a letter."""
    bits = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:5], "big")
    text = "".join(_BASE32[bits >> shift & 31] for shift in range(35, -1, -5))
    return "x" + text[1:] if text[0].isdigit() else text


def deterministic_guid(*parts: str) -> str:
    """A UUID (RFC 9562 version 5) for what Azure names by GUID, such as a role assignment: same parts, same GUID."""
    return str(uuid.uuid5(_NAMESPACE, "\0".join(parts)))


def _nearest(rule: NameRule, name: str) -> str:
    """A name that the rule accepts and that keeps what can be kept of `name`."""
    for candidate in (name, name.lower()):
        for foreign in (r"[^A-Za-z0-9-]+", r"[^A-Za-z0-9]+"):
            kept = re.sub(r"-{2,}", "-", re.sub(foreign, "-" if "-]" in foreign else "", candidate))
            kept = kept[: rule.longest].strip("-").ljust(rule.shortest, "0")
            for attempt in (kept, f"a{kept}"[: rule.longest]):
                if rule.accepts(attempt):
                    return attempt
    return "a" * rule.shortest
