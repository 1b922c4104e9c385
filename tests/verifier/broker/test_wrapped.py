"""Wrapped keys on disk: what is there is read back, and a file that is damaged, or another key's, is never used."""

import json
from pathlib import Path
from typing import Any

import pytest

from verifier.broker.wrapped import WrappedKey, WrappedKeys, WrappedKeysError

PATH = "default/model-key/llm"
KEY = WrappedKey(PATH, "model-kek", b"wrapped", {"artefact": "llm.enc"})


@pytest.fixture
def keys(tmp_path: Path) -> WrappedKeys:
    return WrappedKeys(tmp_path / "region" / "wrapped")


def file_of(keys: WrappedKeys, directory: Path) -> Path:
    """The file of the one key."""
    keys.put(KEY)
    (file,) = (directory / "region" / "wrapped").iterdir()
    return file


def test_a_key_is_read_back_by_another_replica(keys: WrappedKeys, tmp_path: Path) -> None:
    assert keys.get(PATH) is None
    file = file_of(keys, tmp_path)
    assert WrappedKeys(file.parent).get(PATH) == KEY
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_last_one_counts_and_nothing_else_is_left(keys: WrappedKeys, tmp_path: Path) -> None:
    keys.put(WrappedKey(PATH, "former-kek", b"former"))
    file = file_of(keys, tmp_path)
    assert keys.get(PATH) == KEY
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "change",
    [
        lambda record: b"{",
        lambda record: b"[]",
        lambda record: {name: record[name] for name in ("path", "kek", "blob")},
        lambda record: record | {"blob": "%"},
        lambda record: record | {"blob": "d3Jhc"},
        lambda record: record | {"blob": 3},
    ],
)
def test_a_file_that_is_damaged(keys: WrappedKeys, tmp_path: Path, change: Any) -> None:
    file = file_of(keys, tmp_path)
    changed = change(json.loads(file.read_bytes()))
    file.write_bytes(changed if isinstance(changed, bytes) else json.dumps(changed).encode())
    with pytest.raises(WrappedKeysError, match="is damaged: wrap the key again, or restore the file"):
        keys.get(PATH)


def test_the_file_of_another_key(keys: WrappedKeys, tmp_path: Path) -> None:
    file = file_of(keys, tmp_path)
    file.write_bytes(file.read_bytes().replace(b"default/", b"another/"))
    with pytest.raises(WrappedKeysError, match=r"holds the key of 'another/model-key/llm', not of 'default/"):
        keys.get(PATH)


def test_a_folder_that_is_none(keys: WrappedKeys, tmp_path: Path) -> None:
    (tmp_path / "region").write_bytes(b"")
    with pytest.raises(WrappedKeysError, match="cannot write"):
        keys.put(KEY)


def test_a_key_that_cannot_be_put_in_place_leaves_nothing(keys: WrappedKeys, tmp_path: Path) -> None:
    file = file_of(keys, tmp_path)
    file.unlink()
    file.mkdir()
    with pytest.raises(WrappedKeysError, match="cannot write"):
        keys.put(KEY)
    assert list(file.parent.iterdir()) == [file]
