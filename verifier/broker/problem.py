"""Refusals and failures as the Key Broker Service protocol reports them: a status and {type, detail} (RFC 9457)."""

from __future__ import annotations

from enum import Enum

from verifier.errors import VerifierError

_NAMESPACE = "https://github.com/confidential-containers/kbs/errors/"


class Kind(Enum):
    """Problem types of the KBS protocol that this broker uses, each with its HTTP status.

    The protocol's table has 401 for a policy's refusal and for unreadable JSON; its resource section asks for 403, and
    HTTP for 400. The latter are used, because a KBS client attests again on 401 and would do so in vain.
    """

    ATTESTATION = ("AttestationError", 401)
    TOKEN_MISSING = ("TokenNotFound", 401)
    TOKEN = ("TokenVerifierError", 401)
    POLICY = ("PolicyDeny", 403)
    PATH = ("InvalidRequestPath", 404)
    MALFORMED = ("SerdeError", 400)
    TOO_LARGE = ("SerdeError", 413)
    UNAVAILABLE = ("PluginInternalError", 503)

    @property
    def uri(self) -> str:
        """The problem's `type` member."""
        return _NAMESPACE + self.value[0]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.value[1]


class Refusal(VerifierError):  # noqa: N818 - it says what is the case, as verifier.errors does
    """A request that is refused.

    check: stable identifier of what did not hold, for machines (`nonce.replayed`, `policy.executables`).
    reasons: what was found and what would be right, for the person who must act; never a secret.
    """

    def __init__(self, kind: Kind, check: str, *reasons: str) -> None:
        super().__init__(f"{check}: {'; '.join(reasons)}")
        self.kind = kind
        self.check = check
        self.reasons = reasons

    @property
    def detail(self) -> str:
        """One line: the check and its reasons."""
        return str(self)
