"""Which key store a region gets, and that a person is told when it is not an HSM."""

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.region.hsm import open_keystore
from verifier.keystore import KeyStoreError, find_softhsm

ROOT = Path(__file__).parents[3]
needs_softhsm = pytest.mark.skipif(find_softhsm() is None, reason="install softhsm2: apt-get install softhsm2")


@pytest.mark.hsm
@needs_softhsm
def test_softhsm_keeps_its_keys_between_runs(tmp_path):
    warnings = []
    store = open_keystore(tmp_path, warnings.append)
    store.create_kek("kek")
    wrapped = store.wrap("kek", b"k" * 32)
    store.close()
    assert open_keystore(tmp_path, warnings.append).unwrap("kek", wrapped) == b"k" * 32
    assert store.is_hsm
    assert warnings == []
    assert (tmp_path / "pin").stat().st_mode & 0o777 == 0o600


def test_without_softhsm_files_are_used_and_said_to_be_no_hsm(tmp_path, monkeypatch):
    monkeypatch.setenv("BAILIWICK_PKCS11_MODULE", str(tmp_path / "absent.so"))
    warnings = []
    store = open_keystore(tmp_path / "hsm", warnings.append)
    store.create_kek("kek")
    wrapped = store.wrap("kek", b"k" * 32)
    assert not store.is_hsm
    assert "THIS IS NOT AN HSM" in warnings[0]
    assert open_keystore(tmp_path / "hsm", warnings.append).unwrap("kek", wrapped) == b"k" * 32


@pytest.mark.hsm
@needs_softhsm
def test_a_region_stays_with_the_store_it_began_with(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("BAILIWICK_PKCS11_MODULE", str(tmp_path / "absent.so"))
        open_keystore(tmp_path / "files", lambda _: None).create_kek("kek")
    assert open_keystore(tmp_path / "files", lambda _: None).names() == ("kek",)
    open_keystore(tmp_path / "token", lambda _: None).close()
    monkeypatch.setenv("BAILIWICK_PKCS11_MODULE", str(tmp_path / "absent.so"))
    with pytest.raises(KeyStoreError, match="apt-get install softhsm2"):
        open_keystore(tmp_path / "token", lambda _: None)


@pytest.mark.hsm
@needs_softhsm
def test_a_wrong_pin_is_one_clear_line(tmp_path):
    open_keystore(tmp_path, lambda _: None).close()
    (tmp_path / "pin").write_text("0000")
    with pytest.raises(KeyStoreError, match="wrong PIN"):
        open_keystore(tmp_path, lambda _: None)


@pytest.mark.hsm
@needs_softhsm
def test_a_run_killed_while_it_made_the_token_leaves_nothing_in_the_way_of_the_next(tmp_path):
    """Killed for good, between the token's files and its PIN, where nothing can tidy up."""
    killed = f"""
import os
from pathlib import Path
from sandbox.region.hsm import open_keystore
from verifier.keystore.module import HsmModule
HsmModule._c_init_token = lambda self, slot, label, pin: (
    (self._configuration.parent / "tokens" / "half").mkdir(), os._exit(9))
open_keystore(Path({str(tmp_path)!r}), print)
"""
    assert subprocess.run([sys.executable, "-c", killed], cwd=ROOT, check=False).returncode == 9
    assert list(tmp_path.rglob("half"))
    open_keystore(tmp_path, lambda _: None).create_kek("kek")
    assert open_keystore(tmp_path, lambda _: None).names() == ("kek",)
