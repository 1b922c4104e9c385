"""One pass over a stack: what every part of the engine needs to do its work and to say what it did."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sandbox.engine.errors import EngineError, PolicyError, StateError
from sandbox.engine.events import Emit, Message, Severity, Step, StepDone, StepFailed, StepStarted, Verdict
from sandbox.engine.ledger import Ledger
from sandbox.engine.secrets import Redactor
from sandbox.engine.urn import is_default_provider, name_of, type_of
from sandbox.provider import ProviderError
from sandbox.values import Value


class StepError(Exception):
    """A step failed and has been reported; the caller goes on with what does not depend on it."""


@dataclass(slots=True)
class Run:
    """A preview or a deployment in progress. Thread-safe.

    `steps`, `verdicts` and `failures` grow as the run goes; `stopped` means that nothing new may start. `foreseen` are
    the verdicts of the preview that went before: what merely repeats them is not said again. `positions` are file and
    line of each resource's construction, by URN.
    """

    stack: str
    project: str
    preview: bool
    ledger: Ledger
    redactor: Redactor
    listener: Emit
    foreseen: frozenset[Verdict] = frozenset()
    steps: list[Step] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    outputs: dict[str, Value] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def changes(self) -> Counter[str]:
        """Steps by operation. A replacement counts once."""
        return Counter(step.op for step in self.steps if step.op != "delete-replaced")

    def emit(self, event: StepStarted | StepDone | StepFailed | Verdict | Message) -> None:
        with self._lock:
            self.listener(event)

    def message(self, severity: Severity, text: str, urn: str = "") -> None:
        self.emit(Message(severity, self.redactor.clean(text), urn))

    @contextlib.contextmanager
    def step(self, step: Step) -> Iterator[None]:
        """Everything that `step` does happens inside. A preview only takes note of it. Raises `StepError` on failure,
        which has then been reported. The providers that the engine makes by itself are nobody's business."""
        if not self.preview:
            self._tell(step, StepStarted(step))
        began = time.perf_counter()
        try:
            yield
        except Exception as error:
            self.fail(step, error)
            raise StepError from error
        with self._lock:
            if not is_default_provider(step.urn):
                self.steps.append(step)
            if not self.preview:
                self._tell(step, StepDone(step, time.perf_counter() - began))

    def _tell(self, step: Step, event: StepStarted | StepDone) -> None:
        if not is_default_provider(step.urn):
            self.emit(event)

    def fail(self, step: Step, error: Exception) -> None:
        """Report a failed step. A deployment starts nothing new after it; a preview goes on, to report them all."""
        text = str(error)
        if not isinstance(error, EngineError | ProviderError):
            text = f"defect of the emulated provider: {type(error).__name__}: {text}"
        text = self.redactor.clean(text)
        with self._lock:
            self.failures.append(f"{type_of(step.urn)} {name_of(step.urn)}: {text}")
            self.stopped = self.stopped or not self.preview or isinstance(error, StateError | PolicyError)
            self.listener(StepFailed(step, text))

    def judged(self, verdicts: list[Verdict]) -> bool:
        """Take note of verdicts; False when one of them stops the deployment."""
        verdicts = [replace(verdict, position=self.positions.get(verdict.urn, "")) for verdict in verdicts]
        with self._lock:
            self.verdicts += verdicts
            for verdict in verdicts:
                if verdict not in self.foreseen:
                    self.listener(verdict)
            blocking = [verdict for verdict in verdicts if verdict.blocks]
            for verdict in blocking:
                self.failures.append(f"policy {verdict.rule}: {name_of(verdict.urn)}: {verdict.message}")
            self.stopped = self.stopped or bool(blocking and not self.preview)
        return not blocking

    def error(self) -> str | None:
        """The first failure, and how many more there are."""
        if not self.failures:
            return None
        more = len(self.failures) - 1
        return self.failures[0] + (f" (and {more} more)" if more else "")
