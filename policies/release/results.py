"""Reads what a condition asks of an attestation result (EAT attestation results, draft-ietf-rats-ear).

A verifier says `affirming` of what its own policy found nothing against, debugging included: whoever asks for that
word, and for the launch, asks for enough.
"""

import re
from collections.abc import Iterable, Iterator

from policies.release.asks import Conjunction, asked
from policies.release.expressions import Value
from policies.release.model import Flaw, Way, Weakness

_EVIDENCE = ("submods", "cpu", "ear.veraison.annotated-evidence")
_PINS = {"measurement": "launch measurement", "mr_td": "launch measurement", "id_key_digest": "signer"}
_TEES = {"snp": "snp", "az-snp-vtpm": "snp", "aws-snp-nitrotpm": "snp", "tdx": "tdx", "az-tdx-vtpm": "tdx"}
"""Evidence, as the Key Broker Service protocol names it: the TEE that it shows."""
_SHA384 = re.compile(r"[0-9a-f]{96}")


def ways_of(path: str, authority: str, conjunction: Conjunction, root: tuple[str, ...]) -> Iterator[Way]:
    """The ways that `conjunction` leaves to a token of `authority`, whose claims are at `root`."""
    evidence = {str(kind) for kind in asked(conjunction, *root, "tee")}
    pins = {
        (kind, value)
        for field, kind in _PINS.items()
        for value in digests(asked(conjunction, *root, *_EVIDENCE, field), _SHA384)
    }
    levels = asked(conjunction, *root, *_EVIDENCE, "vmpl")
    for level in levels or (None,):
        yield Way(
            path=path,
            authority=authority,
            tees=frozenset(_TEES[kind] for kind in evidence) if evidence <= _TEES.keys() else frozenset(),
            pins=frozenset(pins),
            refuses_debug=affirmed(conjunction, root),
            refuses_migration=affirmed(conjunction, root),
            vmpl=level if isinstance(level, int) else None,
        )


def affirmed(conjunction: Conjunction, root: tuple[str, ...]) -> bool:
    """Whether the verifier must have found nothing against the guest."""
    return asked(conjunction, *root, "ear.status") == ("affirming",)


def digests(values: Iterable[Value], form: re.Pattern[str]) -> Iterator[str]:
    """The values if every one is a digest of this form that is not zeros, which a field that nobody set has."""
    texts = [value.lower() if isinstance(value, str) else "" for value in values]
    if all(form.fullmatch(text) and text.split(":")[-1].strip("0") for text in texts):
        yield from texts


def weaknesses_of(way: Way) -> Iterator[Weakness]:
    """What such a way lacks."""
    if not way.tees:
        yield Weakness(Flaw.NO_TEE, way.path, "releases without asking for a TEE", "a condition on the TEE")
    if not way.pins:
        allowed = "a condition on the launch measurement, the container's digest or a signer"
        yield Weakness(Flaw.NO_WORKLOAD, way.path, "releases to any workload", allowed)
    if not way.refuses_debug:
        found = "releases to a guest that its host can debug"
        yield Weakness(Flaw.DEBUGGABLE, way.path, found, "a condition that debugging is off")
