"""What an HSM may answer and SoftHSM cannot be made to: a stand-in for the PKCS#11 library answers it."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pkcs11
import pytest
from pkcs11 import PKCS11Error
from pkcs11.exceptions import DeviceRemoved, NoSuchToken, PinIncorrect, PinLenRange, PinLocked, SessionHandleInvalid

from verifier.keystore import KeyStoreError
from verifier.keystore.module import HsmModule

PIN = "planted-pin"
PATH = Path("/usr/lib/vendor-pkcs11.so")


class Session:
    """A session whose `close` may fail."""

    def __init__(self, failure: PKCS11Error | None = None) -> None:
        self.closed = 0
        self._failure = failure

    def close(self) -> None:
        self.closed += 1
        if self._failure is not None:
            raise self._failure


class Library:
    """A library with slots; `opened` are the PINs that were sent. SOFTHSM2_CONF is what it saw when it started."""

    def __init__(self, *labels: str, free: bool = False, refusal: PKCS11Error | None = None) -> None:
        self.opened: list[str] = []
        self.sessions: list[Session] = []
        self.started: list[str | None] = [os.environ.get("SOFTHSM2_CONF")]
        self.refusal = refusal
        self.closing: PKCS11Error | None = None
        initialised = pkcs11.TokenFlag.TOKEN_INITIALIZED
        self._tokens = [SimpleNamespace(label=label, flags=initialised, open=self._open) for label in labels]
        if free:
            slot = SimpleNamespace(slot_id=7)
            self._tokens.append(SimpleNamespace(label="", flags=pkcs11.TokenFlag(0), slot=slot, open=self._open))

    def _open(self, *, rw: bool, user_pin: str) -> Session:
        assert rw
        self.opened.append(user_pin)
        if self.refusal is not None:
            raise self.refusal
        self.sessions.append(Session(self.closing))
        return self.sessions[-1]

    def reinitialize(self) -> None:
        self.started.append(os.environ.get("SOFTHSM2_CONF"))

    def get_token(self, token_label: str) -> Any:
        found = next((it for it in self._tokens if it.label == token_label), None)
        if found is None:
            raise NoSuchToken
        return found

    def get_slots(self, *, token_present: bool) -> list[Any]:
        assert token_present
        return [SimpleNamespace(get_token=lambda token=token: token) for token in self._tokens]


Load = Callable[[Library], HsmModule]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """A module behind which there is this library."""

    def loaded(library: Library) -> HsmModule:
        def start(path: str) -> Library:
            assert path == str(PATH)
            library.started = [os.environ.get("SOFTHSM2_CONF")]
            return library

        monkeypatch.setattr(pkcs11, "lib", start)
        return HsmModule(PATH)

    return loaded


def refused(module: HsmModule, pin: str = PIN, configuration: Path | None = None) -> str:
    with pytest.raises(KeyStoreError) as failure, module.session(configuration, "region", pin):
        pass
    assert pin not in str(failure.value)
    return str(failure.value)


@pytest.mark.parametrize("refusal", [PinIncorrect(), PinLenRange()])
def test_a_pin_that_was_refused_is_not_sent_again(load: Load, refusal: PKCS11Error) -> None:
    library = Library("region", refusal=refusal)
    module = load(library)
    assert [refused(module)[:9] for _ in range(3)] == ["wrong PIN"] * 3
    assert library.opened == [PIN]
    library.refusal = None
    with module.session(None, "region", "the right one"):
        assert library.opened == [PIN, "the right one"]
    assert refused(module).startswith("wrong PIN"), "a login holds for the process, and not for who has no PIN"
    assert library.opened == [PIN, "the right one"]


def test_a_locked_pin_says_who_can_reset_it(load: Load) -> None:
    assert "the security officer must reset it" in refused(load(Library("region", refusal=PinLocked())))


def test_one_login_serves_until_the_hsm_fails(load: Load) -> None:
    library = Library("region")
    module = load(library)
    for _ in range(2):
        with module.session(None, "region", PIN):
            pass
    assert library.opened == [PIN]
    with (
        pytest.raises(KeyStoreError, match=r"token 'region': the HSM answered DeviceRemoved$"),
        module.session(None, "region", PIN),
    ):
        raise DeviceRemoved
    assert library.sessions[0].closed == 1
    with module.session(None, "region", PIN):
        assert library.opened == [PIN, PIN]


def test_a_session_that_does_not_close_is_given_up(load: Load) -> None:
    library = Library("region")
    library.closing = SessionHandleInvalid()
    module = load(library)
    with module.session(None, "region", PIN):
        pass
    module.forget(None, "region")
    with module.session(None, "region", PIN):
        assert library.opened == [PIN, PIN]


def test_each_configuration_is_seen_by_the_library_alone(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The library starts again for another one, and the process's environment stays as it was."""
    library = Library("region")
    module = load(library)
    first, second = tmp_path / "a.conf", tmp_path / "b.conf"
    for outside in ("outside.conf", None):
        monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
        if outside is not None:
            monkeypatch.setenv("SOFTHSM2_CONF", outside)
        for configuration in (first, first, second, None):
            with module.session(configuration, "region", PIN):
                assert os.environ.get("SOFTHSM2_CONF") == outside
        assert library.started[-3:] == [str(first), str(second), outside]
    assert len(library.started) == 6
    assert sum(session.closed for session in library.sessions) == 5, "each but the last"


def test_only_the_store_whose_token_it_is_closes_its_session(load: Load, tmp_path: Path) -> None:
    library = Library("region")
    module = load(library)
    with module.session(tmp_path / "a.conf", "region", PIN):
        pass
    module.forget(tmp_path / "b.conf", "region")
    assert library.sessions[0].closed == 0
    module.forget(tmp_path / "a.conf", "region")
    assert library.sessions[0].closed == 1


def test_a_library_that_did_not_start_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: str) -> Library:
        raise RuntimeError(f"{path} is no library")

    module = HsmModule(PATH)
    monkeypatch.setattr(pkcs11, "lib", fails)
    assert refused(module) == f"PKCS#11 module {PATH} does not start: RuntimeError: {PATH} is no library"
    library = Library("region")
    monkeypatch.setattr(pkcs11, "lib", lambda _: library)
    with module.session(None, "region", PIN):
        assert library.opened == [PIN]


class TestInitialise:
    """Making a token."""

    @staticmethod
    def failure(module: HsmModule, label: str = "region") -> str:
        with pytest.raises(KeyStoreError) as failure:
            module.initialise_token(None, label, "planted-so-pin", PIN)
        assert "planted" not in str(failure.value)
        return str(failure.value)

    def test_an_hsm_that_is_full(self, load: Load) -> None:
        assert "no free slot for a new token" in self.failure(load(Library("other")))

    def test_a_label_of_33_bytes(self, load: Load) -> None:
        assert "longer than 32 bytes" in self.failure(load(Library(free=True)), "ü" * 16 + "x")

    @pytest.mark.parametrize(
        ("answer", "reason"), [(0xA0, "C_InitToken answered 0xa0"), (0, "was not initialised: NoSuchToken")]
    )
    def test_an_hsm_that_refuses(self, load: Load, monkeypatch: pytest.MonkeyPatch, answer: int, reason: str) -> None:
        library = SimpleNamespace(C_InitToken=lambda *_: answer)
        monkeypatch.setattr("verifier.keystore.module.ctypes.CDLL", lambda _: library)
        assert reason in self.failure(load(Library(free=True)))
