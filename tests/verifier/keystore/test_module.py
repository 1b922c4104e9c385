"""What an HSM may answer and SoftHSM cannot be made to: a stand-in for the PKCS#11 library answers it."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pkcs11
import pytest
from pkcs11 import PKCS11Error
from pkcs11.exceptions import DeviceRemoved, NoSuchToken, PinIncorrect, PinLenRange, PinLocked, SessionHandleInvalid

from verifier.keystore import KeyStoreError, Pkcs11KeyStore
from verifier.keystore.module import HsmModule

PIN = "planted-pin"
PATH = Path("/usr/lib/vendor-pkcs11.so")


class Session:
    """A session whose `close` may fail. pins: those that it set."""

    def __init__(self, failure: PKCS11Error | None = None) -> None:
        self.closed = 0
        self.pins: list[str] = []
        self._failure = failure

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def init_pin(self, pin: str) -> None:
        self.pins.append(pin)

    def close(self) -> None:
        self.closed += 1
        if self._failure is not None:
            raise self._failure


class Library:
    """A library with slots, which sees tokens that were made meanwhile when it starts again.

    opened: the PINs that were sent. started: SOFTHSM2_CONF each time that it started. meanwhile: labels of new tokens.
    """

    def __init__(self, *labels: str, free: bool = False, refusal: PKCS11Error | None = None) -> None:
        self.opened: list[str] = []
        self.sessions: list[Session] = []
        self.started: list[str | None] = [os.environ.get("SOFTHSM2_CONF")]
        self.refusal = refusal
        self.closing: PKCS11Error | None = None
        self.meanwhile: list[str] = []
        self._tokens = [self._token(label) for label in labels]
        if free:
            slot = SimpleNamespace(slot_id=7)
            self._tokens.append(SimpleNamespace(label="", flags=pkcs11.TokenFlag(0), slot=slot, open=self._open))

    def _token(self, label: str) -> Any:
        return SimpleNamespace(label=label, flags=pkcs11.TokenFlag.TOKEN_INITIALIZED, open=self._open)

    def _open(self, *, rw: bool, user_pin: str = "", so_pin: str = "") -> Session:
        assert rw
        self.opened.append(user_pin or so_pin)
        if self.refusal is not None:
            raise self.refusal
        self.sessions.append(Session(self.closing))
        return self.sessions[-1]

    def reinitialize(self) -> None:
        self.started.append(os.environ.get("SOFTHSM2_CONF"))
        self._tokens += map(self._token, self.meanwhile)
        self.meanwhile.clear()

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


@pytest.mark.parametrize(
    ("name", "said"),
    [("libsofthsm2.so", "an HSM emulated in software"), ("vendor.so", "HSM token region (PKCS#11 module vendor.so)")],
)
def test_an_emulated_hsm_is_called_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, said: str) -> None:
    library = Library("region")
    monkeypatch.setattr(pkcs11, "lib", lambda _: library)
    store = Pkcs11KeyStore(tmp_path / name, "region", PIN)
    assert said in store.describe()
    store.close()
    assert library.sessions[0].closed == 1


class TestInitialise:
    """Making a token."""

    @pytest.fixture
    def answer(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Library, int], None]:
        """Sets what C_InitToken answers; a token that it made is seen when the library starts again."""

        def answers(library: Library, code: int) -> None:
            def init_token(slot: Any, pin: bytes, length: Any, label: bytes) -> int:
                assert (slot.value, pin, length.value, len(label)) == (7, b"planted-so-pin", 14, 32)
                if code == 0:
                    library.meanwhile.append(label.decode().rstrip())
                return code

            functions = SimpleNamespace(C_InitToken=init_token)
            monkeypatch.setattr("verifier.keystore.module.ctypes.CDLL", lambda _: functions)

        return answers

    @staticmethod
    def failure(module: HsmModule, label: str = "region") -> str:
        with pytest.raises(KeyStoreError) as failure:
            module.initialise_token(None, label, "planted-so-pin", PIN)
        assert "planted" not in str(failure.value)
        return str(failure.value)

    def test_the_new_token_gets_its_pin(self, load: Load, answer: Callable[[Library, int], None]) -> None:
        library = Library("other", free=True)
        answer(library, 0)
        load(library).initialise_token(None, "region", "planted-so-pin", PIN)
        assert library.opened == ["planted-so-pin"]
        assert [session.pins for session in library.sessions] == [[PIN]]

    def test_a_token_that_another_process_made_meanwhile_is_kept(self, load: Load) -> None:
        library = Library("other", free=True)
        module = load(library)
        with module.session(None, "other", PIN):
            library.meanwhile.append("region")
        assert "exists already" in self.failure(module)

    def test_an_hsm_that_is_full(self, load: Load) -> None:
        assert "no free slot for a new token" in self.failure(load(Library("other")))

    def test_a_label_of_33_bytes(self, load: Load) -> None:
        assert "longer than 32 bytes" in self.failure(load(Library(free=True)), "ü" * 16 + "x")

    def test_an_hsm_that_refuses(self, load: Load, answer: Callable[[Library, int], None]) -> None:
        library = Library(free=True)
        answer(library, 0xA0)
        assert self.failure(load(library)) == "token 'region' was not initialised: C_InitToken answered 0xa0"
        library.refusal = PinIncorrect("the SO's")
        answer(library, 0)
        assert self.failure(load(library)) == "token 'region' was not initialised: PinIncorrect: the SO's"
