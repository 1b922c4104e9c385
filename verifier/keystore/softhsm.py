"""SoftHSM 2, the HSM of the sandbox: where its library is, and how a token is made."""

from __future__ import annotations

import os
from pathlib import Path

from verifier.keystore.base import KeyStoreError
from verifier.keystore.module import HsmModule

MODULE_VARIABLE = "BAILIWICK_PKCS11_MODULE"
_USUAL_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


def find_softhsm() -> Path | None:
    """The PKCS#11 library: the one that BAILIWICK_PKCS11_MODULE names, else SoftHSM 2 where systems install it."""
    named = os.environ.get(MODULE_VARIABLE)
    if named is not None:
        return Path(named) if Path(named).is_file() else None
    return next((Path(place) for place in _USUAL_PLACES if Path(place).is_file()), None)


def configuration_in(directory: Path) -> Path:
    """Write (once) the SoftHSM configuration that keeps its tokens in `directory`, and return its path."""
    path = directory.resolve() / "softhsm2.conf"
    tokens = path.parent / "tokens"
    text = f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
    try:
        tokens.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    except OSError as error:
        raise KeyStoreError(f"cannot write {path}: {error.strerror}; free space or fix its permissions") from None
    return path


def init_token(label: str, so_pin: str, pin: str, directory: Path, module_path: Path | None = None) -> Path:
    """Make a SoftHSM token in `directory`; the result is the configuration file to open it with."""
    module = module_path or find_softhsm()
    if module is None:
        raise KeyStoreError("SoftHSM 2 is not installed: apt-get install softhsm2, or set " + MODULE_VARIABLE)
    configuration = configuration_in(directory)
    HsmModule.at(module).initialise_token(configuration, label, so_pin, pin)
    return configuration
