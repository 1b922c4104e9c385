"""Asking a service over HTTP: bounded in time, size and attempts, at the pace that the service wants."""

from __future__ import annotations

import email.utils
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from verifier.collateral.record import CollateralError
from verifier.collateral.store import MAX_OBJECT_BYTES

TIMEOUT_SECONDS: Final = 20.0
ATTEMPTS: Final = 4
MAX_WAIT_SECONDS: Final = 120.0
"""The longest that one `Retry-After` is waited for; a service that asks for more is asked again by the next fetch."""

_BUSY: Final = frozenset({429, 502, 503, 504})
_FIRST_WAIT_SECONDS: Final = 1.0

Sleep = Callable[[float], None]


class NotFoundError(CollateralError):
    """The service has no such object (404)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. headers: names in lower case."""

    url: str
    content: bytes
    headers: Mapping[str, str]


class Client:
    """Asks again where that can help, and then says in one line what the matter is. Thread-safe; `close` it.

    authority: PEM file with the CAs of a mirror's certificate, None: the system's. No proxy of the environment is used,
    and no redirection is followed: either could lead out of the jurisdiction. sleep: waits for seconds.
    """

    def __init__(
        self,
        *,
        authority: Path | None = None,
        timeout: float = TIMEOUT_SECONDS,
        attempts: int = ATTEMPTS,
        sleep: Sleep = time.sleep,
    ) -> None:
        try:
            verify = ssl.create_default_context(cafile=None if authority is None else str(authority))
        except (OSError, ssl.SSLError):
            raise CollateralError(f"{authority}: no certificates in PEM") from None
        self._http = httpx.Client(verify=verify, timeout=timeout, trust_env=False, follow_redirects=False)
        self._attempts = attempts
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def get(self, url: str, *, seconds_apart: float = 0.0) -> Answer:
        """The answer to GET; CollateralError when there is none."""
        return self._ask(self._http.build_request("GET", url), seconds_apart)

    def post(self, url: str, content: bytes, media_type: str) -> Answer:
        """The answer to POST, whose content is `media_type`."""
        return self._ask(self._http.build_request("POST", url, content=content, headers={"content-type": media_type}))

    def _ask(self, request: httpx.Request, seconds_apart: float = 0.0) -> Answer:
        wait, reason = _FIRST_WAIT_SECONDS, ""
        for attempt in range(self._attempts):
            if attempt:
                self._sleep(wait)
            self._keep_pace(request.url.host, seconds_apart)
            try:
                answer = self._once(request)
            except httpx.TransportError as error:
                wait, reason = _FIRST_WAIT_SECONDS * 2**attempt, str(error) or type(error).__name__
                continue
            if isinstance(answer, Answer):
                return answer
            reason = f"HTTP {answer.status_code}"
            asked = _retry_after(answer.headers.get("retry-after"))
            wait = _FIRST_WAIT_SECONDS * 2**attempt if asked is None else asked
            if wait > MAX_WAIT_SECONDS:
                raise CollateralError(f"{request.url}: {reason}, and it asks to wait {wait:.0f} s; fetch again later")
        raise CollateralError(f"{request.url}: {reason}, {self._attempts} times; fetch again later")

    def _once(self, request: httpx.Request) -> Answer | httpx.Response:
        """The answer, or a response that says that the service is busy."""
        response = self._http.send(request, stream=True)
        try:
            if response.status_code in _BUSY:
                return response
            _require_success(response)
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_OBJECT_BYTES:
                    raise CollateralError(f"{request.url}: answers with more than {MAX_OBJECT_BYTES} bytes")
            if not content:
                raise CollateralError(f"{request.url}: answers with nothing")
            return Answer(str(request.url), bytes(content), dict(response.headers))
        finally:
            response.close()

    def _keep_pace(self, host: str, seconds_apart: float) -> None:
        if not seconds_apart:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next.get(host, now))
            self._next[host] = start + seconds_apart
        if start > now:
            self._sleep(start - now)


def _require_success(response: httpx.Response) -> None:
    url, status = response.request.url, response.status_code
    if status == httpx.codes.NOT_FOUND:
        raise NotFoundError(f"{url}: not there (404); check the product, chip or id, and that the mirror has it")
    if response.is_redirect:
        raise CollateralError(
            f"{url}: redirects to {response.headers.get('location', 'nowhere')!r:.200}; name that one"
        )
    if status != httpx.codes.OK:
        raise CollateralError(f"{url}: HTTP {status}, 200 expected")


def _retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After (RFC 9110, 10.2.3), which is a number or a date; None when it is neither."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until.tzinfo else None
