"""The region's object storage: files under one directory, served on loopback by the host name and path of their URL."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from sandbox.region.files import write_atomically
from sandbox.region.loopback import LoopbackServer

_SEGMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ACCOUNT: Final = "[a-z0-9-]+"


def serves(form: str, host: str) -> bool:
    """Whether object storage that is addressed by `form` answers at `host`."""
    pattern = re.escape(str(urlsplit(form).netloc)).replace(re.escape("{account}"), _ACCOUNT)
    return re.fullmatch(pattern, host) is not None


class BlobStore:
    """Blobs in `directory/<host>/<path>`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, url: str) -> Path:
        """Where the file of the blob at `url` is. Raises `ValueError` for a URL that could lead elsewhere."""
        parts = urlsplit(url)
        segments = [parts.netloc.partition(":")[0], *parts.path.removeprefix("/").split("/")]
        if not all(map(_SEGMENT.fullmatch, segments)):
            raise ValueError(f"{url} is no address of a blob")
        return self._directory.joinpath(*segments)

    def holds(self, host: str) -> bool:
        """Whether anything was stored under a host name."""
        return _SEGMENT.fullmatch(host) is not None and (self._directory / host).is_dir()

    def put(self, url: str, content: bytes) -> None:
        """Store a blob, whole or not at all."""
        write_atomically(self.path(url), content)

    def serve(self) -> LoopbackServer:
        """Answer `GET` for the URL that the Host header and the path make."""
        return LoopbackServer(Starlette(routes=[Route("/{path:path}", self._get)]), "object storage")

    async def _get(self, request: Request) -> Response:
        try:
            path = self.path(f"https://{request.headers.get('host', '')}{request.url.path}")
        except ValueError:
            return Response("InvalidUri", status_code=400)
        if not path.is_file():
            return Response("NotFound", status_code=404)
        return FileResponse(path, media_type="application/octet-stream")
