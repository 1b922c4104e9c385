"""The way from Microsoft's SDK to the emulated Managed HSMs: requests end here instead of on a network."""

import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter

from sandbox.clouds.azure.hsm_errors import HsmRefusal
from sandbox.clouds.azure.hsm_service import HsmService
from sandbox.clouds.azure.places import host_suffix

_HOUR = 3600


class EmulatedLogin:
    """A credential (`azure.core.credentials.TokenCredential`) whose token is the caller's object id."""

    def __init__(self, object_id: str) -> None:
        self._object_id = object_id

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self._object_id, int(time.time()) + _HOUR)


def transport(service: HsmService, lock: threading.RLock, tenant: str) -> RequestsTransport:
    """A transport for the SDK's clients. lock: held while the service answers."""
    session = requests.Session()
    session.mount("https://", _Adapter(service, lock, tenant))
    return RequestsTransport(session=session, session_owner=False)


class _Adapter(BaseAdapter):
    """Sends a request of `requests` to the service."""

    def __init__(self, service: HsmService, lock: threading.RLock, tenant: str) -> None:
        super().__init__()
        self._service = service
        self._lock = lock
        self._tenant = tenant

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        url = urlsplit(str(request.url or ""))
        with self._lock:
            hsm = self._service.find(url.hostname or "")
            if hsm is None:
                raise requests.exceptions.ConnectionError(f"Failed to resolve '{url.hostname}'")
            scheme, _, caller = str(request.headers.get("Authorization", "")).partition(" ")
            if scheme != "Bearer" or not caller:
                return _response(request, 401, {}, self._challenge())
            path = "/" + str(url.path).lstrip("/")
            try:
                body = json.loads(request.body) if isinstance(request.body, str | bytes) and request.body else {}
                status, answer = self._service.handle(hsm, caller, request.method or "", path, body)
            except HsmRefusal as refusal:
                status, answer = refusal.status, {"error": {"code": refusal.code, "message": refusal.message}}
            return _response(request, status, answer, {})

    def close(self) -> None:
        """Nothing is open."""

    def _challenge(self) -> dict[str, str]:
        login = f"https://login.microsoftonline.com/{self._tenant}"
        resource = f"https://{host_suffix('managed-hsm')}"
        return {"WWW-Authenticate": f'Bearer authorization="{login}", resource="{resource}"'}


def _response(
    request: requests.PreparedRequest, status: int, body: dict[str, Any], headers: dict[str, str]
) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.request = request
    response.url = request.url or ""
    response.headers.update({"Content-Type": "application/json; charset=utf-8", **headers})
    response.raw = _Body(json.dumps(body).encode())
    return response


class _Body:
    """What `requests` reads a response from (the part of `urllib3.HTTPResponse` that the SDK uses)."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.enforce_content_length = False

    def stream(self, _size: int, decode_content: bool = True) -> Any:  # noqa: ARG002 - urllib3's
        content, self._content = self._content, b""
        return iter([content] if content else [])

    def release_conn(self) -> None:
        """Nothing is held."""
