"""Names lead where the network says, and a broken link is named."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sandbox.region.loopback import LoopbackServer, NoRouteError, RegionTransport


@pytest.fixture
def server():
    echo = Route("/", lambda request: PlainTextResponse(request.headers["host"]))
    server = LoopbackServer(Starlette(routes=[echo]), "echo")
    yield server
    server.stop()


def client(locate) -> httpx.Client:
    return httpx.Client(transport=RegionTransport(locate), trust_env=False)


def test_a_request_keeps_the_name_it_was_made_for(server):
    asked = []
    with client(lambda host, port: asked.append((host, port)) or [server.port]) as http:
        assert http.get("http://verifier.example:8443/").text == "verifier.example:8443"
        assert http.get("https://store.example/").text == "store.example"
    assert asked == [("verifier.example", 8443), ("store.example", 443)]


def test_a_dead_backend_is_passed_over(server):
    gone = LoopbackServer(Starlette(), "gone")
    gone.stop()
    with client(lambda host, port: [gone.port, server.port]) as http:
        assert http.get("http://verifier.example/").is_success
    with client(lambda host, port: [gone.port]) as http, pytest.raises(httpx.ConnectError):
        http.get("http://verifier.example/")


def test_a_name_without_a_route_is_a_connection_error_with_the_reason():
    def locate(host, port):
        raise NoRouteError(f"{host} has no record")

    with client(locate) as http, pytest.raises(httpx.ConnectError, match=r"verifier\.example has no record"):
        http.get("http://verifier.example/")


def test_a_stopped_server_frees_its_port(server):
    server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{server.port}/", trust_env=False)
