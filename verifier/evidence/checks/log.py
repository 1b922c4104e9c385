"""The transparency log: every receipt proves its entry, and the receipts are the whole log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.evidence.outcome import Verification
from verifier.log import ReceiptError, merkle, verify_receipt


def check(statement: Mapping[str, Any], key: ec.EllipticCurvePublicKey, outcome: Verification) -> None:
    """Each receipt under the log's key; all under one checkpoint; none missing."""
    receipts, origin = statement["receipts"], statement["origin"]
    problems: list[str] = []
    heads = set()
    for receipt in receipts:
        try:
            checkpoint = verify_receipt(receipt, key)
        except ReceiptError as error:
            problems.append(str(error))
        else:
            heads.add((checkpoint.origin, checkpoint.size, checkpoint.root))
    if not problems and receipts and heads != {(origin, len(receipts), _root(receipts))}:
        problems.append("the receipts are not all entries of one checkpoint, in order")
    denied = sum(receipt["entry"]["decision"] == "deny" for receipt in receipts)
    outcome.add(
        "log.receipts",
        "Every decision is in the signed log, and none was left out",
        problems,
        f"all {len(receipts)} entries of {origin}, {denied} of them refusals",
    )


def _root(receipts: Sequence[Mapping[str, Any]]) -> bytes:
    """The root of the tree whose leaves are the receipts', in the order given."""
    nodes: dict[tuple[int, int], bytes] = {}
    for position, receipt in enumerate(receipts):
        leaf = bytes.fromhex(receipt["leaf_hash"])
        for level, index, digest in merkle.completed(position, leaf, lambda *at: nodes[at]):
            nodes[level, index] = digest
    return merkle.root_hash(len(receipts), lambda *at: nodes[at])
