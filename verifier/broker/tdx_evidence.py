"""The `primary_evidence` of a TDX guest: its quote, and the log of what its firmware measured.

This is what the guest components of Confidential Containers send (attester `tdx`, TdxEvidence). Collateral is no part
of it: the verifier has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from verifier.broker.message import decode, encode
from verifier.broker.problem import Kind, Refusal
from verifier.errors import MalformedEvidence
from verifier.tdx import event_log


@dataclass(frozen=True)
class TdxEvidence:
    """`{"quote": …, "cc_eventlog": …}`, both base64.

    log: content of the CCEL table without the padding after its last event; None when the guest sent none.
    """

    tee: ClassVar[str] = "tdx"

    quote: bytes
    log: bytes | None

    def members(self) -> dict[str, Any]:
        """The evidence as members of a message, in the one form that is archived."""
        log = {} if self.log is None else {"cc_eventlog": encode(self.log)}
        return {"quote": encode(self.quote), **log}

    @classmethod
    def read(cls, primary: Mapping[str, Any]) -> TdxEvidence:
        """Read the members; a Refusal names the one that is missing or not readable."""
        quote, log = decode(primary.get("quote"), "quote"), primary.get("cc_eventlog")
        return cls(quote, None if log is None else _without_padding(decode(log, "cc_eventlog")))


def _without_padding(log: bytes) -> bytes:
    """The events: firmware reserves some 256 KiB for them, of which a few are used."""
    try:
        return log[: len(log) - event_log.parse(log).padding]
    except MalformedEvidence as error:
        raise Refusal(Kind.ATTESTATION, "evidence.event-log", f"cc_eventlog: {error}") from None
