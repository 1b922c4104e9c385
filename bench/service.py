"""`POST /v1/verify` against the library: two processes of either, as many requests as they can answer.

Each answer is one SEV-SNP report verified and appraised, warm, and for the service also HTTP, JSON and the signature of
the result, which costs two thirds of a verification: the library is measured without it and with it. The load comes
from this process over connections that stay open; what it costs is the service's loss.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Queue
from typing import Any

from bench.measure import Row

_CASE = Path(__file__).parents[1] / "tests" / "evidence" / "snp" / "05b7438a"
_AT = datetime(2026, 7, 1, tzinfo=UTC)
_PROCESSES = 2
_SECONDS = 4.0
_CONNECTIONS = 4
_CONFIG = {
    "version": 1,
    "role": "verifier",
    "name": "bench",
    "region": {"cloud": "azure", "location": "germanywestcentral", "jurisdiction": "DE"},
    "trust_anchors": ["amd"],
}


@dataclass(frozen=True)
class Load:
    """What was answered. latencies: seconds of each request. cpu_seconds: of the processes that answered, together."""

    count: int
    cpu_seconds: float
    latencies: Sequence[float] = ()

    @property
    def rate(self) -> float:
        """Answers each second."""
        return self.count / _SECONDS

    @property
    def cpu_each(self) -> float:
        """Processor time of one answer, which what else runs on the machine does not change."""
        return self.cpu_seconds / self.count


def run() -> Iterator[Row]:
    service = _service()
    cut = statistics.quantiles(service.latencies, n=100)
    what = f"POST /v1/verify, {_PROCESSES} processes (p50 {1000 * cut[49]:.1f} ms, p99 {1000 * cut[98]:.1f} ms)"
    for against, signs, goal in (("library", False, "≥ 0.6"), ("library that signs results", True, "-")):
        library = _library(signs=signs)
        ratio = service.rate / library.rate
        yield Row(what, f"{service.rate:,.0f}/s", against, f"{library.rate:,.0f}/s", ratio, goal)
        yield Row(
            "the same, processor time of each",
            f"{1e6 * service.cpu_each:,.0f} µs",
            against,
            f"{1e6 * library.cpu_each:,.0f} µs",
            library.cpu_each / service.cpu_each,
            goal,
        )


def _library(*, signs: bool) -> Load:
    context = multiprocessing.get_context("fork")
    done: Queue[Load] = context.Queue()
    workers = [context.Process(target=_verify_for, args=(done, signs)) for _ in range(_PROCESSES)]
    for worker in workers:
        worker.start()
    loads = [done.get() for _ in workers]
    for worker in workers:
        worker.join()
    return Load(sum(load.count for load in loads), sum(load.cpu_seconds for load in loads))


def _verify_for(done: Queue[Load], signs: bool) -> None:
    from verifier import ear, snp, verify
    from verifier.appraisal import AppraisalPolicy
    from verifier.appraisal.policy import DEFAULT_POLICY
    from verifier.broker.verification import LIFETIME
    from verifier.collateral.source import SnpCollateral
    from verifier.signer import SoftwareSigner
    from verifier.trust import TrustStore

    class Given:
        """The report's certificate, without a file."""

        def snp(self, _: object) -> SnpCollateral:
            return SnpCollateral(endorsements, ())

    evidence = (_CASE / "report.bin").read_bytes()
    policy, trust = AppraisalPolicy.load(DEFAULT_POLICY), TrustStore.production()
    endorsements = snp.Endorsements((_CASE / "vcek.der").read_bytes(), snp.SigningKey.VCEK)
    source: Any = Given()
    identity, signer = ear.VerifierId("bench", "bench"), SoftwareSigner.generate()
    verify(evidence, policy, source, _AT, trust=trust)
    count, cpu, end = 0, time.process_time(), time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        result = verify(evidence, policy, source, _AT, trust=trust).result
        if signs and result is not None:
            ear.issue(result, key=signer, verifier_id=identity, nonce=None, lifetime=LIFETIME, at=_AT)
        count += 1
    done.put(Load(count, time.process_time() - cpu))


def _service() -> Load:
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as data, _listening() as server:
        ready = [context.Event() for _ in range(_PROCESSES)]
        workers = [context.Process(target=_serve, args=(server, Path(data) / str(n), it)) for n, it in enumerate(ready)]
        for worker in workers:
            worker.start()
        try:
            for it in ready:
                if not it.wait(30):
                    raise RuntimeError("the service does not start")
            before = _processor_time(workers)
            latencies = asyncio.run(_load(server.getsockname()[1]))
            cpu = _processor_time(workers) - before
        finally:
            for worker in workers:
                worker.terminate()
                worker.join()
    return Load(len(latencies), cpu, latencies)


def _listening() -> socket.socket:
    """As `uvicorn.run` opens it: asyncio sends without delay only on sockets whose protocol is stated."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    server.bind(("127.0.0.1", 0))
    server.listen(64)
    return server


def _processor_time(workers: Iterable[BaseProcess]) -> float:
    """Seconds, user's and system's, of processes that are running (proc(5), /proc/PID/stat)."""
    stats = [Path(f"/proc/{worker.pid}/stat").read_text(encoding="ascii").rpartition(")")[2] for worker in workers]
    return sum(int(ticks) for stat in stats for ticks in stat.split()[11:13]) / os.sysconf("SC_CLK_TCK")


def _serve(server: socket.socket, data: Path, ready: Event) -> None:
    import uvicorn

    from verifier.broker import WrappedKeys, create_app
    from verifier.config import VerifierConfig
    from verifier.keystore import FileKeyStore
    from verifier.log import TransparencyLog
    from verifier.trust import TrustStore

    keystore = FileKeyStore(data / "keys", "bench")
    log = TransparencyLog(data / "log", keystore, "log", origin="bench")
    config, trust = VerifierConfig.model_validate(_CONFIG), TrustStore.production()
    app = create_app(config, keystore, trust, log, WrappedKeys(data / "wrapped"), lambda: _AT)
    ready.set()
    uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run(sockets=[server])


async def _load(port: int) -> list[float]:
    """Seconds of each answered request."""
    body = json.dumps({"evidence": _text("report.bin"), "endorsements": {"vcek": _text("vcek.der")}}).encode()
    head = f"POST /v1/verify HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    request = head.encode() + b"\r\n\r\n" + body
    latencies: list[float] = []
    end = time.perf_counter() + _SECONDS

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            start = time.perf_counter()
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode("ascii", "replace"))
            length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            latencies.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(client() for _ in range(_CONNECTIONS * _PROCESSES)))
    return latencies


def _text(name: str) -> Any:
    return base64.b64encode((_CASE / name).read_bytes()).decode("ascii")
