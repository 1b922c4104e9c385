"""Check an evidence bundle offline: was anything changed, who signed it, and does what it says hold together?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import canonical, dsse, jwk
from verifier.broker.service import TOKEN_KEYS
from verifier.config import VerifierConfig
from verifier.errors import VerifierError
from verifier.evidence import bundle as bundles
from verifier.evidence.checks import log, stack
from verifier.evidence.checks.attestation import Attestations
from verifier.evidence.outcome import Verification
from verifier.signer import der_to_raw, fingerprint, load_public_key, public_key_pem, with_low_s
from verifier.trust import TrustStore

_CLOCK_SKEW = timedelta(minutes=5)
_FORM = "bundle.form"
_FORM_TITLE = "The file is an evidence bundle, byte for byte"


class NotABundle(VerifierError):  # noqa: N818 - as in verifier.errors
    """The file is not a bundle, or was changed."""


@dataclass(frozen=True)
class _Sealed:
    """A bundle whose signatures verified with the key that it names. statements: kind → statement."""

    key: ec.EllipticCurvePublicKey
    manifest: dict[str, Any]
    statements: dict[str, dict[str, Any]]


def verify(
    bundle: bytes | Mapping[str, Any],
    *,
    trusted_key: str | None,
    at: datetime,
    sandbox_root: bytes | str | None = None,
    emulated: bool = False,
) -> Verification:
    """Make every check and report each.

    trusted_key: the signer's public key (PEM) or its fingerprint (hex), as the export printed it and as it reached the
    auditor by another way than the bundle. Without it the check `bundle.signer` fails, and with it the verification:
    the bundle may agree with itself, but anyone could have made it. at: the time of the check, aware. sandbox_root: PEM
    of an emulated vendor's root that is to be trusted as well; emulated: trust the one that the signed bundle names.
    Without either, evidence of emulated hardware fails; with it, a warning says what such evidence is worth.
    """
    outcome = Verification(at, pinned=trusted_key is not None)
    try:
        content = bundle if isinstance(bundle, bytes) else canonical.encode(bundle)
        sealed = _open(content)
    except (NotABundle, canonical.JsonError, dsse.DsseError) as error:
        outcome.add(_FORM, _FORM_TITLE, [str(error)], "")
        return outcome
    outcome.add(_FORM, _FORM_TITLE, [], f"{len(sealed.statements)} signed statements, {len(content)} bytes")
    outcome.signer = fingerprint(sealed.key)
    _signer(outcome, trusted_key)
    try:
        outcome.statements = {kind: statement["predicate"] for kind, statement in sealed.statements.items()}
        _about_one_stack(outcome, sealed)
        _dated(outcome)
        _claims(outcome, _trust(outcome, sandbox_root, emulated=emulated))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, VerifierError) as error:
        problem = f"a statement does not have the form of its kind: {type(error).__name__}: {error}"
        outcome.add("statements.form", "Each statement has the form of its kind", [problem], "")
    return outcome


def _open(content: bytes) -> _Sealed:
    """The statements, if every byte of the file is covered by a signature of the key that the file names."""
    bundle = canonical.parse_object(content)
    if canonical.encode(bundle) != content:
        raise NotABundle("the file is not in canonical form: a byte was changed, or it was written again")
    if set(bundle) != {"mediaType", "publicKey", "manifest", "statements"} or bundle["mediaType"] != bundles.MEDIA_TYPE:
        raise NotABundle(f"a bundle has mediaType {bundles.MEDIA_TYPE}, publicKey, manifest and statements")
    if not isinstance(bundle["publicKey"], str) or not isinstance(bundle["statements"], list):
        raise NotABundle("publicKey is a text and statements is a list")
    try:
        key = load_public_key(bundle["publicKey"])
    except ValueError as error:
        raise NotABundle(f"publicKey: {error}") from None
    if public_key_pem(key) != bundle["publicKey"]:
        raise NotABundle("publicKey is not in its usual form: a byte was changed")
    manifest = _statement(bundle["manifest"], key, bundles.MANIFEST)
    statements = [_statement(envelope, key, f"{index}.") for index, envelope in enumerate(bundle["statements"], 1)]
    listed = [
        {"kind": kind, "sha256": bundles.digest_of(envelope)}
        for kind, envelope in zip(bundles.KINDS, bundle["statements"], strict=False)
    ]
    if len(statements) != len(bundles.KINDS) or manifest.get("predicate") != {"statements": listed}:
        raise NotABundle(f"the manifest does not list these statements: {', '.join(bundles.KINDS)}, one of each")
    kinds = dict(zip((*bundles.KINDS, bundles.MANIFEST), (*statements, manifest), strict=True))
    for kind, statement in kinds.items():
        if statement.get("predicateType") != bundles.predicate_type(kind):
            raise NotABundle(f"the {kind} statement has predicateType {statement.get('predicateType')!r:.80}")
        if not isinstance(statement.get("predicate"), dict):
            raise NotABundle(f"the {kind} statement has no predicate")
    return _Sealed(key, manifest, dict(zip(bundles.KINDS, statements, strict=True)))


def _statement(envelope: Any, key: ec.EllipticCurvePublicKey, name: str) -> dict[str, Any]:
    """The statement of an envelope that has exactly one signature, in its one form, with the right key id."""
    if not isinstance(envelope, dict) or set(envelope) != {"payload", "payloadType", "signatures"}:
        raise NotABundle("an envelope has payload, payloadType and signatures, and nothing else")
    try:
        verified = dsse.verify(envelope, [key])
    except dsse.DsseError as error:
        raise NotABundle(f"the {name} statement was changed, or another key signed it: {error}") from None
    signatures = envelope["signatures"]
    if len(signatures) != 1 or set(signatures[0]) != {"keyid", "sig"} or signatures[0]["keyid"] != fingerprint(key):
        raise NotABundle("an envelope has one signature, with the signer's key id")
    raw = der_to_raw(dsse.decode_base64(signatures[0]["sig"], "sig"))
    if with_low_s(raw) != raw:
        raise NotABundle("a signature does not have the smaller of its two forms")
    statement = verified.statement()
    if canonical.encode(statement) != verified.payload:
        raise NotABundle("a statement is not in canonical form")
    return statement


def _signer(outcome: Verification, trusted_key: str | None) -> None:
    found = f"signed by {outcome.signer}"
    problems = []
    try:
        expected = None if trusted_key is None else _fingerprint(trusted_key)
    except ValueError as error:
        problems = [f"{found}, and the key that was given to compare with is none: {error}"]
    else:
        if expected is None:
            problems = [f"{found}, and no key was given to compare with: anyone could have made this bundle"]
        elif expected != outcome.signer:
            problems = [f"{found}, not by the trusted key {expected}"]
    outcome.add("bundle.signer", "The signer is the one that the auditor knows", problems, found)


def _fingerprint(trusted_key: str) -> str:
    """The fingerprint of a key given as PEM, or a fingerprint in its usual spellings."""
    if "-----BEGIN" in trusted_key:
        return fingerprint(load_public_key(trusted_key))
    return trusted_key.strip().lower().removeprefix("sha256:").replace(":", "")


def _about_one_stack(outcome: Verification, sealed: _Sealed) -> None:
    outcome.stack = outcome.statements["deployment"]["stack"]
    subject = bundles.subject_of(str(outcome.stack), outcome.statements["inputs"])
    statements = {**sealed.statements, bundles.MANIFEST: sealed.manifest}
    problems = [
        f"the {kind} statement is about another subject"
        for kind, statement in statements.items()
        if statement.get("subject") != subject
    ]
    outcome.add(
        "bundle.subject",
        "Every statement is about the same stack with the same resolved inputs",
        problems,
        f"{subject[0]['name']}, inputs {subject[0]['digest']['sha256'][:16]}…",
    )


def _dated(outcome: Verification) -> None:
    outcome.created_at = datetime.fromisoformat(outcome.statements["deployment"]["created_at"])
    problems = [f"it says {outcome.created_at}"] if outcome.created_at > outcome.at + _CLOCK_SKEW else []
    outcome.add("bundle.date", "The bundle is not from the future", problems, f"exported {outcome.created_at}")


def _trust(outcome: Verification, sandbox_root: bytes | str | None, *, emulated: bool) -> TrustStore:
    root = sandbox_root
    if root is None and emulated:
        root = outcome.statements["verifier"]["sandbox_root"]
    trust = TrustStore.production()
    return trust if root is None else trust.with_sandbox(root)


def _claims(outcome: Verification, trust: TrustStore) -> None:
    statements = outcome.statements
    stack.check(statements, outcome)
    keys = {purpose: _public_key(member) for purpose, member in statements["verifier"]["keys"].items()}
    log.check(statements["receipts"], keys["log"], outcome)
    configurations = [
        VerifierConfig.from_json(canonical.encode(item)) for item in statements["verifier"]["configurations"]
    ]
    attestation = statements["attestation"]
    if not (configurations or attestation["results"] or statements["receipts"]["receipts"]):
        found = "the region has no verifier: nothing in it was attested, and no key was released"
        outcome.add("attestation.none", "Nothing is claimed to be attested", [], found)
        return
    Attestations(
        results=attestation["results"],
        collateral={bundles.digest_of(item): item for item in attestation.get("collateral", ())},
        entries=[receipt["entry"] for receipt in statements["receipts"]["receipts"]],
        configurations={configuration.name: configuration for configuration in configurations},
        keys=[keys[purpose] for purpose in TOKEN_KEYS if purpose in keys],
        trust=trust,
    ).check(outcome)


def _public_key(member: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    key = jwk.to_public_key(member)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise jwk.JwkError("a verifier's key is an elliptic-curve key")
    return key
