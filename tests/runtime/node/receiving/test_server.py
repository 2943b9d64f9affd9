"""The server takes what it should, refuses with the right reason, and nobody can stop it."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest
from brixia_edge.runtime.node.configuration import Configuration, SourceSection
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.receiving import admission as admission_module
from brixia_edge.runtime.node.receiving import server as server_module
from brixia_edge.runtime.node.receiving.admission import (
    CALLED_AE_TITLE,
    CALLING_AE_TITLE,
    CONGESTION,
    LOCAL_LIMIT,
    Admission,
)
from brixia_edge.runtime.node.receiving.contexts import CHEST_CLASSES, storage_classes
from brixia_edge.runtime.node.receiving.server import NodeServer, start_server
from brixia_edge.runtime.node.receiving.storage import Storage
from node_doubles import (
    STORAGE_COMMITMENT,
    dcmread,
    echo,
    pynetdicom,
    send,
    wait_until,
)

A_MINUTE_LESS = 0.5
"""Seconds of a PDU's deadline in these tests."""


class Room:
    """A disk that has room, or not."""

    def __init__(self) -> None:
        self.there = True

    def __call__(self) -> bool:
        return self.there


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def listening(
    configure: Callable[..., Configuration],
    data: DataFolder,
    room: Room,
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[NodeServer]:
    monkeypatch.setattr(server_module, "SECONDS_OF_A_PDU", A_MINUTE_LESS)
    configuration = configure()
    section = replace(configuration.node, largest=300_000)
    storage = Storage(data.store, data.images)
    admission = Admission(section, configuration.sources, room)
    found = start_server(
        section, admission, lambda event: storage.take_request(event).status, lambda _: (0, None)
    )
    yield found
    found.shutdown()


def port(server: NodeServer) -> int:
    return int(server.server_address[1])


def connect(server: NodeServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port(server)), timeout=20)


def test_images_are_kept_byte_for_byte(
    listening: NodeServer, data: DataFolder, image: Callable[..., bytes]
) -> None:
    assert send(port(listening), image(1), image(2)) == [0, 0]
    sent, (name,) = image(1), (each for each in data.images.names() if kept(data, each, 1))
    dataset = sent[sent.index(b"\x08\x00", 132) :]
    assert data.images.path(name).read_bytes().endswith(dataset)


def kept(data: DataFolder, name: str, number: int) -> bool:
    return f"1.2.840.99.1.1.{number}".encode() in data.images.path(name).read_bytes()


NOBODY: list[str] = []
HERE = ["10.0.0.1"]


@pytest.mark.parametrize(
    ("caller", "has_room", "expected"),
    [
        (("XR1", "BRIXIA", "10.0.0.1", NOBODY, True), True, None),
        (("XR2", "BRIXIA", "10.0.0.1", NOBODY, True), True, CALLING_AE_TITLE),
        (("XR1", "BRIXIA", "10.0.0.9", NOBODY, True), True, CALLING_AE_TITLE),
        (("XR1", "ANY", "10.0.0.1", NOBODY, True), True, CALLED_AE_TITLE),
        (("XR1", "BRIXIA", "10.0.0.1", 4 * HERE, True), True, None),
        (("XR1", "BRIXIA", "10.0.0.1", 5 * HERE, True), True, LOCAL_LIMIT),
        (("XR1", "BRIXIA", "10.0.0.1", 19 * ["10.0.0.2"], True), True, None),
        (("XR1", "BRIXIA", "10.0.0.1", 20 * ["10.0.0.2"], True), True, LOCAL_LIMIT),
        (("XR1", "BRIXIA", "::ffff:10.0.0.1", NOBODY, True), True, None),
        (("XR1", "BRIXIA", "::ffff:10.0.0.9", NOBODY, True), True, CALLING_AE_TITLE),
        (("XR1", "BRIXIA", "10.0.0.1", NOBODY, True), False, CONGESTION),
        (("XR1", "BRIXIA", "10.0.0.1", NOBODY, False), False, None),
    ],
)
def test_callers_are_refused_with_their_reason(
    configure: Callable[..., Configuration],
    caller: tuple[Any, ...],
    has_room: bool,
    expected: tuple[int, int, int] | None,
) -> None:
    sources = (SourceSection("XR1", "10.0.0.1"),)
    admission = Admission(configure().node, sources, lambda: has_room)
    calling, called, host, *rest = caller
    refusal = admission.refusal_of_stranger(calling, called, host)
    assert (refusal or admission.refusal_for_want(host, *rest)) == expected


class Names:
    """A name server: answers with an address, is down, or has to be waited for."""

    def __init__(self) -> None:
        self.address = ""
        self.asked, self.answers = threading.Event(), threading.Event()
        self.answers.set()

    def __call__(self, *_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str]]]:
        self.asked.set()
        self.answers.wait(60)
        if not self.address:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.address,))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    found = Names()
    # A module of its own: the calls of these tests look nothing up here.
    double = SimpleNamespace(getaddrinfo=found, IPPROTO_TCP=socket.IPPROTO_TCP)
    monkeypatch.setattr(admission_module, "socket", double)
    return found


def test_a_failed_lookup_is_tried_again_and_a_new_address_seen(
    configure: Callable[..., Configuration], names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(admission_module, "monotonic", lambda: now)
    sources = (SourceSection("XR1", "xr1.ward"),)
    admission = Admission(configure().node, sources, lambda: True)
    assert admission.refusal_of_stranger("XR1", "BRIXIA", "10.0.0.1") == CALLING_AE_TITLE
    names.address = "10.0.0.1"
    assert admission.refusal_of_stranger("XR1", "BRIXIA", "10.0.0.1") is None
    names.address = "10.0.0.2"
    assert admission.refusal_of_stranger("XR1", "BRIXIA", "10.0.0.2") == CALLING_AE_TITLE
    now = 2 * admission_module.SECONDS_OF_A_LOOKUP
    assert admission.refusal_of_stranger("XR1", "BRIXIA", "10.0.0.2") is None


def test_a_slow_name_server_holds_up_nobody_else(
    configure: Callable[..., Configuration], names: Names
) -> None:
    names.answers.clear()
    section = configure().node
    sources = (SourceSection("XR1", "127.0.0.1"), SourceSection("XR2", "xr2.ward"))
    admission = Admission(section, sources, lambda: True)
    server = start_server(section, admission, lambda _: 0, lambda _: (0, None))
    waiting = threading.Thread(target=echo, args=[port(server), "XR2"], daemon=True)
    try:
        waiting.start()
        assert names.asked.wait(20)
        assert echo(port(server))
    finally:
        names.answers.set()
        waiting.join(20)
        server.shutdown()


def test_a_stranger_sends_nothing(
    listening: NodeServer, data: DataFolder, image: Callable[..., bytes]
) -> None:
    assert send(port(listening), image(), calling="XR2") == []
    assert send(port(listening), image(), called="OTHER") == []
    assert not data.images.names()


def may_report(to: int) -> bool:
    """Whether an archive gets an association to confirm what it keeps."""
    entity: Any = pynetdicom.AE(ae_title="XR1")
    entity.add_requested_context(STORAGE_COMMITMENT)
    association = entity.associate("127.0.0.1", to, ae_title="BRIXIA")
    established = bool(association.is_established)
    if established:
        association.release()
    return established


def test_below_the_reserve_images_are_refused_and_echoes_answered(
    listening: NodeServer, room: Room, image: Callable[..., bytes]
) -> None:
    room.there = False
    assert send(port(listening), image()) == []
    assert echo(port(listening))
    assert may_report(port(listening))
    room.there = True
    assert send(port(listening), image()) == [0]


def test_an_object_longer_than_allowed_is_not_taken(
    listening: NodeServer, data: DataFolder, image: Callable[..., bytes]
) -> None:
    long = image(ImageComments="x" * 10_000, PixelData=b"\0" * 3_000_000)
    assert send(port(listening), long) != [0]
    assert not data.images.names()
    assert echo(port(listening))


def test_silent_and_slow_callers_stop_nobody_and_are_hung_up_on(listening: NodeServer) -> None:
    silent = [connect(listening) for _ in range(3)]
    slow = [connect(listening) for _ in range(2)]
    for each in slow:
        each.send(b"\x01\0\0")
    wait_until(lambda: echo(port(listening)))
    for each in (*silent, *slow):
        each.settimeout(30)
        with each:
            assert each.recv(1) == b""


def test_a_modality_may_pause_between_two_images(
    listening: NodeServer, image: Callable[..., bytes]
) -> None:
    first, second = (dcmread(BytesIO(image(number))) for number in (1, 2))
    entity: Any = import_module("pynetdicom").AE(ae_title="XR1")
    entity.add_requested_context(first.SOPClassUID, first.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", port(listening), ae_title="BRIXIA")
    assert association.send_c_store(first).Status == 0
    sleep(3 * A_MINUTE_LESS)
    assert association.send_c_store(second).Status == 0
    association.release()


def test_a_pdu_that_announces_gigabytes_is_hung_up_on(listening: NodeServer) -> None:
    with connect(listening) as greedy:
        greedy.send(struct.pack(">BBL", 1, 0, 3 * 2**30))
        greedy.settimeout(30)
        assert greedy.recv(1) == b""
    assert echo(port(listening))


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\xff" * 999]
)
def test_garbage_is_hung_up_on(listening: NodeServer, garbage: bytes) -> None:
    with connect(listening) as caller:
        caller.settimeout(30)
        caller.send(garbage)
        # An abort (PS3.8 9.3.8) may come before the end.
        while caller.recv(4096):
            pass
    assert echo(port(listening))


ABORT = bytes([7, 0, 0, 0, 0, 4, 0, 0, 0, 0])
"""An A-ABORT PDU (PS3.8 9.3.8)."""

RELEASE = bytes([5, 0, 0, 0, 0, 4, 0, 0, 0, 0])
"""An A-RELEASE-RQ PDU (PS3.8 9.3.6)."""


class SlowStorage:
    """Stores when it is told to."""

    def __init__(self) -> None:
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.left = threading.Event()

    def __call__(self, event: object) -> int:
        del event
        self.entered.set()
        self.go_on.wait(30)
        self.left.set()
        return 0


JUNK = b"\xff" * 1_000_000
"""No PDU, and more of it than is read at once: the server aborts, and the caller goes on."""


@pytest.mark.parametrize("end", [ABORT, RELEASE, b"", JUNK], ids=["abort", "release", "", "junk"])
def test_a_caller_that_goes_before_its_answer_leaves_no_thread_and_no_connection(
    configure: Callable[..., Configuration],
    image: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
    end: bytes,
) -> None:
    died: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    configuration, storage = configure(), SlowStorage()
    admission = Admission(configuration.node, configuration.sources, lambda: True)
    server = start_server(configuration.node, admission, storage, lambda _: (0, None))
    try:
        for _ in range(3):
            storage.entered.clear()
            storage.go_on.clear()
            with request_sent(port(server), image()) as caller:
                assert storage.entered.wait(20)
                with suppress(OSError):
                    caller.sendall(end) if end else caller.shutdown(socket.SHUT_RDWR)
                if end != RELEASE:
                    # Its end is seen before the answer is ready.
                    wait_until(lambda: not any(open_(each) for each in server.active_associations))
                storage.go_on.set()
        wait_until(lambda: not server.active_associations and not open_connections(server))
        assert echo(port(server))
    finally:
        server.shutdown()
    assert not died


def test_a_caller_that_sends_on_before_its_answer_is_aborted(
    configure: Callable[..., Configuration], image: Callable[..., bytes]
) -> None:
    """Requests without end would pile up in memory."""
    configuration, storage = configure(), SlowStorage()
    admission = Admission(configuration.node, configuration.sources, lambda: True)
    server = start_server(configuration.node, admission, storage, lambda _: (0, None))
    try:
        with request_sent(port(server), image()) as caller:
            assert storage.entered.wait(20)
            (association,) = server.active_associations
            caller.sendall(_echo_request(association.accepted_contexts[0].context_id or 0))
            wait_until(lambda: not open_(association))
            assert not storage.left.is_set()
    finally:
        storage.go_on.set()
        server.shutdown()


def _echo_request(context: int) -> bytes:
    """A C-ECHO request (PS3.7 9.3.5.1) in a P-DATA-TF PDU of its own (PS3.8 9.3.5)."""
    elements = [(0x0002, b"1.2.840.10008.1.1\0"), (0x0100, b"\x30\0"), (0x0110, b"\x09\0")]
    elements.append((0x0800, b"\x01\x01"))
    body = b"".join(struct.pack("<HHL", 0, tag, len(value)) + value for tag, value in elements)
    command = struct.pack("<HHLL", 0, 0, 4, len(body)) + body
    item = struct.pack(">LBB", len(command) + 2, context, 3) + command
    return struct.pack(">BBL", 4, 0, len(item)) + item


def open_(association: Any) -> bool:
    return association.dul.state_machine.current_state == "Sta6"


def open_connections(server: NodeServer) -> int:
    """Connections of the server that it has not closed (proc(5): states 01 and 08)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        local.endswith(f":{port(server):04X}") and state in ("01", "08")
        for _, local, _, state, *_ in rows
    )


@contextmanager
def request_sent(to: int, content: bytes) -> Generator[socket.socket]:
    """A connection over which a C-STORE request went out, and nobody waits for its answer."""
    entity: Any = import_module("pynetdicom").AE(ae_title="XR1")
    dataset = dcmread(BytesIO(content))
    entity.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", to, ae_title="BRIXIA")
    connection = association.dul.socket.socket
    request = threading.Thread(target=association.send_c_store, args=[dataset], daemon=True)
    request.start()
    try:
        yield connection
    finally:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        request.join(20)


def test_a_thousand_that_connect_and_close_hold_up_nobody(
    listening: NodeServer,
) -> None:
    # Nobody waits for a request of a caller who has gone.
    listening.ae.acse_timeout = 600
    for _ in range(1000):
        connect(listening).close()
    assert echo(port(listening))
    wait_until(lambda: not listening.active_associations)
    assert not open_connections(listening)


def test_callers_that_ask_for_nothing_take_no_places(listening: NodeServer) -> None:
    silent = [connect(listening) for _ in range(30)]
    assert echo(port(listening))
    for each in silent:
        each.close()


def test_tls_asks_for_certificates_and_its_handshakes_block_nobody(
    configure: Callable[..., Configuration], data: DataFolder, tmp_path: Path
) -> None:
    files = _certificates(tmp_path)
    configuration = configure()
    section = replace(configuration.node, tls=replace(configuration.node.tls, **files))
    admission = Admission(section, configuration.sources, lambda: True)
    found = start_server(section, admission, lambda _: 0, lambda _: (0, None))
    try:
        silent = connect(found)
        trusted = ssl.create_default_context(cafile=str(files["client_ca"]))
        trusted.check_hostname = False
        with connect(found) as plain, pytest.raises(ssl.SSLError):
            _first_byte(trusted, plain)
        trusted.load_cert_chain(files["cert"], files["key"])
        with connect(found) as plain, trusted.wrap_socket(plain) as secured:
            assert secured.version() in ("TLSv1.2", "TLSv1.3")
        silent.close()
    finally:
        found.shutdown()


def test_connections_that_shake_no_hands_are_counted(
    configure: Callable[..., Configuration], tmp_path: Path
) -> None:
    files = _certificates(tmp_path)
    section = configure().node
    section = replace(section, associations=1, tls=replace(section.tls, **files))
    admission = Admission(section, (), lambda: True)
    server = start_server(section, admission, lambda _: 0, lambda _: (0, None))
    silent = [connect(server) for _ in range(server_module.CONNECTIONS_OF_A_HOST)]
    try:
        with connect(server) as refused:
            # Long before any handshake takes too long: those who were there first are still there.
            assert refused.recv(1) == b""
            assert open_connections(server) == len(silent)
    finally:
        for each in silent:
            each.close()
        server.shutdown()


def _first_byte(context: ssl.SSLContext, plain: socket.socket) -> bytes:
    """TLS 1.3 tells a client of its missing certificate with the first byte that it reads."""
    secured = context.wrap_socket(plain)
    secured.send(b"\x01")
    return secured.recv(1)


def _certificates(folder: Path) -> dict[str, Path]:
    """A certificate that signs itself, for both sides."""
    import subprocess

    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(cert)]
    try:
        subprocess.run([*command, *names], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return {"cert": cert, "key": key, "client_ca": cert}


def test_every_class_of_chest_radiographs_and_with_all_every_other_is_taken() -> None:
    assert storage_classes("chest") == tuple(CHEST_CLASSES)
    every = storage_classes("all")
    assert set(CHEST_CLASSES) < set(every)
    assert "1.2.840.10008.5.1.4.1.1.2" in every
