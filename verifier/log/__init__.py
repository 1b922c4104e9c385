"""The transparency log: every release and every refusal, append-only, provable offline."""

from verifier.log.archive import Archive, ArchiveError
from verifier.log.checkpoint import Checkpoint, CheckpointError
from verifier.log.checkpoint import verify as verify_checkpoint
from verifier.log.receipt import Receipt, ReceiptError, verify_receipt
from verifier.log.transparency import LogError, TransparencyLog

__all__ = [
    "Archive",
    "ArchiveError",
    "Checkpoint",
    "CheckpointError",
    "LogError",
    "Receipt",
    "ReceiptError",
    "TransparencyLog",
    "verify_checkpoint",
    "verify_receipt",
]
