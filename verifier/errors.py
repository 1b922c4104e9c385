"""What can be wrong with evidence, as types: bytes that do not parse, and a check that does not hold.

The names say what is the case, as the field does (RFC 9334), not that it is an error.
"""

# ruff: noqa: N818

from __future__ import annotations


class VerifierError(Exception):
    """Base of every error this package raises for its input; str() is one line for the person who must act."""


class MalformedEvidence(VerifierError):
    """Bytes that are not what they are said to be.

    offset: where in the input, in bytes from its start.
    reason: what is wrong there and what would be right.
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"malformed at byte {self.offset} ({self.offset:#x}): {self.reason}"


class VerificationFailed(VerifierError):
    """Well-formed evidence that is not genuine, or cannot be shown to be.

    check: stable identifier of the check that failed, for example `chain.leaf.signature` or `tcb.reported`.
    reason: what was found and what would be right.
    """

    def __init__(self, check: str, reason: str) -> None:
        super().__init__(check, reason)
        self.check = check
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.check}: {self.reason}"


class InvalidPolicy(VerifierError):
    """An appraisal policy that cannot be used; the message names the file and each key that is wrong."""


class InvalidReferenceValues(VerifierError):
    """A reference-value bundle that cannot be trusted or read."""


class InvalidToken(VerifierError):
    """An attestation result token that must not be believed."""


class UnreadableInput(VerifierError):
    """A file or folder that a person named and that cannot be read."""
