"""A store as one signed file, to be carried across an air gap.

A DSSE envelope; its payload is the RFC 8785 form of `{"created_at", "objects": [{"record", "content"}, …], "version"}`,
with `content` in base64. The signature says who carried the objects and that none is missing; that each is genuine is
verified besides, up to the vendors' pinned roots.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import canonical, dsse
from verifier.collateral.facts import require_genuine
from verifier.collateral.record import CollateralError, Record
from verifier.collateral.store import Store
from verifier.signer import Signer
from verifier.trust import TrustStore

MEDIA_TYPE: Final = "application/vnd.bailiwick.collateral-bundle.v1+json"
VERSION: Final = 1
FILE_NAME: Final = "collateral.bundle"
"""How a region's cache of collateral calls its bundle."""
MAX_BUNDLE_BYTES: Final = 268_435_456


def export(store: Store, signer: Signer, at: datetime) -> bytes:
    """All entries with their objects, signed; CollateralError when one of them is damaged, or there is none."""
    objects = [
        {
            "record": record.model_dump(mode="json"),
            "content": base64.b64encode(store.content(record)).decode("ascii"),
        }
        for record in store.records()
    ]
    if not objects:
        raise CollateralError(f"{store.directory}: empty; fetch something first")
    payload = canonical.encode({"version": VERSION, "created_at": at.isoformat(), "objects": objects})
    return json.dumps(dsse.sign(MEDIA_TYPE, payload, signer)).encode("ascii") + b"\n"


def read(bundle: bytes, keys: Iterable[ec.EllipticCurvePublicKey], trust: TrustStore) -> list[tuple[Record, bytes]]:
    """The objects of a bundle that one of `keys` signed, each of them genuine; CollateralError otherwise."""
    objects = _objects(_signed(bundle, keys))
    for record, content in objects:
        require_genuine(record, content, trust)
    return objects


def contents(bundle: bytes, signers: Collection[ec.EllipticCurvePublicKey] = ()) -> list[tuple[Record, bytes]]:
    """The objects of a bundle, for a reader that verifies each object when it uses it; CollateralError otherwise.

    signers: whoever may have signed it; empty: anybody.
    """
    try:
        if signers:
            return _objects(_signed(bundle, signers))
        envelope = canonical.parse_object(bundle)
        return _objects(dsse.decode_base64(envelope["payload"], "payload"))
    except (dsse.DsseError, canonical.JsonError, KeyError, TypeError) as error:
        raise CollateralError(f"bundle: not an envelope with a payload ({error})") from None


def store_all(store: Store, objects: Iterable[tuple[Record, bytes]]) -> list[Record]:
    """Store what is no older than what is there; the entries that were stored."""
    stored = []
    for record, content in objects:
        known = store.find(record.kind, record.subject)
        if known is None or (record.not_before, record.fetched_at) > (known.not_before, known.fetched_at):
            store.put(record, content)
            stored.append(record)
    return stored


def _signed(bundle: bytes, keys: Iterable[ec.EllipticCurvePublicKey]) -> bytes:
    """The payload that one of `keys` signed."""
    try:
        verified = dsse.verify(bundle, keys)
    except dsse.DsseError as error:
        raise CollateralError(f"bundle: {error}") from None
    if verified.payload_type != MEDIA_TYPE:
        raise CollateralError(f"bundle: {verified.payload_type!r:.80} is signed, {MEDIA_TYPE} expected")
    return verified.payload


def _objects(payload: bytes) -> list[tuple[Record, bytes]]:
    try:
        content = canonical.parse_object(payload)
    except canonical.JsonError as error:
        raise CollateralError(f"bundle: {error}") from None
    objects = content.get("objects")
    if content.get("version") != VERSION or not isinstance(objects, list):
        raise CollateralError(f"bundle: version {VERSION} with a list of objects expected")
    return [_object(entry, f"bundle: object {number}") for number, entry in enumerate(objects)]


def _object(entry: Any, where: str) -> tuple[Record, bytes]:
    try:
        record = Record.from_json(json.dumps(entry["record"]).encode(), where)
        content = dsse.decode_base64(entry["content"], "content")
    except (KeyError, TypeError, dsse.DsseError):
        raise CollateralError(f"{where}: a record and its content in base64 expected") from None
    if hashlib.sha256(content).hexdigest() != record.sha256 or len(content) != record.size:
        raise CollateralError(f"{where}: {record.name} has another hash than its record says")
    return record, content
