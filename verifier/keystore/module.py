"""One PKCS#11 module in one process: loaded once, shared by every token that is opened through it.

A PKCS#11 module has process-wide state: C_Initialize runs once, and a login is valid for every session on that token.
SoftHSM moreover reads its token directory from SOFTHSM2_CONF at C_Initialize. `HsmModule` therefore serialises
all calls with one lock, remembers which configuration the module was initialised with, and re-initialises it when
a token of another directory is asked for. A production HSM has one configuration, so this never happens there.
"""

from __future__ import annotations

import ctypes
import hmac
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pkcs11
from pkcs11.exceptions import (
    NoSuchToken,
    PinIncorrect,
    PinLenRange,
    PinLocked,
    PKCS11Error,
)

from verifier.keystore.base import KeyStoreError

_LABEL_BYTES = 32  # PKCS#11 v2.40 section 5.5, C_InitToken: blank padded


class HsmModule:
    """The PKCS#11 library at one path, and the logged-in sessions on its tokens."""

    _instances: ClassVar[dict[str, HsmModule]] = {}
    _instances_lock = threading.Lock()

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._lock = threading.RLock()
        self._library: Any = None
        self._configuration: Path | None = None
        self._sessions: dict[str, tuple[Any, str]] = {}
        self._refused: set[tuple[Path | None, str, str]] = set()

    @classmethod
    def at(cls, path: Path) -> HsmModule:
        """The one instance for the library at `path`."""
        with cls._instances_lock:
            return cls._instances.setdefault(str(path), cls(path))

    @contextmanager
    def session(self, configuration: Path | None, label: str, pin: str) -> Iterator[Any]:
        """A logged-in read-write session on the token `label`, for this thread alone while the block runs.

        configuration: the SoftHSM configuration file, or None for a module that needs none.
        A PIN is tried once: after a refusal the same PIN is not sent again, so that no retry locks the token.
        """
        with self._lock:
            try:
                yield self._open(configuration, label, pin)
            except PKCS11Error as error:
                self._close(label)
                raise KeyStoreError(f"token {label!r}: the HSM answered {_reason(error)}") from None

    def initialise_token(self, configuration: Path | None, label: str, so_pin: str, pin: str) -> None:
        """C_InitToken on a free slot, then C_InitPIN. The PINs stay in this process: no command line shows them."""
        with self._lock:
            self._activate(configuration, force=True)
            try:
                tokens = [slot.get_token() for slot in self._library.get_slots(token_present=True)]
                if any(token.label == label for token in tokens):
                    raise KeyStoreError(f"a token labelled {label!r} exists already: open it, or choose another label")
                free = next((t for t in tokens if not t.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED), None)
                if free is None:
                    raise KeyStoreError("the HSM has no free slot for a new token: remove one, or use another HSM")
                self._c_init_token(free.slot.slot_id, label, so_pin)
                self._activate(configuration, force=True)
                with self._library.get_token(token_label=label).open(rw=True, so_pin=so_pin) as session:
                    session.init_pin(pin)
            except PKCS11Error as error:
                raise KeyStoreError(f"token {label!r} was not initialised: {_reason(error)}") from None

    def forget(self, configuration: Path | None, label: str) -> None:
        """Close the session on the token `label`."""
        with self._lock:
            if configuration == self._configuration:
                self._close(label)

    def _open(self, configuration: Path | None, label: str, pin: str) -> Any:
        self._activate(configuration)
        if label in self._sessions:
            session, known = self._sessions[label]
            # A login holds for the whole process, so the module would not ask a second opener for the PIN.
            if not hmac.compare_digest(known.encode(), pin.encode()):
                raise _wrong_pin(label)
            return session
        if (configuration, label, pin) in self._refused:
            raise _wrong_pin(label)
        try:
            session = self._library.get_token(token_label=label).open(rw=True, user_pin=pin)
        except NoSuchToken:
            raise KeyStoreError(
                f"no token is labelled {label!r} in {self._path}: initialise it, or check SOFTHSM2_CONF"
            ) from None
        except (PinIncorrect, PinLenRange):
            self._refused.add((configuration, label, pin))
            raise _wrong_pin(label) from None
        except PinLocked:
            raise KeyStoreError(
                f"the PIN of token {label!r} is locked: the security officer must reset it with the SO PIN"
            ) from None
        self._sessions[label] = (session, pin)
        return session

    def _activate(self, configuration: Path | None, *, force: bool = False) -> None:
        """Have the library initialised under `configuration`; `force` does it again to see new tokens."""
        if self._library is not None and configuration == self._configuration and not force:
            return
        for label in tuple(self._sessions):
            self._close(label)
        before = os.environ.get("SOFTHSM2_CONF")
        if configuration is not None:
            os.environ["SOFTHSM2_CONF"] = str(configuration)
        try:
            if self._library is None:
                self._library = pkcs11.lib(self._path)
            else:
                self._library.reinitialize()
        except (PKCS11Error, RuntimeError) as error:
            self._library = None
            raise KeyStoreError(f"PKCS#11 module {self._path} does not start: {_reason(error)}") from None
        finally:
            if configuration is not None:
                _restore("SOFTHSM2_CONF", before)
        self._configuration = configuration

    def _close(self, label: str) -> None:
        session, _ = self._sessions.pop(label, (None, ""))
        if session is not None:
            try:
                session.close()
            except PKCS11Error:
                # The token is gone already (removed, or the module was reset): nothing is left to close.
                return

    def _c_init_token(self, slot_id: int, label: str, so_pin: str) -> None:
        """python-pkcs11 has no C_InitToken: call the library's own entry point (it is already initialised)."""
        padded = label.encode("utf-8").ljust(_LABEL_BYTES)
        if len(padded) != _LABEL_BYTES:
            raise KeyStoreError(f"token label {label!r} is longer than {_LABEL_BYTES} bytes: choose a shorter one")
        secret = so_pin.encode("utf-8")
        answer = ctypes.CDLL(self._path).C_InitToken(
            ctypes.c_ulong(slot_id), secret, ctypes.c_ulong(len(secret)), padded
        )
        if answer != 0:
            raise KeyStoreError(f"token {label!r} was not initialised: C_InitToken answered {answer:#x}")


def _wrong_pin(label: str) -> KeyStoreError:
    return KeyStoreError(
        f"wrong PIN for token {label!r}; it was tried once and is not sent again, so that the token does not lock: "
        "give the right PIN and start again"
    )


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _restore(variable: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value
