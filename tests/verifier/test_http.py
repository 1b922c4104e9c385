"""HTTP as it is served: bodies as long as the application takes them, and no head, or tail, without an end."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.server import ServerState

from verifier.http import MAX_HEAD_BYTES, BoundedProtocol, GatheringTransport, http_server

HEAD = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
FIELD = b"x: " + b"y" * 1019 + b"\r\n"
TOO_MANY = 2 * MAX_HEAD_BYTES // len(FIELD)


async def echo(request: Request) -> Response:
    return Response(request.url.scheme.encode() + b" " + await request.body())


APP = Starlette(routes=[Route("/echo", echo, methods=["POST"])])


class Wire(asyncio.Transport):
    """What the server says, without a network."""

    closed = False
    paused = False

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 50000)})
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        assert not self.closed, "nothing is sent on a connection that has ended"
        self.pieces.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def close(self) -> None:
        self.closed = True


def answer(parts: Iterable[bytes]) -> tuple[bytes, int]:
    """What the server says to a connection, and after how many parts it did not listen any more."""
    pieces, heard = answered(parts)
    return b"".join(pieces), heard


def answered(parts: Iterable[bytes]) -> tuple[list[bytes], int]:
    """The same, in the pieces in which the server says it."""

    async def ask() -> tuple[list[bytes], int]:
        wire, heard = Wire(), 0
        protocol = BoundedProtocol(http_server(APP), ServerState(), {})
        protocol.connection_made(wire)
        for part in parts:
            if wire.closed:
                break
            protocol.data_received(part)
            heard += 1
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        protocol.connection_lost(None)
        return wire.pieces, heard

    return asyncio.run(ask())


def test_a_body_is_as_long_as_the_application_takes_it():
    part = b"z" * 1024
    said, _ = answer([HEAD + b"Content-Length: %d\r\n\r\n" % (len(part) * 500), *[part] * 500])
    assert said.startswith(b"HTTP/1.1 200 OK")
    assert said.endswith(part * 500)


def test_a_connection_may_ask_as_often_as_it_likes():
    request = HEAD + FIELD * 30 + b"Content-Length: 2\r\n\r\nhi"
    said, heard = answer([request] * 5)
    assert (said.count(b"HTTP/1.1 200 OK"), heard) == (5, 5)


def test_an_answer_is_sent_in_one_piece():
    (piece,), _ = answered([HEAD + b"Content-Length: 2\r\n\r\nhi"])
    assert piece.startswith(b"HTTP/1.1 200 OK\r\n")
    assert piece.endswith(b"\r\n\r\nhttp hi")


def test_who_waits_for_leave_to_send_a_body_gets_it_first():
    pieces, _ = answered([HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", *[b""] * 9, b"hi"])
    assert pieces[0] == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert pieces[1].endswith(b"http hi")


@pytest.mark.parametrize(
    "parts",
    [
        chain([HEAD], repeat(FIELD)),
        chain([HEAD, b"x: "], repeat(b"y" * 1024)),
        chain([b"POST /"], repeat(b"y" * 1024)),
        chain([CHUNKED, b"2\r\nhi\r\n0\r\n"], repeat(FIELD)),
        chain([CHUNKED, b"2;"], repeat(b"y" * 1024)),
    ],
    ids=["fields", "a field", "a path", "fields behind the body", "an extension of a chunk"],
)
def test_what_does_not_end_is_not_heard_to_the_end(parts):
    said, heard = answer(parts)
    assert heard < TOO_MANY
    assert b"HTTP/1.1 400 Bad Request" in said
    assert b"connection: close" in said


def test_what_is_no_http_and_does_not_end_is_refused_once():
    said, _ = answer([b"\x16" * (MAX_HEAD_BYTES + 1)])
    assert said.count(b"HTTP/1.1 400 Bad Request") == 1


def test_a_neighbour_is_not_believed_about_the_connection():
    said, _ = answer([HEAD + b"X-Forwarded-Proto: https\r\nContent-Length: 0\r\n\r\n"])
    assert said.endswith(b"\r\n\r\nhttp ")


@pytest.fixture
def identity(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that answers for itself, and its private key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, today, today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain_file, key_file = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain_file, key_file


def test_the_same_is_said_with_tls(identity: tuple[Path, Path]) -> None:
    """More than a transport holds back, and several answers on one connection."""
    chain_file, key_file = identity
    body = b"z" * (1 << 20)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(http_server(APP, ssl_certfile=chain_file, ssl_keyfile=key_file))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            with httpx.Client(verify=ssl.create_default_context(cafile=chain_file), trust_env=False) as client:
                url = f"https://localhost:{listening.getsockname()[1]}/echo"
                answers = [client.post(url, content=content) for content in (b"hi", body, b"hi")]
        finally:
            server.should_exit = True
            thread.join(10)
    assert [answer.content for answer in answers] == [b"https hi", b"https " + body, b"https hi"]


def test_a_body_that_nobody_reads_is_not_heard_for_now():
    async def ask() -> tuple[bool, bool]:
        wire = Wire()
        transport = GatheringTransport(wire)
        transport.pause_reading()
        paused = wire.paused
        transport.resume_reading()
        return paused, wire.paused

    assert asyncio.run(ask()) == (True, False)
