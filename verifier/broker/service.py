"""The key broker: challenge, attest, release. Everything that decides, and nothing of HTTP.

A key leaves only after its receipt is durable in the transparency log; without log or key store nothing leaves.
Every decision, allow or deny, has a receipt. Replicas share the key store, the log and the wrapped keys, and no memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from verifier import build, canonical, ear, jwk, nvidia
from verifier.appraisal import AttestationResult
from verifier.broker import jwe, session
from verifier.broker.decision import Event, Facts
from verifier.broker.genuine import Genuine
from verifier.broker.judge import Judge
from verifier.broker.problem import Kind, Refusal
from verifier.broker.protocol import Evidence, read_attestation, read_request
from verifier.broker.wrapped import WrappedKeys, WrappedKeysError
from verifier.collateral.source import Reader
from verifier.config import Resource, VerifierConfig
from verifier.errors import InvalidToken
from verifier.keystore import KeyStore, KeyStoreError, open_signer
from verifier.log import ArchiveError, LogError, Receipt, TransparencyLog
from verifier.signer import ES256, Signer, algorithm_of, fingerprint
from verifier.tdx import CollateralSource
from verifier.trust import TrustStore

TOKEN_KEY = "verifier-token-es256"  # noqa: S105 - the name of the signing key, not a secret
TOKEN_KEYS = {"token": TOKEN_KEY, "former-token": "verifier-token"}
"""Purpose → name of a key that signs results, or signed them before decision 0018 (ES384): logs keep what it signed."""
EVIDENCE = "evidence"
COLLATERAL = "collateral"
RESULT = "result"

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Answer:
    """What goes back to the guest.

    body: JSON object. receipt: proof that the decision is in the log; None when nothing was decided.
    cookie: new value of the session cookie, or None; cookie_seconds: how long it is good for.
    """

    body: dict[str, Any]
    receipt: Receipt | None = None
    cookie: str | None = None
    cookie_seconds: int = 0


class Denied(Exception):  # noqa: N818 - an outcome, as verifier.errors names them
    """A refusal with its receipt; `receipt` is None only when the log could not be written."""

    def __init__(self, refusal: Refusal, receipt: Receipt | None) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal
        self.receipt = receipt


class Broker:
    """One replica. The arguments are `create_app`'s."""

    def __init__(
        self,
        config: VerifierConfig,
        keystore: KeyStore,
        trust: TrustStore,
        log: TransparencyLog,
        wrapped: WrappedKeys,
        clock: Clock,
        crls: Sequence[bytes] = (),
        collateral: CollateralSource | None = None,
        devices: nvidia.CollateralSource = nvidia.Collateral,
        reader: Reader | None = None,
    ) -> None:
        self.config = config
        self.log = log
        self._keystore = keystore
        self._judge = Judge(config, trust, crls, collateral, devices, reader)
        self._wrapped = wrapped
        self._clock = clock
        self._signer = token_signer(keystore)
        self._identity = ear.VerifierId(build.DEVELOPER, build.identity())

    def challenge(self, body: bytes) -> Answer:
        """POST /kbs/v0/auth: a nonce, and the cookie that carries it."""
        facts = Facts("challenge")
        with self._receipts(facts):
            facts.tee = read_request(_message(body))
            challenge, cookie = session.issue(facts.tee, self._clock(), self._signer)
        seconds = int(session.LIFETIME.total_seconds())
        return Answer({"nonce": challenge.nonce, "extra-params": {}}, cookie=cookie, cookie_seconds=seconds)

    def attest(self, body: bytes, cookie: str | None) -> Answer:
        """POST /kbs/v0/attest: evidence in, a result token out if the evidence opens at least one key."""
        facts = Facts("attestation")
        with self._receipts(facts):
            now = self._clock()
            challenge = session.read(cookie, now, self._signer)
            facts.tee = challenge.tee
            evidence = read_attestation(_message(body), challenge.tee)
            facts.guest_key = jwk.thumbprint(evidence.runtime_data.tee_pubkey)
            facts.evidence_digest = evidence.digest
            self._spend(challenge, evidence, now)
            genuine = self._genuine(evidence, facts, now)
            resource, result = self._best(genuine, evidence, facts, now)
            self.log.archive.put(EVIDENCE, evidence.to_json())
            self._keep_collateral(genuine, facts)
            token = ear.issue(
                result,
                key=self._signer,
                verifier_id=self._identity,
                nonce=challenge.nonce,
                lifetime=timedelta(seconds=resource.policy.max_token_seconds),
                at=now,
                extra={
                    "tee": evidence.tee,
                    "tee-pubkey": evidence.runtime_data.tee_pubkey,
                    "evidence": evidence.digest,
                    "jurisdiction": self.config.jurisdiction,
                },
            )
            facts.verdict_digest = self.log.archive.put(RESULT, token.encode("ascii"))
            facts.verdict_status = str(result.status)
            receipt = self._allow(facts, now, _affirmed(result))
            attested = session.remember(facts.verdict_digest, self._signer)
        return Answer({"token": token}, receipt, attested, resource.policy.max_token_seconds)

    def release(self, path: str, token: str | None, cookie: str | None) -> Answer:
        """GET /kbs/v0/resource/…: the key, wrapped to the attested guest, if its policy is satisfied now.

        token: the result token as bearer; without one, the session cookie of a successful attestation stands for it.
        """
        facts = Facts("release", resource=path)
        with self._receipts(facts):
            now = self._clock()
            claims = self._claims(token or self._session_token(cookie), facts, now)
            resource = self._resource(path, facts)
            evidence = self._attested(claims, resource, now)
            genuine = self._genuine(evidence, facts, now)
            result = self._judge.appraise(genuine, evidence, resource, now)
            objections = self._judge.objections(result, resource, evidence.tee)
            if objections:
                raise Refusal(Kind.POLICY, "policy", *objections)
            self._keep_collateral(genuine, facts)
            dek = self._data_key(resource)
            released = jwe.encrypt(dek, evidence.runtime_data.tee_pubkey)
            receipt = self._allow(facts, now, _affirmed(result))
        return Answer({**released}, receipt)

    def refuse(self, event: Event, refusal: Refusal) -> Denied:
        """A refusal that was decided before the message reached the broker (too large), with its receipt."""
        return self._deny(Facts(event), refusal)

    def public_keys(self) -> dict[str, Any]:
        """A JWK Set (RFC 7517 section 5): the keys that sign results and the log's checkpoints."""
        keys = (("token", self._signer.public_key), ("log", self.log.public_key))
        return {
            "keys": [
                {
                    **jwk.from_public_key(key),
                    "kid": fingerprint(key),
                    "purpose": purpose,
                    "use": "sig",
                    "alg": algorithm_of(key).name,
                }
                for purpose, key in keys
            ]
        }

    def health(self) -> dict[str, Any]:
        """Whether a key could be released now: the key store answers and the log reads."""
        try:
            self._keystore.names()
            size = self.log.size
        except (KeyStoreError, LogError) as error:
            raise Denied(Refusal(Kind.UNAVAILABLE, "unavailable", str(error)), None) from None
        return {
            "status": "ok",
            "verifier": {"name": self.config.name, "build": build.identity()},
            "keystore": {"is_hsm": self._keystore.is_hsm, "description": self._keystore.describe()},
            "log": {"origin": self.log.origin, "size": size},
        }

    def _spend(self, challenge: session.Challenge, evidence: Evidence, now: datetime) -> None:
        if evidence.runtime_data.nonce != challenge.nonce:
            raise Refusal(Kind.ATTESTATION, "nonce.mismatch", "runtime-data.nonce is not the nonce of this session")
        if not self.log.spend(challenge.nonce, challenge.expires, now):
            raise Refusal(Kind.ATTESTATION, "nonce.replayed", "this nonce was used before: ask for a new one")

    def _genuine(self, evidence: Evidence, facts: Facts, now: datetime) -> Genuine:
        """Verified evidence that commits to its nonce and key, under any policy."""
        genuine = self._judge.verify(evidence, now)
        facts.measurement, facts.root, facts.devices = genuine.measurement, genuine.root, len(genuine.devices)
        problem = genuine.unbound(evidence.runtime_data)
        if problem is not None:
            raise Refusal(Kind.ATTESTATION, "report-data", problem)
        return genuine

    def _keep_collateral(self, genuine: Genuine, facts: Facts) -> None:
        """Archive what the evidence was judged with: vendors' documents expire, and an auditor comes later."""
        if genuine.collateral is not None:
            members = canonical.encode(genuine.collateral.members())
            facts.collateral_digest = self.log.archive.put(COLLATERAL, members)
        judged_with = genuine.device_collateral_members()
        if judged_with is not None:
            facts.device_collateral_digest = self.log.archive.put(COLLATERAL, canonical.encode(judged_with))

    def _best(
        self, genuine: Genuine, evidence: Evidence, facts: Facts, now: datetime
    ) -> tuple[Resource, AttestationResult]:
        """The first resource whose policy the evidence satisfies; a Refusal with what each policy objects to."""
        objections: list[str] = []
        for resource in self.config.resources:
            facts.policy_digest, facts.policy_id = resource.policy.digest, self._judge.policy_id(resource)
            result = self._judge.appraise(genuine, evidence, resource, now)
            facts.verdict_status = str(result.status)
            found = self._judge.objections(result, resource, evidence.tee)
            if not found:
                return resource, result
            objections += [objection for objection in found if objection not in objections]
        raise Refusal(Kind.ATTESTATION, "policy", *(objections or ["this verifier has no key to release"]))

    def _session_token(self, cookie: str | None) -> str:
        """The result token of an attested session, from the archive."""
        digest = session.recall(cookie, self._signer)
        if digest is None:
            hint = "no bearer token, and the session is not an attested one: POST /kbs/v0/attest first"
            raise Refusal(Kind.TOKEN_MISSING, "token.missing", hint)
        return self.log.archive.get(RESULT, digest).decode("ascii")

    def _claims(self, token: str, facts: Facts, now: datetime) -> dict[str, Any]:
        try:
            claims = ear.read(token, [self._signer.public_key], now)
        except InvalidToken as error:
            raise Refusal(Kind.TOKEN, "token", str(error)) from None
        if not {"ear.status", "tee", "tee-pubkey", "evidence", "eat_nonce"} <= claims.keys():
            raise Refusal(Kind.TOKEN, "token", "the token is not one that this broker's attest call gives")
        facts.verdict_digest = hashlib.sha256(token.encode("ascii")).hexdigest()
        facts.verdict_status, facts.tee, facts.evidence_digest = claims["ear.status"], claims["tee"], claims["evidence"]
        facts.guest_key = jwk.thumbprint(claims["tee-pubkey"])
        return claims

    def _resource(self, path: str, facts: Facts) -> Resource:
        resource = self.config.resource(path)
        if resource is None:
            raise Refusal(
                Kind.PATH, "resource.unknown", f"no key at {path!r:.120}: check the path in the guest's setting"
            )
        facts.kek, facts.policy_digest, facts.policy_id = (
            resource.kek,
            resource.policy.digest,
            self._judge.policy_id(resource),
        )
        return resource

    def _attested(self, claims: dict[str, Any], resource: Resource, now: datetime) -> Evidence:
        """The evidence behind a token, if the token is young enough for this key and still says what was archived."""
        age = int(now.timestamp()) - int(claims["iat"])
        if age > resource.policy.max_token_seconds:
            raise Refusal(
                Kind.TOKEN,
                "token.stale",
                f"the token is {age} s old, this key accepts {resource.policy.max_token_seconds} s: attest again",
            )
        evidence = Evidence.from_json(self.log.archive.get(EVIDENCE, claims["evidence"]))
        attested = (evidence.runtime_data.tee_pubkey, evidence.runtime_data.nonce)
        if attested != (claims["tee-pubkey"], claims["eat_nonce"]):
            raise Refusal(Kind.TOKEN, "token.key", "the token names a key that is not the one in its evidence")
        return evidence

    def _data_key(self, resource: Resource) -> bytes:
        wrapped = self._wrapped.get(resource.path)
        if wrapped is None:
            raise Refusal(Kind.PATH, "resource.empty", f"no key has been published at {resource.path}")
        if wrapped.kek != resource.kek:
            raise Refusal(
                Kind.POLICY,
                "resource.kek",
                f"the key is wrapped under {wrapped.kek!r:.60}, {resource.kek!r} is configured",
            )
        return self._keystore.unwrap(resource.kek, wrapped.blob)

    def _allow(self, facts: Facts, now: datetime, reasons: Sequence[str]) -> Receipt:
        return self.log.append(facts.entry(self.config, now, "allow", "policy", reasons))

    def _deny(self, facts: Facts, refusal: Refusal) -> Denied:
        try:
            now = self._clock()
            entry = facts.entry(self.config, now, "deny", refusal.check, refusal.reasons)
            return Denied(refusal, self.log.append(entry))
        except LogError as error:
            return Denied(
                Refusal(Kind.UNAVAILABLE, "log", str(error), f"the request was refused: {refusal.check}"), None
            )

    @contextmanager
    def _receipts(self, facts: Facts) -> Iterator[None]:
        """Turn a refusal, or a part that does not work, into a receipt and a `Denied`."""
        try:
            yield
        except Refusal as refusal:
            raise self._deny(facts, refusal) from None
        except (KeyStoreError, WrappedKeysError, ArchiveError) as error:
            raise self._deny(facts, Refusal(Kind.UNAVAILABLE, "unavailable", str(error))) from None
        except LogError as error:
            raise Denied(Refusal(Kind.UNAVAILABLE, "log", str(error)), None) from None


def token_signer(keystore: KeyStore) -> Signer:
    """The key of results, made first where there is none yet."""
    return open_signer(keystore, TOKEN_KEY, ES256)


def token_keys(keystore: KeyStore) -> dict[str, EllipticCurvePublicKey]:
    """Purpose → public key, of all that results of this key store were signed with."""
    names = keystore.names()
    return {purpose: keystore.public_key(name) for purpose, name in TOKEN_KEYS.items() if name in names}


def utc_now() -> datetime:
    """The clock of a real service."""
    return datetime.now(UTC)


def _message(body: bytes) -> dict[str, Any]:
    try:
        return canonical.parse_object(body)
    except canonical.JsonError as error:
        raise Refusal(Kind.MALFORMED, "message", f"the body is {error}") from None


def _affirmed(result: AttestationResult) -> list[str]:
    """The claims that speak for the guest, one line each."""
    return [
        f"{claim.name}: {claim.reason}"
        for appraisal in result.submods.values()
        for claim in appraisal.claims
        if str(claim.tier) == "affirming"
    ]
