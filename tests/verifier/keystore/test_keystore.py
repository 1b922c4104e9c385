"""What every key store promises, checked on each backend."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from verifier.keystore import (
    FileKeyStore,
    KeyStore,
    KeyStoreError,
    Pkcs11KeyStore,
    find_softhsm,
    init_token,
    open_signer,
)
from verifier.log import LogError, TransparencyLog
from verifier.signer import ES256, ES384, Algorithm, verifies

SOFTHSM = find_softhsm()
DEK = b"planted-data-key-0123456789abcde"
needs_softhsm = pytest.mark.skipif(SOFTHSM is None, reason="SoftHSM 2 is missing: apt-get install softhsm2")

Reopen = Callable[[], KeyStore]


def softhsm_store(directory: Path, label: str = "region", pin: str = "123456") -> Pkcs11KeyStore:
    assert SOFTHSM is not None
    return Pkcs11KeyStore(SOFTHSM, label, pin, init_token(label, "so-123456", pin, directory))


@pytest.fixture(params=["files", pytest.param("softhsm", marks=[pytest.mark.hsm, needs_softhsm])])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Reopen:
    """Opens the same key store again."""
    if request.param == "files":
        return lambda: FileKeyStore(tmp_path, "correct horse")
    assert SOFTHSM is not None
    module, configuration = SOFTHSM, init_token("region", "so-123456", "123456", tmp_path)
    return lambda: Pkcs11KeyStore(module, "region", "123456", configuration)


@pytest.fixture
def store(reopen: Reopen) -> Iterator[KeyStore]:
    keystore = reopen()
    yield keystore
    keystore.close()


def test_a_data_key_comes_back_only_from_its_own_kek(store: KeyStore, reopen: Reopen) -> None:
    store.create_kek("kek-a")
    store.create_kek("kek-b")
    blob = store.wrap("kek-a", DEK)
    assert DEK not in blob
    assert store.wrap("kek-a", DEK) != blob
    assert reopen().unwrap("kek-a", blob) == DEK
    with pytest.raises(KeyStoreError, match="was not wrapped under 'kek-b'"):
        store.unwrap("kek-b", blob)


def test_every_changed_byte_of_a_wrapped_key_is_refused(store: KeyStore) -> None:
    store.create_kek("kek")
    blob = store.wrap("kek", DEK)
    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises(KeyStoreError):
            store.unwrap("kek", bytes(changed))
    for length in (0, 1, 29, len(blob) - 1):
        with pytest.raises(KeyStoreError):
            store.unwrap("kek", blob[:length])
    assert store.unwrap("kek", blob) == DEK


@pytest.mark.parametrize(("algorithm", "other"), [(ES256, ES384), (ES384, ES256)])
def test_a_signature_verifies_with_the_public_key(
    store: KeyStore, reopen: Reopen, algorithm: Algorithm, other: Algorithm
) -> None:
    signer = open_signer(store, "signer", algorithm)
    signature = signer.sign(b"message")
    assert len(signature) == 2 * algorithm.scalar_bytes
    assert verifies(reopen().public_key("signer"), b"message", signature, algorithm)
    assert not verifies(signer.public_key, b"massage", signature, algorithm)
    assert not verifies(signer.public_key, b"message", signature, other)
    assert open_signer(store, "signer", algorithm).public_key == signer.public_key


def test_what_must_stand_for_years_is_not_signed_with_a_key_for_less(store: KeyStore, tmp_path: Path) -> None:
    open_signer(store, "signer", ES256)
    with pytest.raises(KeyStoreError, match="'signer' is on secp256r1, secp384r1 expected"):
        open_signer(store, "signer")
    with pytest.raises(LogError, match="'signer' is on secp256r1, secp384r1 expected"):
        TransparencyLog(tmp_path / "log", store, "signer", origin="test")


def test_a_destroyed_key_unwraps_nothing_any_more(store: KeyStore) -> None:
    store.create_kek("kek")
    blob = store.wrap("kek", DEK)
    store.destroy("kek")
    assert store.names() == ()
    store.create_kek("kek")
    with pytest.raises(KeyStoreError):
        store.unwrap("kek", blob)


def test_names_lists_keys_of_both_kinds(store: KeyStore) -> None:
    store.create_signing_key("b-signing")
    store.create_kek("a-kek")
    assert store.names() == ("a-kek", "b-signing")


@pytest.mark.parametrize("name", ["", "../escape", "a/b", "ü", "a" * 128, "with space"])
def test_a_name_that_not_every_backend_can_hold_is_refused(store: KeyStore, name: str) -> None:
    with pytest.raises(KeyStoreError, match="key name"):
        store.create_kek(name)


def test_a_taken_name_is_refused_and_the_key_stays(store: KeyStore) -> None:
    store.create_kek("kek")
    blob = store.wrap("kek", DEK)
    for create in (store.create_kek, store.create_signing_key):
        with pytest.raises(KeyStoreError, match="'kek' exists already"):
            create("kek")
    assert store.unwrap("kek", blob) == DEK


def test_a_key_is_used_for_its_own_purpose_only(store: KeyStore) -> None:
    store.create_kek("kek")
    store.create_signing_key("signer")
    for misuse in (
        lambda: store.sign("kek", b"x"),
        lambda: store.public_key("kek"),
        lambda: store.wrap("signer", DEK),
        lambda: store.unwrap("missing", store.wrap("kek", DEK)),
        lambda: store.destroy("missing"),
        lambda: store.wrap("kek", b""),
    ):
        with pytest.raises(KeyStoreError) as failure:
            misuse()
        assert "\n" not in str(failure.value)


def test_threads_share_a_store(store: KeyStore) -> None:
    store.create_kek("kek")
    signer = open_signer(store, "signer")

    def work(number: int) -> bool:
        message = f"{number}".encode()
        return store.unwrap("kek", store.wrap("kek", message)) == message and verifies(
            signer.public_key, message, signer.sign(message)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(40)))


@pytest.mark.hsm
@needs_softhsm
def test_a_wrong_pin_is_sent_once_and_never_again(tmp_path: Path) -> None:
    keystore = softhsm_store(tmp_path)
    configuration = tmp_path / "softhsm2.conf"
    assert SOFTHSM is not None
    for _ in range(2):
        with pytest.raises(KeyStoreError, match="wrong PIN for token 'region'; it was tried once") as failure:
            Pkcs11KeyStore(SOFTHSM, "region", "planted-pin", configuration)
        assert "planted-pin" not in str(failure.value)
    keystore.close()
    with pytest.raises(KeyStoreError, match="wrong PIN"):
        Pkcs11KeyStore(SOFTHSM, "region", "planted-pin", configuration)
    assert keystore.names() == ()


@pytest.mark.hsm
@needs_softhsm
def test_two_regions_in_one_process_keep_their_tokens_apart(tmp_path: Path) -> None:
    stores = [softhsm_store(tmp_path / region) for region in ("a", "b")]
    for keystore in stores:
        keystore.create_kek("kek")
    blobs = [keystore.wrap("kek", DEK) for keystore in stores]
    assert [keystore.unwrap("kek", blob) for keystore, blob in zip(stores, blobs, strict=True)] == [DEK, DEK]
    with pytest.raises(KeyStoreError):
        stores[0].unwrap("kek", blobs[1])


@pytest.mark.hsm
@needs_softhsm
def test_a_token_is_never_initialised_over(tmp_path: Path) -> None:
    keystore = softhsm_store(tmp_path)
    keystore.create_kek("kek")
    with pytest.raises(KeyStoreError, match="'region' exists already"):
        init_token("region", "other-so", "other-pin", tmp_path)
    assert keystore.names() == ("kek",)


@pytest.mark.hsm
@needs_softhsm
def test_an_unknown_token_names_what_to_check(tmp_path: Path) -> None:
    softhsm_store(tmp_path)
    assert SOFTHSM is not None
    with pytest.raises(KeyStoreError, match=r"no token is labelled 'elsewhere'.*SOFTHSM2_CONF"):
        Pkcs11KeyStore(SOFTHSM, "elsewhere", "123456", tmp_path / "softhsm2.conf")


@pytest.mark.hsm
@needs_softhsm
def test_no_key_on_the_token_can_be_read_out(tmp_path: Path) -> None:
    import pkcs11

    keystore = softhsm_store(tmp_path)
    keystore.create_kek("kek")
    keystore.create_signing_key("signer")
    with keystore._session() as session:
        for name, kind in (("kek", pkcs11.ObjectClass.SECRET_KEY), ("signer", pkcs11.ObjectClass.PRIVATE_KEY)):
            key = session.get_key(object_class=kind, label=name)
            assert key[pkcs11.Attribute.SENSITIVE]
            assert not key[pkcs11.Attribute.EXTRACTABLE]
            with pytest.raises(pkcs11.PKCS11Error):
                _ = key[pkcs11.Attribute.VALUE]


def test_the_module_named_in_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "vendor.so"
    monkeypatch.setenv("BAILIWICK_PKCS11_MODULE", str(module))
    assert find_softhsm() is None
    module.touch()
    assert find_softhsm() == module


def test_a_library_that_is_no_pkcs11_module_is_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"not a library")
    with pytest.raises(KeyStoreError, match=r"PKCS#11 module .*broken\.so does not start"):
        Pkcs11KeyStore(broken, "region", "123456")


def test_key_files_hold_no_key_and_name_a_wrong_passphrase(tmp_path: Path) -> None:
    keystore = FileKeyStore(tmp_path, "planted-passphrase")
    keystore.create_kek("kek")
    assert not keystore.is_hsm
    assert "THIS IS NOT AN HSM" in keystore.describe()
    text = (tmp_path / "kek.key.json").read_text()
    assert "planted-passphrase" not in text
    assert (tmp_path / "kek.key.json").stat().st_mode & 0o077 == 0
    with pytest.raises(KeyStoreError, match=r"wrong passphrase for kek\.key\.json") as failure:
        FileKeyStore(tmp_path, "planted-guess")
    assert "planted" not in str(failure.value)


def test_a_renamed_key_file_is_not_the_key_of_its_new_name(tmp_path: Path) -> None:
    FileKeyStore(tmp_path, "passphrase").create_kek("kek")
    (tmp_path / "kek.key.json").rename(tmp_path / "other.key.json")
    with pytest.raises(KeyStoreError, match="the file was changed"):
        FileKeyStore(tmp_path, "passphrase")


def test_a_damaged_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "kek.key.json").write_text("{")
    with pytest.raises(KeyStoreError, match=r"kek\.key\.json is not a key file"):
        FileKeyStore(tmp_path, "passphrase")


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="passphrase that is not empty"):
        FileKeyStore(tmp_path, "")
