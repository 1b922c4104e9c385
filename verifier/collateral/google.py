"""Google's launch endorsements, in the store one for each measurement.

google-launch-endorsement   VMLaunchEndorsement (protobuf) as it is served
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from verifier import google
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.google.endorsement import Tee
from verifier.trust import TrustStore

_TEES: Final[dict[str, Tee]] = {"snp": "snp", "tdx": "tdx"}


def inspect(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, None]:
    """When a genuine endorsement of the subject's measurement was made; it states no end."""
    endorsement = google.parse(content)
    google.check_signature(endorsement, trust)
    name, _, measurement = subject.partition("-")
    tee = _TEES.get(name)
    if tee is None:
        raise MalformedEvidence(0, f"subject: {name!r:.40} is neither snp nor tdx")
    if measurement not in {value.hex() for value in _measurements(endorsement, tee)}:
        raise VerificationFailed("subject", "the endorsement does not list this measurement")
    return endorsement.made_at, None


def _measurements(endorsement: google.LaunchEndorsement, tee: Tee) -> list[bytes]:
    firmware = endorsement.firmware.get(tee)
    return [] if firmware is None else list(firmware.measurements)
