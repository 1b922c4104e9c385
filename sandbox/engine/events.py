"""What a run tells its caller, in order: `Planned`, then one `StepStarted` and one `StepDone` or `StepFailed` per step,
`Verdict` and `Message` in between, `Finished` last. No event ever carries the plaintext of a secret."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.values import Value

Op = Literal["create", "same", "update", "replace", "delete", "delete-replaced", "discard", "import", "read", "refresh"]
"""`delete-replaced` removes the old generation of a replaced resource; `discard` forgets a resource that the stack does
not own (read or retained) without touching the cloud."""

Level = Literal["mandatory", "advisory"]
Status = Literal["pass", "fail", "unknown", "not_applicable", "waived"]
Severity = Literal["debug", "info", "warning", "error"]

SECRET_SHOWN = "[secret]"  # noqa: S105 - what is printed instead of a secret
UNKNOWN_SHOWN = "[unknown]"


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on one resource. `old` and `new` hold the values at the paths in `changed`, ready to be shown."""

    op: Op
    urn: str
    type: str
    name: str
    parent: str = ""
    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    old: Mapping[str, Value] = field(default_factory=dict)
    new: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """Every step that `up` would take, unchanged resources included, in the order in which they were registered."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepStarted:
    step: Step


@dataclass(frozen=True, slots=True)
class StepDone:
    step: Step
    seconds: float


@dataclass(frozen=True, slots=True)
class StepFailed:
    step: Step
    error: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one policy says about one resource, or about the stack (`urn` of the stack itself). `position` is file and
    line of the resource's construction, where the program's own code has one: `stacks/__main__.py:12`."""

    rule: str
    urn: str
    level: Level
    status: Status
    message: str = ""
    severity: str = ""
    position: str = ""

    @property
    def blocks(self) -> bool:
        """Whether this verdict stops a deployment. Unknown is not a pass."""
        return self.level == "mandatory" and self.status in ("fail", "unknown")


@dataclass(frozen=True, slots=True)
class Message:
    severity: Severity
    text: str
    urn: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `outputs` are the stack's, with secrets as `[secret]`; `changes` counts steps by operation.

    began: False when there was nothing to run with: no usable project, stack file or state, or another run has it.
    """

    ok: bool
    changes: Counter[str]
    outputs: Mapping[str, Value]
    verdicts: tuple[Verdict, ...]
    duration_s: float
    error: str | None = None
    began: bool = True


@dataclass(frozen=True, slots=True)
class Finished:
    outcome: Outcome


Event = Planned | StepStarted | StepDone | StepFailed | Verdict | Message | Finished
Emit = Callable[[Event], None]
