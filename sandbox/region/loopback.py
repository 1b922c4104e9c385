"""HTTP on loopback: the region's services listen there, and guests' requests for region names are led there."""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import httpx
import uvicorn
from starlette.types import ASGIApp

_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 5.0

Locate = Callable[[str, int], Sequence[int]]
"""Host and port of a request → loopback ports that serve it, in order of preference; `NoRouteError` says why none."""


class NoRouteError(Exception):
    """A name leads nowhere in the region's network; the message names the broken link."""


class LoopbackServer:
    """An ASGI application on a free port of 127.0.0.1, served by its own thread until `stop`."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
                server_header=False,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=name, daemon=True
        )
        self._thread.start()
        self._await_start()

    def stop(self) -> None:
        """Answer what is in progress, then close the port."""
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)
        self._socket.close()

    def _await_start(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise OSError(f"{self._thread.name} does not start on 127.0.0.1:{self.port}")
            time.sleep(0.005)


class RegionTransport(httpx.BaseTransport):
    """Sends each request to the service that its host name means inside the region.

    The emulated network ends TLS at its edge: a request for an https address goes to loopback in the clear.
    """

    def __init__(self, locate: Locate) -> None:
        self._locate = locate
        self._http = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Try each backend in turn, as a load balancer's health probe would have sorted them."""
        url = request.url
        try:
            ports = self._locate(url.host, url.port or {"http": 80, "https": 443}[url.scheme])
        except NoRouteError as error:
            raise httpx.ConnectError(str(error), request=request) from None
        failure: httpx.ConnectError | None = None
        for port in ports:
            request.url = url.copy_with(scheme="http", host="127.0.0.1", port=port)
            try:
                return self._http.handle_request(request)
            except httpx.ConnectError as error:
                failure = error
            finally:
                request.url = url
        raise failure or httpx.ConnectError(f"no backend of {url.host} answers", request=request)

    def close(self) -> None:
        """Close pooled connections."""
        self._http.close()
