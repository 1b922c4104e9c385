"""A key's release policy as rules judge it: every way to get the key, one by one.

Each cloud's language is parsed into this model (`policies.release.azure` and its siblings). A policy is as strong as
its weakest way, so alternatives are multiplied out: a `Way` is one authority and a list of things that must all hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


class MalformedDocument(ValueError):  # noqa: N818 - named for what it says
    """A release policy that cannot be read with one meaning. `path` is the place in it, `reason` never quotes it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Way:
    """One way to get the key: whoever has a token of `authority` that proves all of this."""

    path: str
    """Where it stands in the document, for messages: `anyOf[0]`."""
    authority: str
    """The verifier's URL as written; not checked."""
    tees: frozenset[str] = frozenset()
    """Catalogue names of the TEEs that the token must be about; empty if it may be about anything."""
    pins: frozenset[tuple[str, str]] = frozenset()
    """What ties it to one workload: kind (`launch measurement`, `host data`, `signer`) and value, lower-case hex."""
    refuses_debug: bool = False
    refuses_migration: bool = False
    vmpl: int | None = None
    """Privilege level that must ask (SEV-SNP ABI, VMPL); None if any may."""
    floors: Mapping[str, int] = field(default_factory=dict)
    """Least security version numbers: bootloader, tee, snp, microcode (SEV-SNP ABI, TCB_VERSION)."""
