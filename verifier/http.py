"""How HTTP is served: uvicorn on llhttp, Node's parser, within bounds that neither sets, an answer in one piece.

h11, in pure Python, would cost a tenth of a verification more for each request. It limits what it keeps of a head;
llhttp keeps nothing, but its readers keep header fields for as long as they come.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 65_536
"""Of a request's line and header fields, and of the fields after a chunked body; h11's limit."""


class GatheringTransport(asyncio.Transport):
    """A connection that sends what is written in one step of the loop in one piece, a head with its body.

    uvicorn writes them one by one: two system calls, with TLS two records, and a client that wakes up for half of it.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, with what else is written before the loop goes on."""
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(bytes(data))

    def close(self) -> None:
        """Send what was written, then end."""
        self._send()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it ends, or has ended."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Hear nothing more for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Hear again."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Addresses and TLS, by asyncio's names."""
        return self._transport.get_extra_info(name, default)

    def _send(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()


class BoundedProtocol(HttpToolsProtocol):
    """One connection, which ends when a head does not: no more is kept of it than the limit and what one read gives."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection begins."""
        super().connection_made(GatheringTransport(transport))

    def data_received(self, data: bytes) -> None:
        """Parse what came; 400 when all that came since the last of a body belongs to a head still open."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of a request has at most {MAX_HEAD_BYTES} bytes.")

    def on_headers_complete(self) -> None:
        """A head has ended."""
        self._head_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body came."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request has ended."""
        self._head_bytes = 0
        super().on_message_complete()


def http_server(app: Starlette, **address: Any) -> uvicorn.Config:
    """One process of the service. Parser and loop are named, because uvicorn would take others where it finds them.

    address: where, and with which certificate, as uvicorn takes it.
    """
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        log_level="warning",
        access_log=False,
        **address,
    )
