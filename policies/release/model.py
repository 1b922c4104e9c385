"""A release policy as rules judge it: every way to get the key, and what is wrong with each.

Each target's language is read into this model (`policies.release.azure` and its siblings). A policy is as strong as
its weakest way, so alternatives are multiplied out: a `Way` is one authority, or one caller, and a list of things that
must all hold. `analyse(text)` of each module answers with a `Reading`; `policies.release.languages` has them by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class MalformedDocument(ValueError):  # noqa: N818 - named for what it says
    """A release policy that cannot be read with one meaning. `path` is the place in it, `reason` never quotes it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class Flaw(StrEnum):
    """What can be wrong with a release policy, in no cloud's words. Rules choose the flaws that they refuse."""

    ALLOWS_ALL = "allows all"
    """Whoever asks gets the key."""
    VENDOR_DEFAULT = "vendor default"
    """The policy that the service comes with, which nobody has written for these keys."""
    NO_WORKLOAD = "no workload"
    """No measurement, digest or signer: any workload on the right hardware would do."""
    NO_TEE = "no tee"
    """The hardware is not asked for."""
    DEBUGGABLE = "debuggable"
    """A guest that its host can read is not refused."""
    FOREIGN_AUTHORITY = "foreign authority"
    """The word of a verifier outside the jurisdiction, or of one that nobody knows, is taken."""
    MISSING_CLAIM = "missing claim"
    """A claim that the issuer states, and that tells a production guest from others, is not asked for."""
    BROAD_PRINCIPAL = "broad principal"
    """Everybody, a whole account, a whole pool or a pattern may ask."""
    PERSON = "person"
    """A person may ask."""
    UNCONDITIONED = "unconditioned"
    """An action that yields plaintext is allowed to somebody without a condition on who or what asks."""
    UNATTESTED = "unattested"
    """An action that yields plaintext is allowed to a named caller from a named network, who proves no measurement."""
    UNCONDITIONED_GRANT = "unconditioned grant"
    """The right to the key can be handed on, or is, without a condition."""
    UNSEPARATED = "unseparated"
    """Whoever uses the key may also change its rules."""
    PATTERN = "pattern"
    """Actions are allowed by a pattern, or by what they are not, so that nobody has listed them."""
    NO_QUORUM = "no quorum"
    """Fewer than two must agree before the key is exported or its policy changed."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """One flaw. `found` continues "<path> …", `allowed` continues "allowed: …"; neither quotes the document."""

    flaw: Flaw
    path: str
    """Where it stands in the document: `anyOf[0]`, `Statement[2]`, `line 12`."""
    found: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Way:
    """One way to get the key: whoever has a token of `authority`, or is `caller`, and proves all of this."""

    path: str
    """Where it stands in the document, for messages: `anyOf[0]`."""
    authority: str
    """The verifier's URL as written, not checked; empty where the key service itself verifies, or nobody does."""
    tees: frozenset[str] = frozenset()
    """Catalogue names of the TEEs that the token must be about; empty if it may be about anything."""
    pins: frozenset[tuple[str, str]] = frozenset()
    """What ties it to one workload: kind (`launch measurement`, `host data`, `image digest`, `pcr4`, `signer`) and
    value, lower-case hex."""
    refuses_debug: bool = False
    refuses_migration: bool = False
    vmpl: int | None = None
    """Privilege level that must ask (SEV-SNP ABI, VMPL); None if any may."""
    floors: Mapping[str, int] = field(default_factory=dict)
    """Least security version numbers: bootloader, tee, snp, microcode (SEV-SNP ABI, TCB_VERSION)."""
    caller: str = ""
    """Principal that must ask, as written; empty where only the token counts."""
    resource: str = ""
    """The key, where one document speaks of several; empty where it is the key that carries the document."""
    places: frozenset[str] = frozenset()
    """Beginnings of the names of the zones in which the guest must run (`europe-west3-`); empty if it may run anywhere
    that the token does not say."""
    service: str = ""
    """Service of the cloud through which alone the key is used for its callers (`kms:ViaService`): such a way wraps
    the service's own storage and hands no key to a workload."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, read: no weakness means that nothing was found against it, not that it is right for its stack."""

    ways: tuple[Way, ...]
    """Every way to get the key; none where nobody gets it."""
    weaknesses: tuple[Weakness, ...] = ()

    def of(self, *flaws: Flaw) -> tuple[Weakness, ...]:
        """The weaknesses of these kinds, in the document's order."""
        return tuple(weakness for weakness in self.weaknesses if weakness.flaw in flaws)
