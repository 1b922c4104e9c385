"""What ends a command: one line for the person who must act, and an exit code."""

EXIT_VIOLATION = 1
"""The command ran, and the answer is no: a policy violation, a failed deployment, evidence that does not hold."""

EXIT_UNUSABLE = 2
"""The command could not be carried out: bad input, a missing tool, an unreadable file."""


class CliError(Exception):
    """A user's mistake or a missing thing. `str(error)` says what is wrong, where, and what would be right."""

    def __init__(self, message: str, *, code: int = EXIT_UNUSABLE) -> None:
        super().__init__(message)
        self.code = code
