"""`POST /v1/verify` against the library: two processes of either, as many requests as they can answer.

Each answer is one SEV-SNP report verified and appraised, warm, and for the service also HTTP, JSON and the signature of
the result, by a key in a file: the library is measured without it and with it. Service and library take turns, so that
what else runs on the machine falls on both. Each process has a port of its own, as behind a load balancer; the load
comes from this process over connections that stay open, and what it costs is the service's loss. Where much else runs,
three processes get more of it than two, and the processor time says how the rates would be.
"""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import re
import select
import socket
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any

from bench.measure import Row

_CASE = Path(__file__).parents[1] / "tests" / "evidence" / "snp" / "05b7438a"
_AT = datetime(2026, 7, 1, tzinfo=UTC)
_PROCESSES = 2
_ROUNDS = 6
_SECONDS = 1.0
_CONNECTIONS = 4
_HEAD = re.compile(rb"HTTP/1\.1 200 OK\r\n(?:.+\r\n)*?content-length: (\d+)\r\n(?:.+\r\n)*\r\n")
"""What an answer begins with, in the first of the parts that it comes in."""
_CONFIG = {
    "version": 1,
    "role": "verifier",
    "name": "bench",
    "region": {"cloud": "azure", "location": "germanywestcentral", "jurisdiction": "DE"},
    "trust_anchors": ["amd"],
}


@dataclass(frozen=True)
class Load:
    """What was answered in a round. latencies: seconds of each request. cpu_seconds: of all who answered or asked."""

    count: int
    cpu_seconds: float
    latencies: Sequence[float] = ()


@dataclass(frozen=True)
class Total:
    """What was answered in all rounds."""

    rounds: Sequence[Load]

    @property
    def rate(self) -> float:
        """Answers each second."""
        return sum(load.count for load in self.rounds) / (_SECONDS * len(self.rounds))

    @property
    def cpu_each(self) -> float:
        """Processor time of one answer in the round that was disturbed the least."""
        return min(load.cpu_seconds / load.count for load in self.rounds)

    @property
    def latencies(self) -> list[float]:
        """Seconds of each request."""
        return list(chain.from_iterable(load.latencies for load in self.rounds))


def run() -> Iterator[Row]:
    service, library, signing = (Total(rounds) for rounds in zip(*_rounds(), strict=True))
    cut = statistics.quantiles(service.latencies, n=100)
    what = f"POST /v1/verify, {_PROCESSES} processes (p50 {1000 * cut[49]:.1f} ms, p99 {1000 * cut[98]:.1f} ms)"
    for against, other, goal in (("library", library, "≥ 0.6"), ("library that signs results", signing, "-")):
        yield Row(what, f"{service.rate:,.0f}/s", against, f"{other.rate:,.0f}/s", service.rate / other.rate, goal)
        yield Row(
            "the same, processor time of each",
            f"{1e6 * service.cpu_each:,.0f} µs",
            against,
            f"{1e6 * other.cpu_each:,.0f} µs",
            other.cpu_each / service.cpu_each,
            goal,
        )


def _rounds() -> Iterator[tuple[Load, Load, Load]]:
    """The service, the library, the library that signs, in turn."""
    with _service() as (ports, workers):
        for _ in range(_ROUNDS):
            yield _load(ports, workers), _library(signs=False), _library(signs=True)


def _library(*, signs: bool) -> Load:
    context = multiprocessing.get_context("fork")
    done: Queue[Load] = context.Queue()
    start = context.Barrier(_PROCESSES)
    workers = [context.Process(target=_verify_for, args=(done, start, signs)) for _ in range(_PROCESSES)]
    for worker in workers:
        worker.start()
    loads = [done.get() for _ in workers]
    for worker in workers:
        worker.join()
    return Load(sum(load.count for load in loads), sum(load.cpu_seconds for load in loads))


def _verify_for(done: Queue[Load], start: Barrier, signs: bool) -> None:
    from verifier import ear, snp, verify
    from verifier.appraisal import AppraisalPolicy
    from verifier.appraisal.policy import DEFAULT_POLICY
    from verifier.broker.verification import LIFETIME
    from verifier.collateral.source import SnpCollateral
    from verifier.signer import ES256, SoftwareSigner
    from verifier.trust import TrustStore

    class Given:
        """The report's certificate, without a file."""

        def snp(self, _: object) -> SnpCollateral:
            return SnpCollateral(endorsements, ())

    evidence = (_CASE / "report.bin").read_bytes()
    policy, trust = AppraisalPolicy.load(DEFAULT_POLICY), TrustStore.production()
    endorsements = snp.Endorsements((_CASE / "vcek.der").read_bytes(), snp.SigningKey.VCEK)
    source: Any = Given()
    identity, signer = ear.VerifierId("bench", "bench"), SoftwareSigner.generate(ES256)
    verify(evidence, policy, source, _AT, trust=trust)
    start.wait()
    count, cpu, end = 0, time.process_time(), time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        result = verify(evidence, policy, source, _AT, trust=trust).result
        if signs and result is not None:
            ear.issue(result, key=signer, verifier_id=identity, nonce=None, lifetime=LIFETIME, at=_AT)
        count += 1
    done.put(Load(count, time.process_time() - cpu))


@contextmanager
def _service() -> Iterator[tuple[list[int], Sequence[BaseProcess]]]:
    """Ports and processes of a service that runs meanwhile."""
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as data:
        servers = [_listening() for _ in range(_PROCESSES)]
        ready = [context.Event() for _ in servers]
        workers = [
            context.Process(target=_serve, args=(server, Path(data) / str(number), it))
            for number, (server, it) in enumerate(zip(servers, ready, strict=True))
        ]
        for worker in workers:
            worker.start()
        try:
            if not all(it.wait(30) for it in ready):
                raise RuntimeError("the service does not start")
            yield [server.getsockname()[1] for server in servers], workers
        finally:
            for server in servers:
                server.close()
            for worker in workers:
                worker.terminate()
                worker.join()


def _listening() -> socket.socket:
    """As `uvicorn.run` opens it: asyncio sends without delay only on sockets whose protocol is stated."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    server.bind(("127.0.0.1", 0))
    server.listen(64)
    return server


def _serve(server: socket.socket, data: Path, ready: Event) -> None:
    import uvicorn

    from verifier.broker import WrappedKeys, create_app
    from verifier.config import VerifierConfig
    from verifier.http import http_server
    from verifier.keystore import FileKeyStore
    from verifier.log import TransparencyLog
    from verifier.trust import TrustStore

    keystore = FileKeyStore(data / "keys", "bench")
    log = TransparencyLog(data / "log", keystore, "log", origin="bench")
    config, trust = VerifierConfig.model_validate(_CONFIG), TrustStore.production()
    app = create_app(config, keystore, trust, log, WrappedKeys(data / "wrapped"), lambda: _AT)
    ready.set()
    uvicorn.Server(http_server(app)).run(sockets=[server])


class _Client:
    """A connection that asks again when it is answered."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self._request = request
        self._missing = 0
        self._asked = 0.0

    def ask(self) -> None:
        self._asked = time.perf_counter()
        self.socket.sendall(self._request)

    def answered(self) -> float | None:
        """Seconds that a whole answer took; None while some of it is missing. RuntimeError when it is no result."""
        received = self.socket.recv(65536)
        if self._missing and received:
            self._missing -= len(received)
        else:
            head = _HEAD.match(received)
            if head is None:
                raise RuntimeError(f"the service answers {received[:200]!r}")
            self._missing = int(head[1]) - len(received) + head.end()
        return None if self._missing else time.perf_counter() - self._asked


def _load(ports: list[int], workers: Iterable[BaseProcess]) -> Load:
    request, before = _request(), _processor_time(workers) + time.process_time()
    latencies: list[float] = []
    with select.epoll() as epoll:
        clients = {it.socket.fileno(): it for it in (_Client(port, request) for port in ports * _CONNECTIONS)}
        end = time.perf_counter() + _SECONDS
        for descriptor, client in clients.items():
            epoll.register(descriptor, select.EPOLLIN)
            client.ask()
        while clients:
            for descriptor, _ in epoll.poll():
                client = clients[descriptor]
                seconds = client.answered()
                if seconds is None:
                    continue
                latencies.append(seconds)
                if time.perf_counter() < end:
                    client.ask()
                else:
                    del clients[descriptor]
                    client.socket.close()
    return Load(len(latencies), _processor_time(workers) + time.process_time() - before, latencies)


def _processor_time(workers: Iterable[BaseProcess]) -> float:
    """Seconds, user's and system's, of processes that are running (proc(5), /proc/PID/stat)."""
    stats = [Path(f"/proc/{worker.pid}/stat").read_text(encoding="ascii").rpartition(")")[2] for worker in workers]
    return sum(int(ticks) for stat in stats for ticks in stat.split()[11:13]) / os.sysconf("SC_CLK_TCK")


def _request() -> bytes:
    body = json.dumps({"evidence": _text("report.bin"), "endorsements": {"vcek": _text("vcek.der")}}).encode()
    head = f"POST /v1/verify HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _text(name: str) -> Any:
    return base64.b64encode((_CASE / name).read_bytes()).decode("ascii")
