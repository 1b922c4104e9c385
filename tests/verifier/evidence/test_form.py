"""The form of a bundle: there is one, and whoever signs another is refused, even if all signatures are right."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from verifier import canonical, dsse, jwk
from verifier.evidence import BundleInputs, Verification, build, verify
from verifier.evidence import bundle as bundles
from verifier.evidence.bundle import KINDS, MANIFEST, digest_of
from verifier.signer import SoftwareSigner, fingerprint, public_key_pem

CREATED = datetime(2026, 9, 1, 12, tzinfo=UTC)
SIGNER = SoftwareSigner.generate()
KEY = public_key_pem(SIGNER.public_key)
DEPENDENCY = {"kind": "dns", "name": "zone", "location": "l", "operator": "o", "jurisdiction": "DE", "carries": "keys"}
INPUTS = BundleInputs(
    stack="keys-and-log",
    engine="local",
    created_at=CREATED,
    commit={"sha": "0" * 40, "dirty": False},
    config={},
    resources=[],
    verdicts=[{"rule": "KEY-01", "urn": "urn:1", "level": "mandatory", "status": "pass", "message": ""}],
    jurisdiction="DE",
    inside=["DE"],
    dependencies=[DEPENDENCY],
    configurations=[],
    token_keys={},
    log_key=SIGNER.public_key,
    keystore={"is_hsm": True, "description": "a test's HSM"},
)

Change = Callable[[dict[str, Any]], object]


def check(content: dict[str, Any], **arguments: Any) -> Verification:
    defaults: dict[str, Any] = {"trusted_key": KEY, "at": CREATED}
    return verify(content, **defaults | arguments)


def statement_of(envelope: dict[str, Any]) -> dict[str, Any]:
    return canonical.parse_object(base64.b64decode(envelope["payload"]))


def signed(payload: bytes) -> dict[str, Any]:
    return dsse.sign(dsse.IN_TOTO, payload, bundles._SmallS(SIGNER))


def relisted(bundle: dict[str, Any]) -> dict[str, Any]:
    """The bundle with a manifest of the envelopes that are in it."""
    manifest = statement_of(bundle["manifest"])
    pairs = zip(KINDS, bundle["statements"], strict=False)
    listed = [{"kind": kind, "sha256": digest_of(envelope)} for kind, envelope in pairs]
    manifest["predicate"] = {"statements": listed}
    return bundle | {"manifest": signed(canonical.encode(manifest))}


def restated(kind: str, change: Change, write: Callable[[dict[str, Any]], bytes] = canonical.encode) -> dict[str, Any]:
    """A bundle with one statement that its signer wrote differently, listed and signed as it is."""
    bundle = build(INPUTS, SIGNER)
    if kind == MANIFEST:
        statement = statement_of(bundle["manifest"])
        change(statement)
        return bundle | {"manifest": signed(write(statement))}
    statement = statement_of(bundle["statements"][KINDS.index(kind)])
    change(statement)
    bundle["statements"][KINDS.index(kind)] = signed(write(statement))
    return relisted(bundle)


def refusal(content: dict[str, Any]) -> str:
    outcome = check(content)
    assert [(it.name, it.status) for it in outcome.checks] == [("bundle.form", "fail")]
    assert not outcome.statements, "nothing of it is shown"
    return outcome.checks[0].detail


def test_the_bundle_that_is_changed_here_verifies() -> None:
    outcome = check(build(INPUTS, SIGNER))
    assert outcome.ok, outcome.failures
    assert [it.name for it in outcome.checks] == [
        *("bundle.form", "bundle.signer", "bundle.subject", "bundle.date", "stack.commit", "policy.verdicts"),
        *("jurisdiction.graph", "keys.hsm", "log.receipts", "attestation.none"),
    ]
    for kind in (*KINDS, MANIFEST):
        assert check(restated(kind, lambda _: None)).ok


def test_a_verifier_that_decided_nothing_yet_is_one() -> None:
    configuration = {
        "version": 1,
        "role": "verifier",
        "port": 8443,
        "name": "verifier.test.bailiwick.internal",
        "region": {"cloud": "azure", "location": "germanywestcentral", "jurisdiction": "DE"},
        "trust_anchors": ["amd", "sandbox"],
        "reference_values": [],
        "build_keys": [],
        "resources": [],
    }
    outcome = check(build(replace(INPUTS, configurations=[configuration]), SIGNER))
    assert outcome.ok, outcome.failures
    details = {it.name: it.detail for it in outcome.checks}
    assert "attestation.none" not in details
    assert details["releases.bound"] == "no key was released"
    assert details["hardware.evidence"] == "reports verify up to the pinned root: none was needed"


def test_results_without_a_verifier_are_not_nothing() -> None:
    outcome = check(restated("attestation", lambda it: it["predicate"].update(results=[{}])))
    assert [it.name for it in outcome.failures] == ["statements.form"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda it: it.update(more=1), "a bundle has mediaType"),
        (lambda it: it.update(mediaType="application/json"), "a bundle has mediaType"),
        (lambda it: it.update(publicKey=None), "publicKey is a text"),
        (lambda it: it.update(statements={}), "statements is a list"),
        (lambda it: it.update(publicKey="none"), "publicKey: not a public key in PEM"),
        (lambda it: it.update(publicKey=KEY + "\n"), "publicKey is not in its usual form"),
        (lambda it: it.update(manifest=None), "an envelope has payload, payloadType and signatures"),
        (lambda it: it["manifest"].update(more=1), "an envelope has payload, payloadType and signatures"),
        (lambda it: it["manifest"]["signatures"][0].update(more=1), "an envelope has one signature"),
        (lambda it: it["manifest"]["signatures"][0].update(keyid="0" * 64), "an envelope has one signature"),
        (lambda it: it["statements"].append(it["statements"][0]), "the manifest does not list these statements"),
    ],
)
def test_another_form_is_refused(change: Change, reason: str) -> None:
    bundle = build(INPUTS, SIGNER)
    change(bundle)
    assert reason in refusal(bundle)


@pytest.mark.parametrize("kind", [KINDS[0], MANIFEST])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda it: it.update(_type="https://in-toto.io/Statement/v0.1"), "not an in-toto Statement v1"),
        (lambda it: it.update(predicateType="https://bailiwick.dev/evidence/other/v1"), "statement has predicateType"),
        (lambda it: it.pop("predicateType"), "statement has predicateType None"),
    ],
)
def test_a_statement_of_another_type_is_refused(kind: str, change: Change, reason: str) -> None:
    assert reason in refusal(restated(kind, change))


def test_a_statement_without_a_predicate_is_refused() -> None:
    assert "the policy statement has no predicate" in refusal(restated("policy", lambda it: it.update(predicate=[])))


@pytest.mark.parametrize("kind", [KINDS[0], MANIFEST])
def test_a_statement_that_is_written_otherwise_is_refused(kind: str) -> None:
    bundle = restated(kind, lambda _: None, lambda statement: json.dumps(statement, indent=1).encode())
    assert "a statement is not in canonical form" in refusal(bundle)


@pytest.mark.parametrize("kind", [*KINDS, MANIFEST])
def test_a_statement_about_another_stack_is_named(kind: str) -> None:
    outcome = check(restated(kind, lambda it: it["subject"][0].update(name="bailiwick/stack/other")))
    assert [(it.name, it.detail) for it in outcome.failures] == [
        ("bundle.subject", f"the {kind} statement is about another subject")
    ]


@pytest.mark.parametrize(
    "key", ["-----BEGIN PUBLIC KEY-----\nnone\n-----END PUBLIC KEY-----\n", "-----BEGIN", "00" * 32, ""]
)
def test_a_key_to_trust_that_is_none_or_another_fails_with_the_key_that_signed(key: str) -> None:
    outcome = check(build(INPUTS, SIGNER), trusted_key=key)
    assert [it.name for it in outcome.failures] == ["bundle.signer"]
    assert fingerprint(SIGNER.public_key) in outcome.failures[0].detail
    assert not outcome.only_unpinned


def test_a_log_s_key_is_on_an_elliptic_curve() -> None:
    key = jwk.from_public_key(rsa.RSAPublicNumbers(65537, 2**2048 - 1).public_key())
    outcome = check(restated("verifier", lambda it: it["predicate"]["keys"].update(log=key)))
    (failure,) = outcome.failures
    assert failure.name == "statements.form"
    assert failure.detail.endswith("a verifier's key is an elliptic-curve key")


def test_only_the_signer_is_missing_where_nothing_else_fails() -> None:
    assert check(build(INPUTS, SIGNER), trusted_key=None).only_unpinned
    failing = restated("policy", lambda it: it["predicate"]["verdicts"].clear())
    assert not check(failing, trusted_key=None).only_unpinned


def test_a_program_without_a_commit_is_a_warning() -> None:
    outcome = check(build(replace(INPUTS, commit=None), SIGNER))
    assert outcome.ok
    assert [(it.name, it.detail) for it in outcome.warnings] == [("stack.commit", "no commit is recorded")]


def test_only_mandatory_policies_must_pass_and_three_that_do_not_are_shown() -> None:
    (verdict,) = INPUTS.verdicts
    advisory = dict(verdict, level="advisory", status="fail")
    assert check(build(replace(INPUTS, verdicts=[verdict, advisory]), SIGNER)).ok
    failing = [dict(verdict, rule=f"R-{number}", status="fail") for number in range(4)]
    for number, ending in ((3, "R-2 is fail for urn:1"), (4, "R-2 is fail for urn:1; and 1 more")):
        (failure,) = check(build(replace(INPUTS, verdicts=failing[:number]), SIGNER)).failures
        assert failure.name == "policy.verdicts"
        assert failure.detail.endswith(ending)


def test_a_jurisdiction_lies_inside_itself() -> None:
    inputs = replace(INPUTS, inside=["DE-BE"], dependencies=[DEPENDENCY | {"jurisdiction": "DE-BE"}])
    (failure,) = check(build(inputs, SIGNER)).failures
    assert (failure.name, failure.detail) == ("jurisdiction.graph", "DE is not listed as inside itself")


def test_a_receipt_that_is_none_is_named_as_one() -> None:
    receipt = {"entry": {"event": "attestation", "decision": "deny"}, "leaf_hash": "x"}
    (failure,) = check(build(replace(INPUTS, receipts=[receipt]), SIGNER)).failures
    assert failure.name == "log.receipts"
    assert failure.detail.startswith("not a receipt")


def test_nothing_that_was_checked_is_nothing_that_holds() -> None:
    assert not Verification(CREATED, pinned=True).ok


def test_clocks_may_differ_by_five_minutes() -> None:
    bundle = build(INPUTS, SIGNER)
    assert check(bundle, at=CREATED - timedelta(minutes=5)).ok
    late = check(bundle, at=CREATED - timedelta(minutes=5, seconds=1))
    assert [it.name for it in late.failures] == ["bundle.date"]
