"""The region's HSM: a SoftHSM token of its own or, loudly, encrypted files where SoftHSM is missing.

A region keeps the kind of store that it began with: keys do not move when SoftHSM is installed later.
"""

import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox.region.files import write_atomically
from verifier.keystore import (
    FileKeyStore,
    KeyStore,
    KeyStoreError,
    Pkcs11KeyStore,
    configuration_in,
    find_softhsm,
    init_token,
)

TOKEN_LABEL: Final = "bailiwick"  # noqa: S105 (the public name of a token)

_PIN_BYTES: Final = 16


def open_keystore(directory: Path, warn: Callable[[str], None]) -> KeyStore:
    """The key store in `directory`, made on first use; `warn` hears it when that store is not an HSM.

    The PIN lies beside the token in a file of mode 0600: a sandbox has no one to type it. The security officer's
    PIN is not kept, because a sandbox makes a lost token anew.
    """
    files, tokens, module = directory / "files", directory / "tokens", find_softhsm()
    has_token = tokens.is_dir() and any(tokens.iterdir())
    if has_token and module is None:
        raise KeyStoreError(
            f"the keys of this region are in the SoftHSM token in {tokens}, and SoftHSM 2 is not installed: "
            "apt-get install softhsm2"
        )
    if module is None or files.is_dir():
        store = FileKeyStore(files, _pin(directory))
        warn(store.describe())
        return store
    if not has_token:
        pin = _pin(directory)
        # Made beside and moved into place whole: a kill half way leaves no token that nobody can log in to.
        with tempfile.TemporaryDirectory(dir=directory, prefix="token-") as beside:
            init_token(TOKEN_LABEL, secrets.token_hex(_PIN_BYTES), pin, Path(beside), module)
            (Path(beside) / tokens.name).replace(tokens)
    return Pkcs11KeyStore(module, TOKEN_LABEL, _pin(directory), configuration_in(directory))


def _pin(directory: Path) -> str:
    path = directory / "pin"
    if not path.exists():
        write_atomically(path, secrets.token_hex(_PIN_BYTES).encode("ascii"))
    return path.read_text("ascii").strip()
