"""What `POST /v1/verify` is asked, in JSON: one piece of evidence, and what came beside it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response

from verifier import aws, azure, canonical, library, nitro, snp, tdx, tpm
from verifier.errors import VerifierError
from verifier.snp import Endorsements, SigningKey
from verifier.tpm import event_log
from verifier.verdict import Evidence

MAX_REQUEST_BYTES: Final = 1_048_576
_KINDS: Final = {
    "azure": azure.AzureEvidence,
    "aws": aws.AwsEvidence,
    "nitro": nitro.NitroDocument,
    "tdx": tdx.TdxQuote,
    "snp": snp.SnpReport,
    "google": tpm.VtpmAttestation,
}
DEFAULT: Final = "default"
"""Name of the policy that ships with the verifier; the others are called by the path of the key that they guard."""

_NAMESPACE: Final = "https://bailiwick.dev/problems/"


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


class VtpmQuote(BaseModel):
    """What a vTPM says. message: TPMS_ATTEST; signature: bare RSASSA SHA-256 (base64 each). pcrs: 0 to 23 of the
    SHA-256 bank, in hex. event_log: the TCG log (base64), None where the guest sent none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: str
    signature: str
    pcrs: tuple[Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")], ...] = Field(max_length=tpm.layout.PCR_COUNT)
    event_log: str | None = None


class VerifyRequest(BaseModel):
    """The request.

    evidence: base64. kind: what it must be; None: what its first bytes say. nonce: hex, what it must be bound to.
    policy: name. endorsements: of an SNP report, certificates that came with it and not in it, `vcek`, `vlek`, `ask`,
    `asvk`, `ark` → DER in base64; without them the service looks into its own collateral. tpm_quote, td_quote (base64):
    Azure only, what came beside the HCL report. nitro_document (base64): AWS only, what came beside the SNP report.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evidence: str = Field(max_length=MAX_REQUEST_BYTES)
    kind: Literal["snp", "tdx", "nvidia", "azure", "aws", "nitro", "google"] | None = None
    nonce: str | None = Field(None, pattern=r"^([0-9a-fA-F]{2}){1,64}$")
    policy: str = Field(DEFAULT, max_length=256)
    endorsements: Mapping[Literal["vcek", "vlek", "ask", "asvk", "ark"], str] | None = None
    tpm_quote: VtpmQuote | None = None
    td_quote: str | None = None
    nitro_document: str | None = None


def read(body: bytes) -> VerifyRequest:
    """The request in a body; a `ProblemError` that names the first member that is wrong."""
    try:
        return VerifyRequest.model_validate(canonical.parse_object(body))
    except canonical.JsonError as error:
        raise ProblemError(Problem.REQUEST, f"the request is {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ProblemError(Problem.REQUEST, f"{where}: {first['msg']}") from None


def evidence_of(request: VerifyRequest) -> Evidence:
    """The evidence of a request, of the kind that it says; a `ProblemError` where it is none."""
    encoded = _decode(request.evidence, "evidence")
    try:
        evidence = _with_parts(library.parse(encoded), request)
    except VerifierError as error:
        raise ProblemError(Problem.EVIDENCE, f"evidence: {error}") from None
    found = _kind(evidence)
    if request.kind not in {None, found}:
        raise ProblemError(Problem.EVIDENCE, f"evidence: this is {found}, kind says {request.kind}")
    return evidence


def _with_parts(evidence: Evidence, request: VerifyRequest) -> Evidence:
    """The same with what came beside an HCL report, or beside an SNP report."""
    if request.nitro_document is not None:
        if not isinstance(evidence, snp.SnpReport):
            raise ProblemError(Problem.REQUEST, "nitro_document: only an SNP report comes with one")
        evidence = aws.AwsEvidence(evidence, nitro.parse(_decode(request.nitro_document, "nitro_document")))
    if request.tpm_quote is None and request.td_quote is None:
        return evidence
    if not isinstance(evidence, azure.AzureEvidence):
        raise ProblemError(Problem.REQUEST, "tpm_quote, td_quote: only an HCL report of Azure's comes with them")
    quote = None if request.td_quote is None else tdx.parse(_decode(request.td_quote, "td_quote"))
    return azure.AzureEvidence(evidence.hcl, quote, None if request.tpm_quote is None else _vtpm(request.tpm_quote))


def _vtpm(said: VtpmQuote) -> azure.VtpmEvidence:
    return azure.VtpmEvidence(
        tpm.parse(_decode(said.message, "tpm_quote.message")),
        tpm.rsassa_sha256(_decode(said.signature, "tpm_quote.signature")),
        {tpm.layout.SHA256: {register: bytes.fromhex(value) for register, value in enumerate(said.pcrs)}},
        None if said.event_log is None else event_log.parse(_decode(said.event_log, "tpm_quote.event_log")),
    )


def _kind(evidence: Evidence) -> str:
    if isinstance(evidence, tuple):
        return "nvidia"
    return next(name for name, kind in _KINDS.items() if isinstance(evidence, kind))


def endorsements_of(request: VerifyRequest) -> Endorsements | None:
    """The certificates that came with a report; None without any."""
    given: dict[str, bytes] = {
        name: _decode(text, f"endorsements.{name}") for name, text in (request.endorsements or {}).items()
    }
    if not given:
        return None
    if ("vcek" in given) == ("vlek" in given):
        raise ProblemError(Problem.REQUEST, "endorsements: one of vcek and vlek expected")
    if "vcek" in given:
        return Endorsements(given["vcek"], SigningKey.VCEK, given.get("ask"), given.get("ark"))
    return Endorsements(given["vlek"], SigningKey.VLEK, given.get("asvk"), given.get("ark"))


def _decode(text: str, member: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError(Problem.REQUEST, f"{member}: not base64") from None
