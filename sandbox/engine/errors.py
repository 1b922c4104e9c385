"""Errors that end a run. `str(error)` is one line for the person who must act: what, where, what would be right."""


class EngineError(Exception):
    """A run cannot start or cannot go on."""


class StateError(EngineError):
    """The state file cannot be read or written as it is."""


class StateLockedError(EngineError):
    """Another run holds the stack."""


class ProjectError(EngineError):
    """`Pulumi.yaml` or the stack file cannot be used."""


class ProgramError(EngineError):
    """The stack's own program failed."""


class PolicyError(EngineError):
    """A policy raised, or the policy configuration names what does not exist: nothing was judged, so nothing runs."""
