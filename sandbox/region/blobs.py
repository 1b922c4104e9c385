"""The region's blob storage: files under one directory, served on loopback by account, container and blob name."""

from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from sandbox.guest.config import ArtefactLocation
from sandbox.region.files import write_atomically
from sandbox.region.loopback import LoopbackServer

HOST_SUFFIX: Final = ".blob.core.windows.net"


class BlobStore:
    """Blobs in `directory/<account>/<container>/<blob>`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, location: ArtefactLocation) -> Path:
        """Where the blob's file is; `ArtefactLocation` admits no name that could lead elsewhere."""
        return self._directory / location.account / location.container / location.blob

    def put(self, location: ArtefactLocation, content: bytes) -> None:
        """Store a blob, whole or not at all."""
        write_atomically(self.path(location), content)

    def serve(self) -> LoopbackServer:
        """Answer `GET /<container>/<blob>` for the account in the Host header."""
        return LoopbackServer(Starlette(routes=[Route("/{container}/{blob}", self._get)]), "blob storage")

    async def _get(self, request: Request) -> Response:
        host = request.headers.get("host", "").partition(":")[0]
        try:
            location = ArtefactLocation(account=host.removesuffix(HOST_SUFFIX), **request.path_params)
        except ValueError:
            return Response("InvalidUri", status_code=400)
        path = self.path(location)
        if not path.is_file():
            return Response("BlobNotFound", status_code=404)
        return FileResponse(path, media_type="application/octet-stream")
