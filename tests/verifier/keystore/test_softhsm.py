"""Where SoftHSM is, and where it keeps its tokens: what is said before it is asked for anything."""

from pathlib import Path

import pytest

from verifier.keystore import KeyStoreError, configuration_in, init_token


@pytest.fixture(autouse=True)
def missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAILIWICK_PKCS11_MODULE", str(tmp_path / "missing.so"))


def test_where_it_is_missing_the_message_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="apt-get install softhsm2, or set BAILIWICK_PKCS11_MODULE"):
        init_token("region", "so-123456", "123456", tmp_path)


def test_a_module_that_is_named_is_the_one(tmp_path: Path) -> None:
    (tmp_path / "named.so").touch()
    with pytest.raises(KeyStoreError, match=r"PKCS#11 module .*named\.so does not start"):
        init_token("region", "so-123456", "123456", tmp_path, tmp_path / "named.so")


def test_the_configuration_names_its_own_directory(tmp_path: Path) -> None:
    """Also after the directory was moved, so that no other region's tokens are opened."""
    path = configuration_in(tmp_path / "before")
    written = path.stat().st_mtime_ns
    assert configuration_in(tmp_path / "before").stat().st_mtime_ns == written
    path.parent.rename(tmp_path / "after")
    path = configuration_in(tmp_path / "after")
    assert f"directories.tokendir = {tmp_path.resolve()}/after/tokens\n" in path.read_text()


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyStoreError, match=r"cannot write .*/file/softhsm2\.conf: Not a directory"):
        configuration_in(tmp_path / "file")
