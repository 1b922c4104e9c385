"""Reads Google Cloud's conditions: a workload identity provider's, and a binding on the key.

A document has `issuer`, `attributeCondition`, `attributeMapping`, and `members`, or the `binding` that
`components.release.gcp` writes. The condition decides who gets into the pool, and the members (IAM, "Principal
identifiers") who of the pool may decrypt: an attribute that is mapped from the container's digest pins the workload as
a condition on the digest does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import catalog
from policies.release import asks, cel, documents, results
from policies.release.asks import Conjunction
from policies.release.expressions import Value
from policies.release.model import Flaw, MalformedDocument, Reading, Way, Weakness

SERVICE = "google-cloud-attestation"
_ROOT = ("assertion",)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SIGNER = re.compile(r"[a-z0-9_]+:[0-9a-f]{64}")
_SHA384 = re.compile(r"[0-9a-f]{96}")
_NO_DIGEST = re.compile(r"(?!)")
_ATTRIBUTE = re.compile(r"principalSet://iam\.googleapis\.com/[^*?\s]+/attribute\.([a-z0-9_]+)/([^*?\s]+)")
_SUBJECT = re.compile(r"principal://iam\.googleapis\.com/[^*?\s]+/subject/[^*?\s]+")
_PERSON = ("user:", "group:", "deleted:")

_CONTAINER = (*_ROOT, "submods", "container")
# Path of a claim: kind of pin, and its form.
_PINS: dict[asks.Keys, tuple[str, re.Pattern[str]]] = {
    (*_CONTAINER, "image_digest"): ("image digest", _DIGEST),
    (*_CONTAINER, "image_signatures", cel.SIGNER): ("signer", _SIGNER),
    (*_ROOT, "submods", "cpu", "ear.veraison.annotated-evidence", "measurement"): ("launch measurement", _SHA384),
    (*_ROOT, "submods", "cpu", "ear.veraison.annotated-evidence", "id_key_digest"): ("signer", _SHA384),
}


def analyse(text: str) -> Reading:
    """The document `text`, in JSON; raises `MalformedDocument`."""
    document = documents.member(documents.load(text), "", ("issuer", "attributeCondition", "attributeMapping"))
    mapping = documents.member(document["attributeMapping"], "attributeMapping")
    issuer, condition = (documents.text_of(document[name], name) for name in ("issuer", "attributeCondition"))
    return analyse_provider(issuer, condition, mapping, members=_members(document))


def analyse_provider(
    issuer: str, condition: str, mapping: Mapping[str, str], *, members: Sequence[str] = (), cloud: str = "gcp"
) -> Reading:
    """A provider, and the members that a key's binding names; none where another resource has the binding.

    The workload is then asked for here only where no binding could name it, because no attribute is mapped from what
    tells workloads apart.
    """
    claims = {claim.id: claim for claim in catalog.load().release_claims(cloud, service=SERVICE)}
    google = issuer.rstrip("/") == catalog.load().service(cloud, SERVICE).endpoints.get("issuer")
    pinned = [_pin(member, mapping) for member in members] or [frozenset()]
    ways: list[Way] = []
    weaknesses: list[Weakness] = []
    for conjunction in cel.alternatives(condition):
        found = (
            [_confidential_space(issuer, conjunction, claims)]
            if google
            else list(results.ways_of("attributeCondition", issuer, conjunction, _ROOT))
        )
        weaknesses += _missing(conjunction, claims) if google else _unaffirmed(conjunction)
        ways += [replace(way, pins=way.pins | pins) for way in found for pins in pinned]
    scoped = any(name.startswith("attribute.") and _mapped(claim) in _PINS for name, claim in mapping.items())
    for way in ways:
        lacking = results.weaknesses_of(way)
        weaknesses += [one for one in lacking if members or not scoped or one.flaw is not Flaw.NO_WORKLOAD]
    return Reading(tuple(ways), tuple(dict.fromkeys([*weaknesses, *analyse_members(members)])))


def analyse_members(members: Sequence[str]) -> tuple[Weakness, ...]:
    """What is wrong with who may decrypt, whatever the pool's condition is."""
    return tuple(
        weakness for index, member in enumerate(members) for weakness in _member_weaknesses(f"members[{index}]", member)
    )


def _members(document: Mapping[str, Any]) -> list[str]:
    if "members" in document:
        return documents.texts(document["members"], "members")
    binding = documents.member(document.get("binding", {}), "binding", ("attribute", "values"))
    prefix = "principalSet://iam.googleapis.com/pool"
    values = documents.texts(binding["values"], "binding.values")
    return [f"{prefix}/attribute.{binding['attribute']}/{value}" for value in values]


def _member_weaknesses(path: str, member: str) -> Iterator[Weakness]:
    allowed = "principalSet://…/attribute.<name>/<value>"
    if member.startswith(_PERSON):
        yield Weakness(Flaw.PERSON, path, "lets people decrypt", allowed)
    elif member.startswith("serviceAccount:"):
        found = "lets a service account decrypt, which proves nothing of where it runs"
        yield Weakness(Flaw.UNATTESTED, path, found, allowed)
    elif not _ATTRIBUTE.fullmatch(member) and not _SUBJECT.fullmatch(member):
        yield Weakness(Flaw.BROAD_PRINCIPAL, path, "lets a whole pool or more decrypt", allowed)


def _pin(member: str, mapping: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """What the attribute of `member` ties it to."""
    match = _ATTRIBUTE.fullmatch(member)
    expression = mapping.get(f"attribute.{match.group(1)}") if match else None
    if match is None or not isinstance(expression, str):
        return frozenset()
    kind, form = _PINS.get(_mapped(expression), ("", _NO_DIGEST))
    return frozenset((kind, value) for value in results.digests([match.group(2)], form))


def _mapped(expression: str) -> tuple[str | int, ...]:
    """The path of the claim that an attribute is mapped from; empty for any other expression."""
    try:
        return cel.claim_of(expression)
    except MalformedDocument:
        return ()


def _confidential_space(issuer: str, conjunction: Conjunction, claims: Mapping[str, catalog.ReleaseClaim]) -> Way:
    models = asks.asked(conjunction, *_path(claims["hardware-model"]))
    hardware = [claim for claim in claims.values() if claim.claim == claims["hardware-model"].claim]
    known = {value: claim.tees for claim in hardware for value in claim.values}
    tees = {str(tee) for model in models for tee in known.get(str(model), ())}
    debug = claims["debug"]
    pins = {
        (kind, value)
        for path, (kind, form) in _PINS.items()
        for value in results.digests(_stated(conjunction, path), form)
    }
    return Way(
        path="attributeCondition",
        authority=issuer,
        tees=frozenset(tees if all(model in known for model in models) else ()),
        pins=frozenset(pins),
        refuses_debug=asks.asked(conjunction, *_path(debug)) == debug.values,
        places=frozenset(map(str, _zones(conjunction, claims))),
    )


def _zones(conjunction: Conjunction, claims: Mapping[str, catalog.ReleaseClaim]) -> Sequence[Value]:
    path = _path(claims["zone"])
    return asks.asked(conjunction, *path) or asks.starts(conjunction, *path)


def _stated(conjunction: Conjunction, path: asks.Keys) -> Sequence[Value]:
    return asks.has(conjunction, *path) if path[-1] == cel.SIGNER else asks.asked(conjunction, *path)


def _missing(conjunction: Conjunction, claims: Mapping[str, catalog.ReleaseClaim]) -> Iterator[Weakness]:
    """Claims of a production workload that the condition leaves open; the others are a way's own flaws."""
    asked = {
        "software": asks.asked(conjunction, *_path(claims["software"])) == claims["software"].values,
        "support": asks.has(conjunction, *_path(claims["support"])) == claims["support"].values,
        "service-accounts": bool(asks.has(conjunction, *_path(claims["service-accounts"]))),
        "zone": bool(_zones(conjunction, claims)),
    }
    for name, present in asked.items():
        if not present:
            claim = claims[name]
            wanted = claim.values[0] if claim.values else "those of the workload"
            found = f"does not ask for {claim.claim}"
            yield Weakness(Flaw.MISSING_CLAIM, "attributeCondition", found, f"a condition on it: {wanted}")


def _unaffirmed(conjunction: Conjunction) -> Iterator[Weakness]:
    if not results.affirmed(conjunction, _ROOT):
        found = "does not ask for the verifier's word"
        yield Weakness(Flaw.MISSING_CLAIM, "attributeCondition", found, 'assertion["ear.status"] == "affirming"')


def _path(claim: catalog.ReleaseClaim) -> tuple[str, ...]:
    return tuple(claim.claim.split("."))
