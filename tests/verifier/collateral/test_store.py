"""The store: nothing lost at a kill or between two writers, and whatever was changed is noticed and named."""

import hashlib
import json
import multiprocessing
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from verifier.collateral.checking import state_of
from verifier.collateral.record import CollateralError, Kind, Record
from verifier.collateral.store import Store, is_store

AT = datetime(2026, 6, 1, tzinfo=UTC)


def record(content: bytes, subject: str = "milan", **changes) -> Record:
    digest = hashlib.sha256(content).hexdigest()
    fields = {"sha256": digest, "size": len(content), "source": "https://mirror.example/crl", "fetched_at": AT}
    period = {"not_before": AT, "next_update": AT + timedelta(days=8)}
    return Record(**{"kind": Kind.AMD_CRL, "subject": subject, **fields, **period, **changes})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_what_was_put_is_found_and_read(store):
    store.put(record(b"one"), b"one")
    store.put(record(b"two", "genoa"), b"two")
    found = Store.existing(store.directory)
    assert [it.subject for it in found.records()] == ["genoa", "milan"]
    assert found.content(found.find(Kind.AMD_CRL, "milan")) == b"one"
    assert found.find(Kind.AMD_CRL, "turin") is None


def test_the_files_are_what_the_documentation_says(store):
    store.put(record(b"one"), b"one")
    names = sorted(str(path.relative_to(store.directory)) for path in store.directory.rglob("*") if path.is_file())
    digest = hashlib.sha256(b"one").hexdigest()
    assert names == ["collateral.json", "index/amd-crl/milan.json", f"objects/{digest}"]
    entry = json.loads((store.directory / "index/amd-crl/milan.json").read_text())
    assert list(entry) == [*("kind", "subject", "sha256", "size", "source", "fetched_at", "not_before", "next_update")]


def test_a_newer_object_takes_the_entry_and_the_old_object_stays(store):
    store.put(record(b"one"), b"one")
    store.put(record(b"two"), b"two")
    assert store.content(store.find(Kind.AMD_CRL, "milan")) == b"two"
    assert len(list((store.directory / "objects").iterdir())) == 2


class TestDamage:
    def damaged(self, store, match):
        with pytest.raises(CollateralError, match=match) as caught:
            [store.content(found) for found in store.records()]
        assert "\n" not in str(caught.value)

    def test_an_object_that_was_changed_is_named(self, store):
        store.put(record(b"one"), b"one")
        (path,) = (store.directory / "objects").iterdir()
        path.write_bytes(b"two")
        self.damaged(store, f"{path}: changed: amd-crl/milan has another hash")

    def test_an_object_that_is_missing_is_named(self, store):
        store.put(record(b"one"), b"one")
        (path,) = (store.directory / "objects").iterdir()
        path.unlink()
        self.damaged(store, f"{path}: missing, and amd-crl/milan needs it")

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("{", "Invalid JSON"),
            ("{}", "kind: Field required"),
            ("[]", "entry: Input should be an object"),
            ('{"kind": "amd-crl", "subject": "../../etc"}', "subject: String should match pattern"),
        ],
    )
    def test_an_entry_that_cannot_be_read_is_named(self, store, text, reason):
        store.put(record(b"one"), b"one")
        path = store.directory / "index/amd-crl/milan.json"
        path.write_text(text)
        self.damaged(store, f"{path}: .*{reason}")

    def test_an_entry_under_another_name_is_refused(self, store):
        store.put(record(b"one"), b"one")
        path = store.directory / "index/amd-crl/milan.json"
        path.rename(path.with_name("genoa.json"))
        self.damaged(store, "genoa.json: it describes amd-crl/milan")

    def test_a_damaged_object_is_mended_by_storing_it_again(self, store):
        store.put(record(b"one"), b"one")
        (path,) = (store.directory / "objects").iterdir()
        path.write_bytes(b"two")
        store.put(record(b"one"), b"one")
        assert store.content(store.find(Kind.AMD_CRL, "milan")) == b"one"

    def test_content_that_is_not_the_entrys_is_not_stored(self, store):
        with pytest.raises(CollateralError, match="not the one that its entry describes"):
            store.put(record(b"one"), b"two")
        assert not store.directory.exists()


class TestFolder:
    def test_no_store_is_said(self, tmp_path):
        with pytest.raises(CollateralError, match="no collateral store"):
            Store.existing(tmp_path)

    def test_a_folder_with_something_else_is_not_taken(self, tmp_path):
        (tmp_path / "vcek.der").write_bytes(b"certificate")
        assert not is_store(tmp_path)
        with pytest.raises(CollateralError, match="neither empty nor a collateral store"):
            Store(tmp_path)

    def test_a_layout_of_the_future_is_not_read(self, store):
        store.put(record(b"one"), b"one")
        (store.directory / "collateral.json").write_text('{"layout": "bailiwick-collateral", "version": 2}')
        with pytest.raises(CollateralError, match="a layout that this version does not read"):
            Store.existing(store.directory)

    @pytest.mark.parametrize("subject", ["", "../milan", "a/b", ".hidden", "x" * 201])
    def test_a_subject_that_is_no_file_name_is_refused(self, store, subject):
        with pytest.raises(CollateralError, match="no subject of collateral"):
            store.find(Kind.AMD_CRL, subject)


def _write_forever(directory: Path, number: int) -> None:
    store, turn = Store(directory), 0
    while True:
        content = f"{number} {turn}".encode()
        store.put(record(content), content)
        turn += 1


def test_two_writers_that_are_killed_leave_a_store_that_reads(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_forever, args=(tmp_path / "store", number)) for number in range(2)]
    for writer in writers:
        writer.start()
    objects = tmp_path / "store" / "objects"
    while not objects.exists() or sum(1 for _ in objects.iterdir()) < 20:
        assert all(writer.is_alive() for writer in writers)
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
    store = Store.existing(tmp_path / "store")
    (found,) = store.records()
    assert store.content(found).split()[0] in {b"0", b"1"}


class TestDates:
    def test_a_document_is_due_in_the_last_quarter_of_its_life(self):
        found = record(b"one")
        assert not found.is_due(AT + timedelta(days=6))
        assert found.is_due(AT + timedelta(days=6, seconds=1))
        assert not found.is_expired(AT + timedelta(days=8))
        assert found.is_expired(AT + timedelta(days=8, seconds=1))

    @pytest.mark.parametrize(
        ("days", "state"), [(-1, "expired"), (0, "valid"), (6, "valid"), (7, "due"), (8, "due"), (9, "expired")]
    )
    def test_its_state_follows_from_them(self, days, state):
        assert state_of(record(b"one"), AT + timedelta(days=days)).state == state

    def test_what_states_no_end_is_never_due(self):
        found = record(b"one", next_update=None)
        assert not found.is_due(AT + timedelta(days=10_000))
        assert not found.is_expired(AT + timedelta(days=10_000))

    def test_age_counts_from_issue_or_else_from_the_fetch(self):
        later = {"fetched_at": AT + timedelta(days=2)}
        assert record(b"one", **later).age(AT + timedelta(days=5)).days == 5
        assert record(b"one", kind=Kind.RIM, **later).age(AT + timedelta(days=5)).days == 3
