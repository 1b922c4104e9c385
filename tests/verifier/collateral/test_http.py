"""The client that asks the services: what it waits for, what it takes for an answer, and what it says of the rest."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.verifier.genuine import ROOTS
from verifier.collateral.fetch.http import Client, NotFoundError
from verifier.collateral.record import CollateralError
from verifier.collateral.store import MAX_OBJECT_BYTES

URL = "https://kds.test/crl"
Answers = Callable[[httpx.Request], httpx.Response]


class Stream(httpx.SyncByteStream):
    """A body that knows whether it was closed."""

    def __init__(self, content: bytes) -> None:
        self.closed = False
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content

    def close(self) -> None:
        self.closed = True


class Asking:
    """A client of three attempts whose waits are only written down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: httpx.Response | Exception) -> None:
        self.waited: list[float] = []
        self.asked: list[httpx.Request] = []
        self._answers = list(answers)
        original = httpx.Client
        monkeypatch.setattr(
            httpx, "Client", lambda **options: original(transport=httpx.MockTransport(self._answer), **options)
        )
        # The few authorities of a file are read faster than the system's.
        self.client = Client(authority=next(ROOTS.glob("*.pem")), attempts=3, sleep=self.waited.append)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0) if self._answers else httpx.Response(200, content=b"found")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def failure(self) -> str:
        with pytest.raises(CollateralError) as failure:
            self.client.get(URL)
        assert "\n" not in str(failure.value)
        return str(failure.value)


def busy(status: int = 429, **headers: str) -> httpx.Response:
    return httpx.Response(
        status, headers=[(name.replace("_", "-").encode(), it.encode()) for name, it in headers.items()]
    )


@pytest.mark.parametrize("answer", [busy(429), busy(502), busy(503), busy(504), httpx.ConnectError("refused")])
def test_it_is_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception) -> None:
    asking = Asking(monkeypatch, answer, answer)
    found = asking.client.get(URL)
    assert (found.url, found.content) == (URL, b"found")
    assert asking.waited == [1.0, 2.0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (busy(503), "HTTP 503, 3 times; fetch again later"),
        (httpx.ConnectError("connection refused"), "connection refused, 3 times; fetch again later"),
        (httpx.ReadTimeout(""), "ReadTimeout, 3 times; fetch again later"),
    ],
)
def test_three_times_are_enough(
    monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception, reason: str
) -> None:
    asking = Asking(monkeypatch, *[answer] * 4)
    assert asking.failure() == f"{URL}: {reason}"
    assert len(asking.asked) == 3


@pytest.mark.parametrize(
    ("stated", "waited"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("120", 120.0),
        ("soon", 1.0),
        ("²", 1.0),
        ("-5", 1.0),
        ("1.5", 1.0),
        ("", 1.0),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 2029 00:00:00 -0000", 1.0),
    ],
)
def test_it_waits_as_long_as_the_service_asks(monkeypatch: pytest.MonkeyPatch, stated: str, waited: float) -> None:
    """A date without a zone is none."""
    asking = Asking(monkeypatch, busy(retry_after=stated))
    asking.client.get(URL)
    assert asking.waited == [waited]


def test_it_does_not_wait_for_more_than_two_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(monkeypatch, busy(retry_after="121"))
    assert asking.failure() == f"{URL}: HTTP 429, and it asks to wait 121 s; fetch again later"
    assert asking.waited == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(404), "not there (404); check the product, chip or id, and that the mirror has it"),
        (httpx.Response(302, headers={"location": "https://other.test/"}), "redirects to 'https://other.test/'; name"),
        (httpx.Response(500), "HTTP 500, 200 expected"),
        (httpx.Response(204), "HTTP 204, 200 expected"),
        (httpx.Response(200), "answers with nothing"),
        (httpx.Response(200, content=bytes(MAX_OBJECT_BYTES + 1)), f"answers with more than {MAX_OBJECT_BYTES} bytes"),
    ],
)
def test_what_is_no_answer_is_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, answer: httpx.Response, reason: str
) -> None:
    asking = Asking(monkeypatch, answer)
    assert asking.failure().startswith(f"{URL}: {reason}")
    assert len(asking.asked) == 1


def test_the_longest_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(monkeypatch, httpx.Response(200, content=bytes(MAX_OBJECT_BYTES)))
    assert len(asking.client.get(URL).content) == MAX_OBJECT_BYTES


def test_what_is_not_there_can_be_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError):
        Asking(monkeypatch, httpx.Response(404)).client.get(URL)


@pytest.mark.parametrize("status", [200, 404, 429])
def test_every_answer_is_closed(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    stream = Stream(b"found")
    asking = Asking(monkeypatch, httpx.Response(status, stream=stream))
    if status == 404:
        asking.failure()
    else:
        asking.client.get(URL)
    assert stream.closed


def test_each_host_has_a_pace_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(monkeypatch)
    for url in (URL, "https://other.test/", URL, URL):
        asking.client.get(url, seconds_apart=600)
    asking.client.get(URL)
    first, second = asking.waited
    assert 590 < first <= 600
    assert 1190 < second <= 1200


def test_a_question_is_sent_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(monkeypatch)
    asking.client.post(URL, b"question", "application/ocsp-request")
    (request,) = asking.asked
    assert (request.method, request.content) == ("POST", b"question")
    assert request.headers["content-type"] == "application/ocsp-request"


def test_a_closed_client_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(monkeypatch)
    asking.client.close()
    with pytest.raises(RuntimeError, match="closed"):
        asking.client.get(URL)


@pytest.mark.parametrize("content", [None, b"", b"not PEM"])
def test_a_file_of_authorities_that_holds_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(CollateralError, match=r"ca\.pem: no certificates in PEM"):
        Client(authority=tmp_path / "ca.pem")
