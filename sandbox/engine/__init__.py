"""The local engine: runs a Pulumi program against emulated providers, with no CLI, no plugin and no account."""

from sandbox.engine.engine import LocalEngine
from sandbox.engine.errors import EngineError
from sandbox.engine.events import (
    Event,
    Finished,
    Message,
    Outcome,
    Planned,
    Step,
    StepDone,
    StepFailed,
    StepStarted,
    Verdict,
)
from sandbox.engine.policy import PolicyHost
from sandbox.engine.state import StateFile

__all__ = [
    "EngineError",
    "Event",
    "Finished",
    "LocalEngine",
    "Message",
    "Outcome",
    "Planned",
    "PolicyHost",
    "StateFile",
    "Step",
    "StepDone",
    "StepFailed",
    "StepStarted",
    "Verdict",
]
