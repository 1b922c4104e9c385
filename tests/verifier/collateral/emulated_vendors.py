"""The vendors' services of the emulated hardware on loopback, with faults on demand, and evidence to fetch for."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from sandbox.hardware import Chip, LaunchPolicy, Platform, SandboxPki, SnpFirmware, TdxModule
from sandbox.hardware.gpu import Gpu
from sandbox.region.loopback import LoopbackServer
from sandbox.vendors import VendorServices
from verifier import library
from verifier.collateral.fetch.fetcher import Fetcher, Outcome
from verifier.collateral.fetch.http import Client
from verifier.collateral.fetch.origins import Origins, Service, Vendor
from verifier.collateral.gathering import needs_of
from verifier.collateral.store import Store
from verifier.trust import TrustStore

POLICY = LaunchPolicy(abi=(1, 51), smt=True, migrate_ma=False, debug=False, single_socket=False)
HOSTS = {vendor: Service(f"{vendor}.vendor.test") for vendor in Vendor}
REPORT_DATA = bytes(range(64))
NONCE = bytes(range(32))


@dataclass
class Hardware:
    """Evidence of one emulated machine, and the trust in its roots."""

    pki: SandboxPki

    @property
    def trust(self) -> TrustStore:
        return TrustStore.production().with_sandbox(self.pki.roots)

    def report(self, host: str = "host-a") -> bytes:
        firmware = SnpFirmware(self.pki, Chip(host))
        return firmware.report(firmware.launch(bytes(48), POLICY), REPORT_DATA)

    def quote(self) -> bytes:
        module = TdxModule(self.pki.intel, Platform("host-a"))
        return module.quote(module.launch(bytes(48), ()), REPORT_DATA)

    def devices(self) -> bytes:
        gpu = Gpu(self.pki.nvidia, "host-a")
        parts = {"evidence": gpu.report(NONCE), "certificate": gpu.chain}
        return json.dumps([{name: base64.b64encode(part).decode() for name, part in parts.items()}]).encode()


class Vendors:
    """The services behind an ASGI application that can answer something else first.

    asked: paths with queries, in order. first: answers that are given before any real one. rewrite: changes the body
    of real answers, by path. A mirror's URL is `url`.
    """

    def __init__(self, pki: SandboxPki) -> None:
        self.now = datetime.now(UTC)
        self._app = VendorServices(pki, lambda: self.now).app()
        self._server = LoopbackServer(self, "vendors")
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.asked: list[str] = []
        self.first: list[Response] = []
        self.rewrite: Callable[[str, bytes], bytes] = lambda _, body: body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        query = scope["query_string"].decode()
        self.asked.append(f"{scope['path']}?{query}" if query else scope["path"])
        if self.first:
            await self.first.pop(0)(scope, receive, send)
            return
        start: dict[str, Any] = {}
        body = bytearray()

        async def capture(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, capture)
        changed = self.rewrite(scope["path"], bytes(body))
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        start["headers"] = [*headers, (b"content-length", str(len(changed)).encode())]
        await send(start)
        await send({"type": "http.response.body", "body": changed})

    def close(self) -> None:
        self._server.stop()


@dataclass
class Fetching:
    """A store with a fetcher whose clock and patience are the test's."""

    hardware: Hardware
    vendors: Vendors
    store: Store
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    waited: list[float] = field(default_factory=list)
    attempts: int = 3
    clients: list[Client] = field(default_factory=list)

    def fetcher(self, origins: Origins | None = None) -> Fetcher:
        client = Client(timeout=5, attempts=self.attempts, sleep=self.waited.append)
        self.clients.append(client)
        origins = origins or Origins.mirror(self.vendors.url, HOSTS)
        return Fetcher(self.store, origins, client, self.hardware.trust, lambda: self.now)

    def fetch(self, evidence: bytes, *, update: str = "standard", **options: Any) -> list[Outcome]:
        fetcher = self.fetcher()
        needs = needs_of(library.parse(evidence), self.store, fetcher.trust, update=update)
        return list(fetcher.fetch(needs, **options))

    def states(self, evidence: bytes, **options: Any) -> dict[str, str]:
        return {outcome.need.name: outcome.state for outcome in self.fetch(evidence, **options)}

    def failure(self, evidence: bytes, **options: Any) -> str:
        """The reason of the first need that failed, which is one line."""
        reason = next(it.reason for it in self.fetch(evidence, **options) if it.state == "failed")
        assert reason
        assert "\n" not in reason
        return reason

    def pass_time(self, **duration: int) -> None:
        """For us and for the vendors."""
        self.now += timedelta(**duration)
        self.vendors.now = self.now


@pytest.fixture(scope="session")
def hardware(tmp_path_factory: pytest.TempPathFactory) -> Hardware:
    return Hardware(SandboxPki(tmp_path_factory.mktemp("hardware")))


@pytest.fixture
def vendors(hardware: Hardware) -> Iterator[Vendors]:
    running = Vendors(hardware.pki)
    yield running
    running.close()


@pytest.fixture
def fetching(hardware: Hardware, vendors: Vendors, tmp_path: Path) -> Iterator[Fetching]:
    made = Fetching(hardware, vendors, Store(tmp_path / "store"))
    yield made
    for client in made.clients:
        client.close()
