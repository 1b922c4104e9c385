"""How HTTP is served: uvicorn on llhttp, Node's parser, within bounds that neither sets.

h11, in pure Python, would cost a tenth of a verification more for each request. It limits what it keeps of a head;
llhttp keeps nothing, but its readers keep header fields for as long as they come.
"""

from __future__ import annotations

from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 65_536
"""Of a request's line and header fields, and of the fields after a chunked body; h11's limit."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection, which ends when a head does not: no more is kept of it than the limit and what one read gives."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_bytes = 0

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
