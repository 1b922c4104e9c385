"""The broker over HTTP: the three calls of the Key Broker Service protocol, verification, the log, the public keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from verifier import nvidia
from verifier.broker import verification
from verifier.broker.decision import Event
from verifier.broker.problem import Kind, Refusal
from verifier.broker.service import Answer, Broker, Clock, Denied, token_signer
from verifier.broker.session import COOKIE
from verifier.broker.wrapped import WrappedKeys
from verifier.collateral.source import Reader
from verifier.config import VerifierConfig
from verifier.keystore import KeyStore
from verifier.log import LogError, Receipt, TransparencyLog
from verifier.tdx import CollateralSource, CollateralStore
from verifier.trust import TrustStore

MAX_BODY_BYTES = 524_288
"""An SNP attestation message has about 8 KiB, with its report as fields about 30 KiB; a TDX one, with the 256 KiB that
firmware reserves for its event log, about 360 KiB."""

RECEIPT_HEADER = "bailiwick-receipt"
"""Number of the log entry that records the decision; the receipt is at /v1/log/entries/<number>."""


def create_app(
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
) -> Starlette:
    """One replica of the broker as an ASGI application.

    trust: the roots at hand; only those that `config.trust_anchors` names are used. clock: the current time, aware.
    crls: AMD's revocation lists (DER). collateral: Intel's, without which no TDX guest is served. devices:
    NVIDIA's RIMs and OCSP responses. reader: the store that all of it comes from, which knows its age, and VCEKs.
    ConfigurationError when the configuration names a root that `trust` lacks.
    """
    broker = Broker(config, keystore, trust, log, wrapped, clock, crls, collateral, devices, reader)
    own = verification.Collateral(crls, collateral or CollateralStore(None), devices, reader)
    verifying = verification.VerifyService(config, trust, token_signer(keystore), own, clock, hsm=keystore.is_hsm)

    async def auth(request: Request) -> Response:
        body = await _body(request, broker, "challenge")
        return await _answer(request, lambda: broker.challenge(body))

    async def attest(request: Request) -> Response:
        body = await _body(request, broker, "attestation")
        return await _answer(request, lambda: broker.attest(body, request.cookies.get(COOKIE)))

    async def resource(request: Request) -> Response:
        path = "/".join(request.path_params[part] for part in ("repository", "type", "tag"))
        return await _answer(request, lambda: broker.release(path, _bearer(request), request.cookies.get(COOKIE)))

    async def entry(request: Request) -> Response:
        try:
            receipt = await run_in_threadpool(log.receipt, request.path_params["number"])
        except LogError as error:
            raise Denied(Refusal(Kind.PATH, "log.entry", str(error)), None) from None
        return JSONResponse(receipt.to_dict())

    async def checkpoint(_: Request) -> Response:
        return PlainTextResponse(await run_in_threadpool(log.checkpoint))

    async def keys(_: Request) -> Response:
        return JSONResponse(broker.public_keys())

    async def health(_: Request) -> Response:
        return JSONResponse(await run_in_threadpool(broker.health))

    return Starlette(
        routes=[
            *verification.routes(verifying),
            Route("/kbs/v0/auth", auth, methods=["POST"]),
            Route("/kbs/v0/attest", attest, methods=["POST"]),
            Route("/kbs/v0/resource/{repository}/{type}/{tag}", resource, methods=["GET"]),
            Route("/v1/log/checkpoint", checkpoint, methods=["GET"]),
            Route("/v1/log/entries/{number:int}", entry, methods=["GET"]),
            Route("/v1/keys", keys, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
        ],
        exception_handlers={Denied: _problem, LogError: _log_problem, ClientDisconnect: _unheard},
    )


async def _body(request: Request, broker: Broker, event: Event) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            refusal = Refusal(Kind.TOO_LARGE, "message.size", f"the body is larger than {MAX_BODY_BYTES} bytes")
            raise await run_in_threadpool(broker.refuse, event, refusal)
    return bytes(body)


async def _answer(request: Request, decide: Callable[[], Answer]) -> Response:
    """Decide in a worker thread (HSM and disk block) and answer."""
    answer = await run_in_threadpool(decide)
    response = JSONResponse(
        answer.body | _member(answer.receipt), headers={"cache-control": "no-store", **_header(answer.receipt)}
    )
    if answer.cookie is not None:
        response.set_cookie(
            COOKIE,
            answer.cookie,
            max_age=answer.cookie_seconds,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
    return response


def _bearer(request: Request) -> str | None:
    """The bearer token (RFC 6750), if there is one."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Denied), "the handler is registered for nothing else"
    problem = {"type": error.refusal.kind.uri, "detail": error.refusal.detail, **_member(error.receipt)}
    return JSONResponse(
        problem, error.refusal.kind.status, _header(error.receipt), media_type="application/problem+json"
    )


async def _log_problem(request: Request, error: Exception) -> Response:
    return await _problem(request, Denied(Refusal(Kind.UNAVAILABLE, "log", str(error)), None))


async def _unheard(_: Request, __: Exception) -> Response:
    """A client that hangs up within its request is no error of ours, which the log would show with a traceback."""
    return Response(status_code=400)


def _member(receipt: Receipt | None) -> dict[str, Any]:
    """The receipt as a member of the answer; clients of the protocol ignore members that they do not know."""
    return {} if receipt is None else {"receipt": receipt.to_dict()}


def _header(receipt: Receipt | None) -> dict[str, str]:
    return {} if receipt is None else {RECEIPT_HEADER: str(receipt.index)}
