"""The transparency log: what a receipt proves, what a restart keeps, and which tampering is found."""

import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from verifier.keystore import FileKeyStore
from verifier.log import LogError, ReceiptError, TransparencyLog, verify_checkpoint, verify_receipt
from verifier.signer import SoftwareSigner

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> FileKeyStore:
    return FileKeyStore(tmp_path_factory.mktemp("keys"), "passphrase")


@pytest.fixture
def open_log(tmp_path: Path, keystore: FileKeyStore) -> Callable[[], TransparencyLog]:
    return lambda: TransparencyLog(tmp_path, keystore, "log", origin="verifier.test.internal/log")


def edit(directory: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(directory / "log.db")
    with connection:
        connection.execute(statement, values)
    connection.close()


def test_each_receipt_proves_its_own_entry(open_log: Callable[[], TransparencyLog]) -> None:
    log = open_log()
    receipts = [log.append({"number": number, "text": "é"}) for number in range(9)]
    for number, receipt in enumerate(receipts):
        assert receipt.index == number
        assert verify_receipt(receipt, log.public_key).size == number + 1
        assert verify_receipt(json.loads(json.dumps(receipt.to_dict())), log.public_key).origin == log.origin


def test_a_later_receipt_is_under_the_newest_checkpoint(open_log: Callable[[], TransparencyLog]) -> None:
    log = open_log()
    for number in range(5):
        log.append({"number": number})
    assert [verify_receipt(receipt, log.public_key).size for receipt in log.receipts()] == [5] * 5
    assert verify_checkpoint(log.checkpoint(), log.public_key).size == 5
    for index in (5, -1):
        with pytest.raises(LogError, match=f"no entry {index}; it holds entries 0 to 4"):
            log.receipt(index)


def test_an_entry_that_no_checkpoint_covers_yet_has_no_receipt(
    open_log: Callable[[], TransparencyLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another replica adds it between the two looks into the database."""
    log = open_log()
    before = log.append({"number": 0}).checkpoint
    log.append({"number": 1})
    monkeypatch.setattr(log, "_head", lambda: (1, before))
    with pytest.raises(LogError, match="no entry 1; it holds entries 0 to 0"):
        log.receipt(1)


def change(receipt: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(receipt))
    target: Any = changed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (["entry", "decision"], "allow", "not the one that was logged"),
        (["entry", "extra"], 1, "not the one that was logged"),
        (["leaf_hash"], "00" * 32, "not the one that was logged"),
        (["index"], 1, "does not lead to the checkpoint's root"),
        (["index"], -1, "does not lead to the checkpoint's root"),
        (["index"], True, "index and tree_size are numbers"),
        (["tree_size"], 4, "tree_size is not the size in the checkpoint"),
        (["inclusion_proof", 0], "00" * 32, "does not lead to the checkpoint's root"),
        (["inclusion_proof"], [], "does not lead to the checkpoint's root"),
        (["inclusion_proof"], ["zz"], "not a receipt"),
        (["leaf_hash"], "00" * 31, "not a receipt"),
        (["leaf_hash"], "AB" * 32, "not a receipt"),
        (["checkpoint"], "verifier.test.internal/log\n3\n\n— x AAAA\n", "has three lines"),
        (["checkpoint"], None, "not a receipt"),
    ],
)
def test_a_changed_receipt_proves_nothing(
    open_log: Callable[[], TransparencyLog], path: list[Any], value: Any, reason: str
) -> None:
    log = open_log()
    for number in range(3):
        log.append({"decision": "deny", "number": number})
    with pytest.raises(ReceiptError, match=reason):
        verify_receipt(change(log.receipt(0).to_dict(), path, value), log.public_key)


def test_numbers_of_a_receipt_are_integers(open_log: Callable[[], TransparencyLog]) -> None:
    log = open_log()
    receipt = log.append({}).to_dict()
    for index, size in ((0.0, 1.0), (False, True), (-1, 1)):
        with pytest.raises(ReceiptError):
            verify_receipt(receipt | {"index": index, "tree_size": size}, log.public_key)


def test_every_changed_character_of_a_checkpoint_is_found(open_log: Callable[[], TransparencyLog]) -> None:
    log = open_log()
    receipt = log.append({"decision": "deny"}).to_dict()
    note = receipt["checkpoint"]
    for position in range(len(note)):
        changed = note[:position] + chr(ord(note[position]) ^ 1) + note[position + 1 :]
        with pytest.raises(ReceiptError):
            verify_receipt(receipt | {"checkpoint": changed}, log.public_key)


def test_a_checkpoint_by_another_key_is_refused(open_log: Callable[[], TransparencyLog]) -> None:
    receipt = open_log().append({"decision": "deny"})
    with pytest.raises(ReceiptError, match="not signed by the log's key"):
        verify_receipt(receipt, SoftwareSigner.generate().public_key)


def test_a_restart_goes_on_where_the_log_was(open_log: Callable[[], TransparencyLog]) -> None:
    first = open_log()
    old = first.append({"number": 0})
    first.close()
    second = open_log()
    new = second.append({"number": 1})
    assert new.index == 1
    assert second.public_key == first.public_key
    verify_receipt(old, second.public_key)
    assert [receipt.entry["number"] for receipt in second.receipts()] == [0, 1]


@pytest.mark.parametrize(
    ("statement", "values", "reason"),
    [
        ("UPDATE entry SET body = ? WHERE number = 1", [b'{"number":7}'], "an entry was changed"),
        ("DELETE FROM entry WHERE number = 1", [], "entry 1 is missing"),
        ("DELETE FROM entry WHERE number = 3", [], "covers 4 entries and 3 are there"),
        ("INSERT INTO entry VALUES (4, ?)", [b"{}"], "covers 4 entries and 5 are there"),
        ("DELETE FROM head", [], "the checkpoint is missing"),
        ("UPDATE head SET note = replace(note, '4', '3')", [], "signature does not verify|not signed"),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 1", [], "the stored tree differs"),
    ],
)
def test_tampering_with_the_database_is_found_when_it_is_opened(
    open_log: Callable[[], TransparencyLog], tmp_path: Path, statement: str, values: list[Any], reason: str
) -> None:
    log = open_log()
    for number in range(4):
        log.append({"number": number})
    log.close()
    edit(tmp_path, statement, *values)
    with pytest.raises(LogError, match=reason) as failure:
        open_log()
    assert "keep the file as evidence" in str(failure.value)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DELETE FROM head", "the checkpoint is missing"),
        ("DELETE FROM node", "the hash of subtree .* is missing"),
        ("UPDATE entry SET body = X'7B'", "an entry is not JSON"),
        ("DROP TABLE entry", "cannot be used: no such table"),
    ],
)
def test_tampering_with_the_database_is_found_when_it_is_open(
    open_log: Callable[[], TransparencyLog], tmp_path: Path, statement: str, reason: str
) -> None:
    log = open_log()
    for number in range(2):
        log.append({"number": number})
    edit(tmp_path, statement)
    with pytest.raises(LogError, match=reason):
        log.receipt(0)


def test_the_database_is_written_ahead(open_log: Callable[[], TransparencyLog], tmp_path: Path) -> None:
    open_log().close()
    connection = sqlite3.connect(tmp_path / "log.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize("keep", [0.9, 0.5, 0.1])
def test_a_truncated_database_is_found(open_log: Callable[[], TransparencyLog], tmp_path: Path, keep: float) -> None:
    log = open_log()
    for number in range(50):
        log.append({"number": number, "filler": "x" * 500})
    log.close()
    path = tmp_path / "log.db"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(LogError, match="damaged"):
        open_log()


def test_a_file_of_something_else_is_found(open_log: Callable[[], TransparencyLog], tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"not a database" * 100)
    with pytest.raises(LogError, match="damaged: file is not a database"):
        open_log()


def test_another_logs_database_is_refused(
    open_log: Callable[[], TransparencyLog], tmp_path: Path, keystore: FileKeyStore
) -> None:
    open_log().close()
    with pytest.raises(LogError, match=r"is the log 'verifier.test.internal/log', not 'elsewhere/log'"):
        TransparencyLog(tmp_path, keystore, "log", origin="elsewhere/log")


def test_an_entry_that_cannot_be_written_is_not_in_the_log(
    open_log: Callable[[], TransparencyLog], keystore: FileKeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log()
    log.append({"number": 0})
    with monkeypatch.context() as patch:
        patch.setattr(log, "_sign_head", lambda size: keystore.sign("no-such-key", b""))
        with pytest.raises(LogError, match="the log's key cannot sign"):
            log.append({"number": 1})
    with pytest.raises(LogError, match="cannot be logged: no canonical form for float"):
        log.append({"number": 0.5})
    assert log.append({"number": 2}).index == 1
    assert log.verify().size == 2


def test_replicas_write_one_log(open_log: Callable[[], TransparencyLog]) -> None:
    replicas = [open_log() for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(lambda number: replicas[number % 3].append({"number": number}), range(60)))
    assert sorted(receipt.index for receipt in receipts) == list(range(60))
    for receipt in receipts:
        verify_receipt(receipt, replicas[0].public_key)
    assert replicas[1].verify().size == 60


def test_a_nonce_is_spent_once_across_replicas(open_log: Callable[[], TransparencyLog]) -> None:
    replicas = [open_log() for _ in range(3)]
    until = NOW + timedelta(minutes=5)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: replicas[number % 3].spend("nonce", until, NOW), range(12)))
    assert sum(answers) == 1
    assert not open_log().spend("nonce", until, NOW)
    assert replicas[0].spend("other", until, NOW)
    assert replicas[0].spend("nonce", until, until + timedelta(seconds=2))
