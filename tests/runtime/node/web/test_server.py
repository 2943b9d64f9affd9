"""The web server on a real socket: slow callers shut out nobody, long uploads are cut off."""

import http.client
import socket
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.meters import Meters, Snapshot
from brixia_edge.runtime.node.receiving.storage import Storage
from brixia_edge.runtime.node.values import Address
from brixia_edge.runtime.node.web import protocol, uploads
from brixia_edge.runtime.node.web.app import NodeView, make_app
from brixia_edge.runtime.node.web.server import WebServer
from node_doubles import free_port, wait_until

LARGEST = 100_000
HEAD = b"POST /api/v1/score HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def port(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> Generator[int]:
    """A server that is hurried, ten to twenty times faster than the real one."""
    monkeypatch.setattr(protocol, "SECONDS_OF_A_HEAD", 1.0)
    monkeypatch.setattr(uploads, "SECONDS_OF_A_PART", 0.5)

    def score(content: bytes) -> Mapping[str, Any]:
        return {"file": True, "score": {"global": len(content)}}

    meters = Meters(lambda: Snapshot(data.store.views.counts(), 0, "d", 0.0))
    storage = Storage(data.store, data.images)
    view = NodeView(data, meters, dict, storage.take_upload, score, "", LARGEST)
    number = free_port()
    server = WebServer(Address("127.0.0.1", number), make_app(view))
    server.start()
    wait_until(lambda: _alive(number))
    yield number
    server.stop()


def _alive(port: int) -> bool:
    try:
        return status(port, "GET", "/health/live") == 200
    except OSError:
        return False


def status(port: int, method: str, path: str, body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body)
        return connection.getresponse().status
    finally:
        connection.close()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


@pytest.mark.parametrize(
    "start",
    [b"", b"GET / HTTP/1.1\r\nHost: 127", HEAD + b"Content-Length: 99999\r\n\r\nx"],
    ids=["nothing", "half a head", "no body"],
)
def test_slow_callers_are_hung_up_on_and_shut_out_nobody(port: int, start: bytes) -> None:
    callers = [connect(port) for _ in range(80)]
    for caller in callers:
        caller.sendall(start)
    wait_until(lambda: status(port, "GET", "/health/live") == 200)
    for caller in callers:
        with caller:
            while caller.recv(4096):
                pass


def test_a_dripping_caller_is_hung_up_on(port: int) -> None:
    with connect(port) as caller:

        def cut_off() -> bool:
            try:
                caller.sendall(b"G")
                return False
            except OSError:
                return True

        wait_until(cut_off)
    assert _alive(port)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (b"Content-Length: 10000000000\r\n\r\n", 413),
        (b"Transfer-Encoding: chunked\r\n\r\n", 413),
        (b"Content-Length: -1\r\n\r\n", 400),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxx", 400),
        (b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 999999\r\n\r\n", 413),
    ],
    ids=["long", "endless", "negative", "ambiguous", "long form"],
)
def test_uploads_of_odd_lengths_are_refused(port: int, more: bytes, expected: int) -> None:
    chunk = b"10000\r\n" + bytes(2**16) + b"\r\n" if b"chunked" in more else bytes(2**16)
    with connect(port) as caller:
        caller.sendall(HEAD + more)
        try:
            for _ in range(1000):
                caller.sendall(chunk)
        except OSError:
            pass
        assert f" {expected} ".encode() in _answer(caller)
    assert _alive(port)


def _answer(caller: socket.socket) -> bytes:
    try:
        return caller.recv(4096)
    except ConnectionResetError:
        # It hung up while more was on its way, which may overtake its answer.
        pytest.skip("the answer was overtaken by the end of the connection")


def test_an_upload_at_an_ordinary_pace_is_taken(port: int, image: Callable[..., bytes]) -> None:
    assert status(port, "POST", "/api/v1/instances", image(1)) == 200
    assert status(port, "POST", "/api/v1/score", b"x" * LARGEST) == 200
    assert status(port, "POST", "/api/v1/score", b"x" * (LARGEST + 1)) == 413
