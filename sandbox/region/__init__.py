"""The emulated region: its HSM, its verifiers, its guests and what became of them."""

from sandbox.region.outcome import ArtefactRecord, GuestOutcome, StepRecord
from sandbox.region.records import RecordError
from sandbox.region.region import Region

__all__ = ["ArtefactRecord", "GuestOutcome", "RecordError", "Region", "StepRecord"]
