"""What ends a command: one line for the person who must act, and an exit code."""

import sys
import traceback
from typing import Final

EXIT_VIOLATION: Final = 1
"""The command ran, and the answer is no: a policy violation, a failed deployment, evidence that does not hold."""

EXIT_UNUSABLE: Final = 2
"""The command could not be carried out: bad input, a missing tool, an unreadable file."""

TRACEBACK: Final = "BAILIWICK_TRACEBACK"
"""Environment variable with which a defect ends in a traceback."""

_USER_ERRORS: Final = (
    ("catalog", "UnknownFact"),
    ("catalog", "BadCatalog"),
    ("cli.checking", "OutOfTime"),
    ("components.spec", "SpecError"),
    ("policies.selection", "UnknownSelection"),
    ("policies.waivers", "WaiverError"),
    ("sandbox.engine.errors", "EngineError"),
    ("sandbox.provider", "ProviderError"),
    ("sandbox.region", "RecordError"),
    ("verifier.errors", "VerifierError"),
    ("verifier.keystore", "KeyStoreError"),
    ("verifier.log", "LogError"),
)
"""The rooms' own exceptions whose text is written for a user. Looked up among loaded modules, so that a verb imports
only what it uses."""


class CliError(Exception):
    """A user's mistake or a missing thing. `str(error)` says what is wrong, where, and what would be right."""

    def __init__(self, message: str, *, code: int = EXIT_UNUSABLE) -> None:
        super().__init__(message)
        self.code = code


def as_user_error(error: BaseException) -> str | None:
    """The text of an error that is meant for a user, or None for a defect of ours."""
    classes = tuple(getattr(sys.modules[module], name) for module, name in _USER_ERRORS if module in sys.modules)
    if isinstance(error, (CliError, *classes)):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return None


def in_one_line(error: BaseException) -> str:
    """The text of any error on one line; a defect, ours or of a program under check, with its class."""
    if (text := as_user_error(error)) is not None:
        return "; ".join(text.splitlines())
    return ": ".join(filter(None, (type(error).__name__, " ".join(str(error).split()))))


def as_defect(error: Exception) -> str:
    """What nobody foresaw, with its place, for whoever has to mend it."""
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    where = f" ({places[-1].filename}:{places[-1].lineno})" if places else ""
    return f"defect: {in_one_line(error)}{where}; {TRACEBACK}=1 shows how it came to that"
