"""The evidence bundle: what it consists of, how it is written and signed.

A bundle is one file: the RFC 8785 form of `{"mediaType", "publicKey", "manifest", "statements"}` and not a byte more.
`statements` are DSSE envelopes of in-toto Statements v1, one of each kind in `KINDS`, in that order, all about the
same subject: the stack, by the SHA-256 of its resolved inputs. `manifest` is one more, which lists the SHA-256 of each
envelope, so that none can be left out or exchanged. One key, `publicKey`, signs them all; whether to trust it is for
the auditor to know from elsewhere. Signatures have the smaller s, so that each has one form only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import build as this_build
from verifier import canonical, dsse, jwk
from verifier.evidence.redaction import publishable
from verifier.log import TransparencyLog
from verifier.signer import Signer, public_key_pem, with_low_s

MEDIA_TYPE = "application/vnd.bailiwick.evidence-bundle.v1+json"
STATEMENT = "https://in-toto.io/Statement/v1"
KINDS = ("deployment", "inputs", "policy", "jurisdiction", "verifier", "attestation", "receipts")
MANIFEST = "manifest"


@dataclass(frozen=True)
class Attested:
    """One attestation: the evidence as archived (canonical JSON) and the result token that was given for it."""

    evidence: bytes
    result: str


@dataclass(frozen=True)
class BundleInputs:
    """What an export gathers. Secrets in `config` and `resources` are replaced before anything is signed.

    stack: its name. engine: which engine deployed it. commit: of the program, `{"sha", "dirty", …}`, or None.
    config: the stack's settings. resources: `{"urn", "type", "name", "parent", "inputs"}` each. verdicts: policy
    verdicts, `{"rule", "urn", "level", "status", "message"}` each. jurisdiction: the stack's. inside: jurisdictions
    that lie within it, itself included (from the catalogue). dependencies: the jurisdiction graph's records.
    configurations: of the verifiers. token_keys: public keys of the verifiers' results, by purpose, as
    `verifier.broker.service.token_keys` gives them; log_key: of the log.
    keystore: `is_hsm` and `description`. sandbox_root: PEM of the emulated vendors' roots, if a verifier trusts them.
    attestations, collateral (each set as archived), receipts, origin: the log's content (`collect`).
    """

    stack: str
    engine: str
    created_at: datetime
    commit: Mapping[str, Any] | None
    config: Mapping[str, Any]
    resources: Sequence[Mapping[str, Any]]
    verdicts: Sequence[Mapping[str, Any]]
    jurisdiction: str
    inside: Sequence[str]
    dependencies: Sequence[Mapping[str, Any]]
    configurations: Sequence[Mapping[str, Any]]
    token_keys: Mapping[str, ec.EllipticCurvePublicKey]
    log_key: ec.EllipticCurvePublicKey
    keystore: Mapping[str, Any]
    sandbox_root: str | None = None
    attestations: Sequence[Attested] = field(default_factory=tuple)
    collateral: Sequence[bytes] = field(default_factory=tuple)
    receipts: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    origin: str = ""


def collect(log: TransparencyLog) -> dict[str, Any]:
    """A log's `attestations`, `collateral`, `receipts`, `origin` and `log_key`: all there is under its checkpoint."""
    receipts = [receipt.to_dict() for receipt in log.receipts()]
    attested = [
        Attested(
            log.archive.get("evidence", receipt["entry"]["evidence_digest"]),
            log.archive.get("result", receipt["entry"]["verdict_digest"]).decode("ascii"),
        )
        for receipt in receipts
        if (receipt["entry"]["event"], receipt["entry"]["decision"]) == ("attestation", "allow")
    ]
    named = ("collateral_digest", "device_collateral_digest")
    judged_with = {receipt["entry"].get(name) for receipt in receipts for name in named} - {None}
    return {
        "attestations": attested,
        "collateral": [log.archive.get("collateral", digest) for digest in sorted(judged_with)],
        "receipts": receipts,
        "origin": log.origin,
        "log_key": log.public_key,
    }


def build(inputs: BundleInputs, signer: Signer) -> dict[str, Any]:
    """The signed bundle as a JSON object; `to_bytes` gives the file."""
    predicates = _predicates(inputs)
    subject = subject_of(inputs.stack, predicates["inputs"])
    sealing = _SmallS(signer)
    statements = [_sign(kind, subject, predicates[kind], sealing) for kind in KINDS]
    listed = [{"kind": kind, "sha256": digest_of(envelope)} for kind, envelope in zip(KINDS, statements, strict=True)]
    return {
        "mediaType": MEDIA_TYPE,
        "publicKey": public_key_pem(signer.public_key),
        "manifest": _sign(MANIFEST, subject, {"statements": listed}, sealing),
        "statements": statements,
    }


def to_bytes(bundle: Mapping[str, Any]) -> bytes:
    """The bundle's file."""
    return canonical.encode(bundle)


def predicate_type(kind: str) -> str:
    """The predicateType of a kind of statement."""
    return f"https://bailiwick.dev/evidence/{kind}/v1"


def subject_of(stack: str, resolved_inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The subject of every statement: the stack, by the digest of its resolved inputs."""
    return [{"name": f"bailiwick/stack/{stack}", "digest": {"sha256": digest_of(resolved_inputs)}}]


def digest_of(value: Any) -> str:
    """SHA-256 (hex) of a value's canonical form."""
    return hashlib.sha256(canonical.encode(value)).hexdigest()


def _predicates(inputs: BundleInputs) -> dict[str, dict[str, Any]]:
    return {
        "deployment": {
            "stack": inputs.stack,
            "engine": inputs.engine,
            "created_at": inputs.created_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "commit": publishable(inputs.commit),
            "exporter": this_build.identity(),
        },
        "inputs": {
            "config": publishable(inputs.config),
            "resources": [publishable(resource) for resource in inputs.resources],
        },
        "policy": {"verdicts": [publishable(verdict) for verdict in inputs.verdicts]},
        "jurisdiction": {
            "jurisdiction": inputs.jurisdiction,
            "inside": sorted(inputs.inside),
            "dependencies": [publishable(dependency) for dependency in inputs.dependencies],
        },
        "verifier": {
            "configurations": [dict(configuration) for configuration in inputs.configurations],
            "keys": {
                purpose: jwk.from_public_key(key)
                for purpose, key in (*inputs.token_keys.items(), ("log", inputs.log_key))
            },
            "keystore": dict(inputs.keystore),
            "sandbox_root": inputs.sandbox_root,
        },
        "attestation": {
            "results": [
                {
                    "evidence": canonical.parse_object(attested.evidence),
                    "evidence_digest": hashlib.sha256(attested.evidence).hexdigest(),
                    "result": attested.result,
                    "result_digest": hashlib.sha256(attested.result.encode("ascii")).hexdigest(),
                }
                for attested in inputs.attestations
            ],
            "collateral": [canonical.parse_object(collateral) for collateral in inputs.collateral],
        },
        "receipts": {"origin": inputs.origin, "receipts": [dict(receipt) for receipt in inputs.receipts]},
    }


def _sign(kind: str, subject: Sequence[Any], predicate: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    statement = {
        "_type": STATEMENT,
        "subject": subject,
        "predicateType": predicate_type(kind),
        "predicate": predicate,
    }
    return dsse.sign(dsse.IN_TOTO, canonical.encode(statement), signer)


class _SmallS:
    """A signer whose signatures have the smaller of the two possible s."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._signer.public_key

    def sign(self, data: bytes) -> bytes:
        return with_low_s(self._signer.sign(data))
