"""`POST /v1/verify`: evidence in, an attestation result out, for whoever relies on it. No key is released here.

Nothing of the request weakens the verdict: the policy is one of the service's own, called by its name, and the time is
the service's clock. Evidence that is not genuine, or not acceptable, is an answer (200) whose result says so; a problem
document (RFC 9457) is for a request that cannot be judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from verifier import build, ear, jwk, library, nvidia, snp, tdx, tpm
from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.broker.judge import appraisal_policy, narrowed
from verifier.broker.service import Clock
from verifier.broker.verify_request import (
    DEFAULT,
    MAX_REQUEST_BYTES,
    Problem,
    ProblemError,
    endorsements_of,
    evidence_of,
    read,
)
from verifier.collateral import live
from verifier.collateral.record import CollateralError
from verifier.collateral.source import DeviceCollateral, Reader, SnpCollateral, Source, Stored, TdxCollateral
from verifier.config import VerifierConfig
from verifier.errors import InvalidReferenceValues, MalformedEvidence, VerificationFailed, VerifierError
from verifier.reference import read_any_bundle
from verifier.signer import Signer, load_public_key
from verifier.snp import Endorsements
from verifier.trust import TrustStore
from verifier.verdict import Evidence, Verdict

LIFETIME: Final = timedelta(minutes=5)
"""How long a result is valid."""
_QUICK_BYTES: Final = 16_384
"""An SNP report or a TDX quote with its certificates is below it, an event log or a GPU's evidence above."""
_UNAVAILABLE: Final = frozenset({"collateral.cache", "collateral.store"})
"""Checks that fail because the service lacks something, not because of the evidence."""

_HEADERS: Final = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))


@dataclass(frozen=True)
class Collateral:
    """The service's own. crls: AMD's (DER). quotes: Intel's. devices: NVIDIA's. reader: the store that they come from,
    which knows VCEKs too, and how old everything is; None where they come from a folder."""

    crls: Sequence[bytes]
    quotes: tdx.CollateralSource
    devices: nvidia.CollateralSource
    reader: Reader | None = None

    @property
    def is_at_hand(self) -> bool:
        """Whether it is in memory."""
        return self.reader is None or live.is_at_hand(self.reader)

    def source(self, given: Endorsements | None, at: datetime) -> Source:
        """What one request is judged with. given: the certificates that came with the report."""
        return _OfFolder(self, given) if self.reader is None else _OfStore(self.reader, given, at)


@dataclass(frozen=True)
class _OfStore:
    """A store's collateral, one state of it for each question."""

    reader: Reader
    given: Endorsements | None
    at: datetime

    def snp(self, report: snp.SnpReport, given: Endorsements | None = None) -> SnpCollateral:
        return self._stored.snp(report, given or self.given)

    def tdx(self, quote: tdx.TdxQuote) -> TdxCollateral:
        return self._stored.tdx(quote)

    def devices(self, devices: Sequence[nvidia.DeviceEvidence], trust: TrustStore) -> DeviceCollateral:
        return self._stored.devices(devices, trust)

    @property
    def _stored(self) -> Stored:
        return Stored(live.snapshot(self.reader), self.at)


@dataclass(frozen=True)
class _OfFolder:
    """Collateral of a folder, whose age nobody knows."""

    collateral: Collateral
    given: Endorsements | None

    def snp(self, report: snp.SnpReport, given: Endorsements | None = None) -> SnpCollateral:  # noqa: ARG002
        endorsements = given or self.given
        if endorsements is None:
            raise VerificationFailed("endorsement.missing", "give the VCEK or VLEK in endorsements: none is kept here")
        return SnpCollateral(endorsements, self.collateral.crls)

    def tdx(self, quote: tdx.TdxQuote) -> TdxCollateral:
        return TdxCollateral(self.collateral.quotes.find(quote))

    def devices(self, devices: Sequence[nvidia.DeviceEvidence], trust: TrustStore) -> DeviceCollateral:  # noqa: ARG002
        return DeviceCollateral(self.collateral.devices())


class VerifyService:
    """Judges requests; stateless but for what `trust` remembers, and thread-safe.

    config: whose policies and reference values are used. signer: of results. hsm: whether signing waits for one.
    clock: the current time, aware.
    """

    def __init__(
        self,
        config: VerifierConfig,
        trust: TrustStore,
        signer: Signer,
        collateral: Collateral,
        clock: Clock,
        *,
        hsm: bool,
    ) -> None:
        self._trust = narrowed(trust, config.trust_anchors)
        self._tokens = ear.TokenSigner(signer)
        self._collateral = collateral
        self._clock = clock
        self._hsm = hsm
        self._policies = {DEFAULT: AppraisalPolicy.load(DEFAULT_POLICY)} | {
            resource.path: appraisal_policy(resource) for resource in config.resources
        }
        self._values = _reference_values(config)
        self._identity = ear.VerifierId(build.DEVELOPER, build.identity())
        self._jurisdiction = config.jurisdiction

    def is_quick(self, body: bytes) -> bool:
        """Whether `verify` takes about a millisecond and waits for nothing: a thread for it would cost a tenth more."""
        return len(body) <= _QUICK_BYTES and not self._hsm and self._collateral.is_at_hand

    def verify(self, body: bytes) -> bytes:
        """Judge one request and answer in JSON; a `ProblemError` when it cannot be judged."""
        request = read(body)
        policy = self._policies.get(request.policy)
        if policy is None:
            known = ", ".join(self._policies)
            raise ProblemError(Problem.POLICY, f"policy: {request.policy!r:.80} is not one of {known}")
        evidence = evidence_of(request)
        at, nonce = self._clock(), None if request.nonce is None else bytes.fromhex(request.nonce)
        source = self._collateral.source(endorsements_of(request), at)
        try:
            verdict = library.verify(
                evidence,
                policy,
                source,
                at,
                nonce=nonce,
                reference_values=self._values_for(evidence),
                trust=self._trust,
            )
        except MalformedEvidence as error:
            raise ProblemError(Problem.EVIDENCE, str(error)) from None
        except CollateralError as error:
            raise ProblemError(Problem.COLLATERAL, str(error)) from None
        except VerifierError as error:
            raise ProblemError(Problem.REQUEST, str(error)) from None
        if verdict.failure is not None and verdict.failure.check in _UNAVAILABLE:
            raise ProblemError(Problem.COLLATERAL, verdict.failure.reason)
        return self._answer(verdict, nonce)

    def _values_for(self, evidence: Evidence) -> library.References:
        """Devices are compared with their RIMs, Google's vTPMs with what the policy lists, neither with images; but a
        processor's report beside a vTPM is."""
        alone = isinstance(evidence, tpm.VtpmAttestation) and evidence.report is None
        return () if alone or isinstance(evidence, tuple) else self._values

    def _answer(self, verdict: Verdict, nonce: bytes | None) -> bytes:
        assert verdict.result is not None, "the library raises what it cannot judge"
        text = None if nonce is None else jwk.encode(nonce)
        claims = ear.claims_of(
            verdict.result,
            verifier_id=self._identity,
            nonce=text if text is not None and len(text) in ear.NONCE_CHARACTERS else None,
            lifetime=LIFETIME,
            at=verdict.at,
            extra={"jurisdiction": self._jurisdiction},
        )
        submods = to_json(claims.pop("submods"))
        token = self._tokens.sign(_with_submods(claims, submods))
        return _with_submods({"token": token, **verdict.outcome()}, submods)


def _with_submods(members: Mapping[str, Any], submods: bytes) -> bytes:
    """A JSON object with the submodules last, which are in JSON: they are most of the token, and of the answer."""
    return b'%b,"submods":%b}' % (to_json(members)[:-1], submods)


def routes(service: VerifyService) -> list[Route]:
    """The routes of the service, for the broker's application."""
    return [Route("/v1/verify", _Endpoint(service), methods=["POST"])]


class _Endpoint:
    """The call as plain ASGI, without Starlette's objects for request and response."""

    def __init__(self, service: VerifyService) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; its problem, if it cannot be judged."""
        service = self._service
        try:
            body = await _body(scope, receive)
            answer = service.verify(body) if service.is_quick(body) else await run_in_threadpool(service.verify, body)
        except ProblemError as error:
            await error.response()(scope, receive, send)
            return
        headers = [*_HEADERS, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


async def _body(scope: Scope, receive: Receive) -> bytes:
    if Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError(Problem.MEDIA_TYPE, "content-type: application/json expected")
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_REQUEST_BYTES:
            raise ProblemError(Problem.TOO_LARGE, f"the request is larger than {MAX_REQUEST_BYTES} bytes")
        more = message.get("more_body", False)
    return bytes(body)


def _reference_values(config: VerifierConfig) -> library.References:
    """The bundles that a build key signed; the others count for nothing."""
    keys = [load_public_key(key) for key in config.build_keys]
    values = []
    for envelope in config.reference_values:
        try:
            values.append(read_any_bundle(envelope, keys))
        except InvalidReferenceValues:
            continue
    return values
