"""What a receipt says: one decision of the broker, allow or deny, with everything that led to it and no secret."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from verifier import build
from verifier.config import VerifierConfig

Event = Literal["challenge", "attestation", "release"]

_MAX_REASONS = 32
_MAX_REASON_CHARACTERS = 500


@dataclass
class Facts:
    """What is known of a request so far. A refusal's receipt holds whatever was established before it.

    resource: KBS path. tee: as claimed. measurement: launch measurement (hex) of evidence that was found genuine;
    collateral_digest: SHA-256 of the collateral that a TDX quote was judged with, as archived;
    device_collateral_digest: the same of devices. devices: how many devices gave evidence that was found genuine.
    policy_digest: SHA-256 of the resource's policy; policy_id: name and digest of the appraisal policy.
    verdict_digest: SHA-256 of the result token; verdict_status: its `ear.status`. evidence_digest: SHA-256 of the
    evidence; root: whose root vouches for it. guest_key: RFC 7638 thumbprint of the guest's key. kek: the KEK's name.
    """

    event: Event
    resource: str | None = None
    tee: str | None = None
    measurement: str | None = None
    policy_digest: str | None = None
    policy_id: str | None = None
    verdict_digest: str | None = None
    verdict_status: str | None = None
    evidence_digest: str | None = None
    collateral_digest: str | None = None
    device_collateral_digest: str | None = None
    devices: int = 0
    root: str | None = None
    guest_key: str | None = None
    kek: str | None = None

    def entry(
        self,
        config: VerifierConfig,
        now: datetime,
        decision: Literal["allow", "deny"],
        check: str,
        reasons: Sequence[str],
    ) -> dict[str, Any]:
        """The log entry of this decision."""
        return {
            "id": uuid.uuid4().hex,
            "time": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "event": self.event,
            "decision": decision,
            "check": check,
            "reasons": [printable(reason) for reason in reasons[:_MAX_REASONS]],
            "resource": self.resource,
            "tee": self.tee,
            "measurement": self.measurement,
            "policy_digest": self.policy_digest,
            "policy_id": self.policy_id,
            "verdict_digest": self.verdict_digest,
            "verdict_status": self.verdict_status,
            "evidence_digest": self.evidence_digest,
            "collateral_digest": self.collateral_digest,
            "device_collateral_digest": self.device_collateral_digest,
            "devices": self.devices,
            "root": self.root,
            "guest_key": self.guest_key,
            "kek": self.kek,
            "jurisdiction": config.jurisdiction,
            "verifier": {"name": config.name, "build": build.identity()},
        }


def printable(text: str) -> str:
    """One line without control characters, of bounded length: reasons quote what strangers sent."""
    line = "".join(character if character.isprintable() else "·" for character in text)
    return line if len(line) <= _MAX_REASON_CHARACTERS else line[: _MAX_REASON_CHARACTERS - 1] + "…"
