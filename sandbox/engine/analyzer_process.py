"""A pack's servicer in a process of its own, where the real engine has it too: it judges while the program goes on.

Requests and responses are the protocol's messages (`pulumi/analyzer.proto`). Responses stay on the other side until
they are asked for, so that neither side ever waits for the other to read.
"""

import contextlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any, Final

from pulumi.runtime.proto import analyzer_pb2

from sandbox.engine.errors import PolicyError

_REQUESTS: Final[dict[str, Any]] = {
    "Analyze": analyzer_pb2.AnalyzeRequest,
    "AnalyzeStack": analyzer_pb2.AnalyzeStackRequest,
}


def can_fork() -> bool:
    """Whether a fork of this process shares what is imported and takes no thread's lock along."""
    return sys.platform == "linux" and threading.active_count() == 1


def can_judge_apart() -> bool:
    """Whether a second process can judge, and has a processor to do it on."""
    return can_fork() and (os.cpu_count() or 1) > 1


def answer(servicer: Any, method: str, request: Any) -> Any | None:
    """The response of `method`; None where a policy raised, of which the servicer does not say which one."""
    try:
        return getattr(servicer, method)(request, None)
    except Exception:  # noqa: BLE001 - whoever reads None asks each policy alone
        return None


class AnalyzerProcess:
    """Asks `servicer` in a fork of this process, and so with the configuration that is in sight here.

    Any thread may ask; one collects, when all have asked. Both raise `PolicyError` when the process is gone.
    """

    def __init__(self, servicer: Any) -> None:
        context = multiprocessing.get_context("fork")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(servicer, theirs, self._connection), daemon=True)
        self._process.start()
        theirs.close()
        self._lock = threading.Lock()
        self._asked: list[Any] = []

    def ask(self, method: str, request: Any) -> None:
        """Have `method` answer `request`, by and by."""
        with self._lock, _alive():
            self._connection.send((method, request.SerializeToString()))
            self._asked.append(request)

    def collect(self) -> Iterator[tuple[Any, Any | None]]:
        """Each request since the last time and its response, None where the servicer raised."""
        asked, self._asked = self._asked, []
        with _alive():
            self._connection.send(None)
            responses = self._connection.recv()
        for request, response in zip(asked, responses, strict=True):
            yield request, None if response is None else analyzer_pb2.AnalyzeResponse.FromString(response)

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._connection.close()
        self._process.kill()
        self._process.join()


@contextlib.contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError):
        raise PolicyError("the process that judges was killed, or ended by itself; nothing is known") from None


def _serve(servicer: Any, connection: Connection, other_end: Connection) -> None:
    """Answer until whoever asks is gone."""
    other_end.close()
    responses: list[bytes | None] = []
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            asked = connection.recv()
            if asked is None:
                connection.send(responses)
                responses = []
            else:
                method, request = asked
                response = answer(servicer, method, _REQUESTS[method].FromString(request))
                responses.append(None if response is None else response.SerializeToString())
