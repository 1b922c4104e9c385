"""`POST /v1/verify`: evidence in, an attestation result out, for whoever relies on it. No key is released here.

Nothing of the request weakens the verdict: the policy is one of the service's own, called by its name, and the time is
the service's clock. Evidence that is not genuine, or not acceptable, is an answer (200) whose result says so; a problem
document (RFC 9457) is for a request that cannot be judged.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from verifier import azure, build, canonical, ear, library, nvidia, snp, tdx
from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.broker.judge import appraisal_policy, narrowed
from verifier.broker.service import Clock
from verifier.collateral.record import CollateralError
from verifier.collateral.source import DeviceCollateral, Reader, SnpCollateral, Stored, TdxCollateral
from verifier.config import VerifierConfig
from verifier.errors import InvalidReferenceValues, MalformedEvidence, VerificationFailed, VerifierError
from verifier.reference import read_any_bundle
from verifier.signer import Signer, load_public_key
from verifier.snp import Endorsements, SigningKey
from verifier.trust import TrustStore
from verifier.verdict import Evidence, Verdict

MAX_REQUEST_BYTES: Final = 1_048_576
LIFETIME: Final = timedelta(minutes=5)
"""How long a result is valid."""
DEFAULT: Final = "default"
"""Name of the policy that ships with the verifier; the others are called by the path of the key that they guard."""

_NAMESPACE: Final = "https://bailiwick.dev/problems/"
_UNAVAILABLE: Final = frozenset({"collateral.cache", "collateral.store"})
"""Checks that fail because the service lacks something, not because of the evidence."""


class Problem(Enum):
    """What can be wrong with a request: last part of the problem's type, HTTP status, title."""

    REQUEST = ("malformed-request", 400, "The request is not as documented")
    EVIDENCE = ("malformed-evidence", 400, "The evidence cannot be read")
    POLICY = ("unknown-policy", 404, "There is no policy of this name")
    TOO_LARGE = ("too-large", 413, "The request is too large")
    MEDIA_TYPE = ("not-json", 415, "The request is not JSON")
    COLLATERAL = ("collateral-unavailable", 503, "The service cannot reach its collateral")


class ProblemError(Exception):
    """A request that is not judged. detail: one line for the person who must act."""

    def __init__(self, problem: Problem, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail

    def response(self) -> Response:
        """The problem document."""
        name, status, title = self.problem.value
        content = {"type": _NAMESPACE + name, "title": title, "status": status, "detail": self.detail}
        return JSONResponse(content, status, media_type="application/problem+json")


class VerifyRequest(BaseModel):
    """The request.

    evidence: base64. kind: what it must be; None: what its first bytes say. nonce: hex, what it must be bound to.
    policy: name. endorsements: SNP only, certificates that came with the report, `vcek`, `vlek`, `ask`, `asvk`, `ark`
    → DER in base64; without them the service looks into its own collateral.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evidence: str = Field(max_length=MAX_REQUEST_BYTES)
    kind: Literal["snp", "tdx", "nvidia", "azure"] | None = None
    nonce: str | None = Field(None, pattern=r"^([0-9a-fA-F]{2}){1,64}$")
    policy: str = Field(DEFAULT, max_length=256)
    endorsements: Mapping[Literal["vcek", "vlek", "ask", "asvk", "ark"], str] | None = None


@dataclass(frozen=True)
class Collateral:
    """The service's own. crls: AMD's (DER). quotes: Intel's. devices: NVIDIA's. reader: VCEKs, where they are kept."""

    crls: Sequence[bytes]
    quotes: tdx.CollateralSource
    devices: nvidia.CollateralSource
    reader: Reader | None = None


@dataclass(frozen=True)
class _Source:
    """What one request is judged with: the service's collateral, and the certificates that came with the report."""

    collateral: Collateral
    given: Endorsements | None
    at: datetime

    def snp(self, report: snp.SnpReport) -> SnpCollateral:
        if self.given is not None:
            return SnpCollateral(self.given, self.collateral.crls)
        if self.collateral.reader is None:
            raise VerificationFailed("endorsement.missing", "give the VCEK or VLEK in endorsements: none is kept here")
        return Stored(self.collateral.reader, self.at).snp(report)

    def tdx(self, quote: tdx.TdxQuote) -> TdxCollateral:
        return TdxCollateral(self.collateral.quotes.find(quote))

    def devices(self, devices: Sequence[nvidia.DeviceEvidence], trust: TrustStore) -> DeviceCollateral:  # noqa: ARG002
        return DeviceCollateral(self.collateral.devices())


class VerifyService:
    """Judges requests; stateless but for what `trust` remembers, and thread-safe.

    config: whose policies and reference values are used. signer: of results. clock: the current time, aware.
    """

    def __init__(
        self, config: VerifierConfig, trust: TrustStore, signer: Signer, collateral: Collateral, clock: Clock
    ) -> None:
        self._trust = narrowed(trust, config.trust_anchors)
        self._signer = signer
        self._collateral = collateral
        self._clock = clock
        self._policies = {DEFAULT: AppraisalPolicy.load(DEFAULT_POLICY)} | {
            resource.path: appraisal_policy(resource) for resource in config.resources
        }
        self._values = _reference_values(config)
        self._identity = ear.VerifierId(build.DEVELOPER, build.identity())

    def verify(self, body: bytes) -> dict[str, Any]:
        """Judge one request; a `ProblemError` when it cannot be judged."""
        request = _read(body)
        policy = self._policies.get(request.policy)
        if policy is None:
            known = ", ".join(self._policies)
            raise ProblemError(Problem.POLICY, f"policy: {request.policy!r:.80} is not one of {known}")
        evidence = _evidence(request)
        at, nonce = self._clock(), None if request.nonce is None else bytes.fromhex(request.nonce)
        source = _Source(self._collateral, _endorsements(request), at)
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
        """Devices are compared with their RIMs, not with images."""
        return () if isinstance(evidence, tuple) else self._values

    def _answer(self, verdict: Verdict, nonce: bytes | None) -> dict[str, Any]:
        if verdict.result is None:
            raise ProblemError(Problem.EVIDENCE, verdict.summary)
        text = None if nonce is None else base64.urlsafe_b64encode(nonce).rstrip(b"=").decode("ascii")
        token = ear.issue(
            verdict.result,
            key=self._signer,
            verifier_id=self._identity,
            nonce=text if text is not None and len(text) in ear.NONCE_CHARACTERS else None,
            lifetime=LIFETIME,
            at=verdict.at,
        )
        members = verdict.as_json()
        return {"token": token, **{name: value for name, value in members.items() if name != "exit_code"}}


def routes(service: VerifyService) -> list[Route]:
    """The routes of the service, for the broker's application."""

    async def verify(request: Request) -> Response:
        try:
            body = await _body(request)
            answer = await run_in_threadpool(service.verify, body)
        except ProblemError as error:
            return error.response()
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    return [Route("/v1/verify", verify, methods=["POST"])]


async def _body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError(Problem.MEDIA_TYPE, "content-type: application/json expected")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST_BYTES:
            raise ProblemError(Problem.TOO_LARGE, f"the request is larger than {MAX_REQUEST_BYTES} bytes")
    return bytes(body)


def _read(body: bytes) -> VerifyRequest:
    try:
        return VerifyRequest.model_validate(canonical.parse_object(body))
    except canonical.JsonError as error:
        raise ProblemError(Problem.REQUEST, f"the request is {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ProblemError(Problem.REQUEST, f"{where}: {first['msg']}") from None


def _evidence(request: VerifyRequest) -> Evidence:
    encoded = _decode(request.evidence, "evidence")
    try:
        evidence = library.parse(encoded)
    except VerifierError as error:
        raise ProblemError(Problem.EVIDENCE, f"evidence: {error}") from None
    found = _kind(evidence)
    if request.kind not in {None, found}:
        raise ProblemError(Problem.EVIDENCE, f"evidence: this is {found}, kind says {request.kind}")
    return evidence


def _kind(evidence: Evidence) -> str:
    if isinstance(evidence, tuple):
        return "nvidia"
    if isinstance(evidence, azure.AzureEvidence):
        return "azure"
    return "tdx" if isinstance(evidence, tdx.TdxQuote) else "snp"


def _endorsements(request: VerifyRequest) -> Endorsements | None:
    given: dict[str, bytes] = {
        name: _decode(text, f"endorsements.{name}") for name, text in (request.endorsements or {}).items()
    }
    if not given:
        return None
    leaves = [kind for kind in SigningKey if kind.name.lower() in given]
    if len(leaves) != 1:
        raise ProblemError(Problem.REQUEST, "endorsements: one of vcek and vlek expected")
    leaf = leaves[0]
    intermediate = given.get("ask" if leaf is SigningKey.VCEK else "asvk")
    return Endorsements(given[leaf.name.lower()], leaf, intermediate, given.get("ark"))


def _decode(text: str, member: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError(Problem.REQUEST, f"{member}: not base64") from None


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
