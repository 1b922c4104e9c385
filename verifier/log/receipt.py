"""A receipt: one entry of the log with the proof that it is in the tree of a signed checkpoint. Checked offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import canonical
from verifier.log import checkpoint as checkpoints
from verifier.log.merkle import HASH_BYTES, leaf_hash, root_from_proof


class ReceiptError(ValueError):
    """The receipt does not prove that its entry is in the log."""


@dataclass(frozen=True)
class Receipt:
    """One logged entry and its inclusion proof.

    entry: the logged JSON object. index: its number in the log, from 0. tree_size: number of entries that the
    checkpoint covers. leaf_hash: SHA-256 leaf hash of the entry's RFC 8785 form. inclusion_proof: sibling hashes from
    leaf to root. checkpoint: the signed note whose tree holds the entry.
    """

    entry: dict[str, Any]
    index: int
    tree_size: int
    leaf_hash: bytes
    inclusion_proof: tuple[bytes, ...]
    checkpoint: str

    def to_dict(self) -> dict[str, Any]:
        """The receipt as JSON, hashes in hex."""
        return {
            "entry": self.entry,
            "index": self.index,
            "tree_size": self.tree_size,
            "leaf_hash": self.leaf_hash.hex(),
            "inclusion_proof": [sibling.hex() for sibling in self.inclusion_proof],
            "checkpoint": self.checkpoint,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Receipt:
        """Read what `to_dict` wrote; ReceiptError when a member is missing or of another type."""
        try:
            receipt = cls(
                entry=dict(value["entry"]),
                index=value["index"],
                tree_size=value["tree_size"],
                leaf_hash=_hash(value["leaf_hash"]),
                inclusion_proof=tuple(_hash(sibling) for sibling in value["inclusion_proof"]),
                checkpoint=value["checkpoint"],
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ReceiptError(
                "not a receipt: entry, index, tree_size, leaf_hash, inclusion_proof, checkpoint"
            ) from None
        if not type(receipt.index) is type(receipt.tree_size) is int or not isinstance(receipt.checkpoint, str):
            raise ReceiptError("not a receipt: index and tree_size are numbers, checkpoint is a text")
        return receipt


def verify_receipt(
    receipt: Receipt | Mapping[str, Any], public_key: ec.EllipticCurvePublicKey
) -> checkpoints.Checkpoint:
    """Check entry → leaf → root → signature by the log's key; the checkpoint, or ReceiptError naming what broke."""
    if not isinstance(receipt, Receipt):
        receipt = Receipt.from_dict(receipt)
    try:
        leaf = leaf_hash(canonical.encode(receipt.entry))
        checkpoint = checkpoints.verify(receipt.checkpoint, public_key)
    except (canonical.JsonError, checkpoints.CheckpointError) as error:
        raise ReceiptError(f"receipt {receipt.index}: {error}") from None
    if receipt.tree_size != checkpoint.size:
        raise ReceiptError(f"receipt {receipt.index}: tree_size is not the size in the checkpoint")
    if leaf != receipt.leaf_hash:
        raise ReceiptError(f"receipt {receipt.index}: the entry is not the one that was logged (leaf hash differs)")
    if root_from_proof(receipt.index, checkpoint.size, leaf, receipt.inclusion_proof) != checkpoint.root:
        raise ReceiptError(f"receipt {receipt.index}: the proof does not lead to the checkpoint's root")
    return checkpoint


def _hash(text: str) -> bytes:
    data = bytes.fromhex(text)
    if len(data) != HASH_BYTES or data.hex() != text:
        raise ValueError(text)
    return data
