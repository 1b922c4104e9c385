"""Key files on disk: what is there after each operation, and what is said when the disk does not do as told."""

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from verifier.keystore import FileKeyStore, KeyStoreError, files, open_signer
from verifier.signer import ES384, Algorithm


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """How slow a passphrase is to guess is of no matter here."""
    monkeypatch.setattr(files, "_SCRYPT", {"n": 2, "r": 1, "p": 1})


@pytest.fixture
def store(tmp_path: Path) -> FileKeyStore:
    return FileKeyStore(tmp_path / "keys", "passphrase")


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyStoreError, match=r"cannot use .*/file/keys: Not a directory"):
        FileKeyStore(tmp_path / "file" / "keys", "passphrase")


def test_nothing_but_the_key_files_is_left(store: FileKeyStore, tmp_path: Path) -> None:
    store.create_kek("kek")
    with pytest.raises(KeyStoreError, match="exists already"):
        store.create_kek("kek")
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["kek.key.json"]
    store.destroy("kek")
    assert list((tmp_path / "keys").iterdir()) == []


def test_a_key_that_cannot_be_written_does_not_exist(store: FileKeyStore, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "keys")
    with pytest.raises(KeyStoreError, match=r"cannot write .*kek\.key\.json: No such file or directory; free space"):
        store.create_kek("kek")
    with pytest.raises(KeyStoreError, match="no key named 'kek'"):
        store.wrap("kek", b"data key")


def test_a_closed_store_reads_its_files_again(store: FileKeyStore, tmp_path: Path) -> None:
    store.create_kek("kek")
    blob = store.wrap("kek", b"data key")
    store.close()
    assert store.unwrap("kek", blob) == b"data key"
    store.close()
    (tmp_path / "keys" / "kek.key.json").unlink()
    with pytest.raises(KeyStoreError, match="no key named 'kek'"):
        store.unwrap("kek", blob)


def test_a_key_that_another_process_destroyed_is_known_until_then_only(store: FileKeyStore, tmp_path: Path) -> None:
    """Destroying what is gone already is an end that both can live with."""
    store.create_kek("kek")
    other = FileKeyStore(tmp_path / "keys", "passphrase")
    other.destroy("kek")
    store.destroy("kek")
    with pytest.raises(KeyStoreError, match="no key named 'kek'"):
        store.wrap("kek", b"data key")


def test_a_signing_key_of_another_kind_is_none(store: FileKeyStore) -> None:
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    store._store("signer", "signing", other)
    with pytest.raises(KeyStoreError, match="key 'signer' is not an elliptic-curve key"):
        store.sign("signer", b"message")


class Raced(FileKeyStore):
    """A store whose creation of signing keys fails; another replica has made the key by then, or not."""

    def __init__(self, directory: Path, *, made: bool) -> None:
        super().__init__(directory, "passphrase")
        self._made = made

    def create_signing_key(self, name: str, algorithm: Algorithm = ES384) -> None:
        if self._made:
            super().create_signing_key(name, algorithm)
        raise KeyStoreError("the disk is full")


def test_the_key_that_another_replica_made_meanwhile_is_the_key(tmp_path: Path) -> None:
    store = Raced(tmp_path, made=True)
    assert open_signer(store, "signer").public_key == store.public_key("signer")


def test_a_signing_key_that_nobody_could_make_is_refused_for_its_reason(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="the disk is full"):
        open_signer(Raced(tmp_path, made=False), "signer")
