"""The node ends when it is told to, whoever it waits for."""

import socket
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from brixia_edge.runtime.node.state.store import Store
from node_doubles import SECONDS_TO_WAIT, Archive, free_port, send, wait_until
from node_process import NodeProcess

PATIENT = f"timeout = {60 * SECONDS_TO_WAIT}"
"""Ten times as long as a node may take to end."""


@pytest.fixture
def frozen() -> Generator[socket.socket]:
    """A destination that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", free_port())) as listening:
        listening.settimeout(60)
        yield listening


@pytest.fixture
def start_patient(
    make_node: Callable[..., NodeProcess], archive: Archive, tmp_path: Path
) -> Callable[..., NodeProcess]:
    """Start a node that waits long for its destination, on another port or with more keys."""

    def start(port: int = archive.port, more: str = "") -> NodeProcess:
        node = make_node()
        path = tmp_path / "node.toml"
        text = path.read_text().replace(f"port = {archive.port}", f"port = {port}")
        path.write_text(text.replace(f"timeout = {SECONDS_TO_WAIT}", f"{PATIENT}\n{more}"))
        node.start()
        return node

    return start


def test_an_archive_that_answers_no_request_for_an_association_holds_no_end_up(
    start_patient: Callable[..., NodeProcess], image: Callable[..., bytes], frozen: socket.socket
) -> None:
    node = start_patient(port=frozen.getsockname()[1])
    assert send(node.port, image(1)) == [0]
    assert_it_ends_while_it_is_held(node, frozen)


def test_an_archive_that_answers_no_store_holds_no_end_up(
    start_patient: Callable[..., NodeProcess], image: Callable[..., bytes], archive: Archive
) -> None:
    archive.answers = ["freeze"]
    node = start_patient()
    assert send(node.port, image(1)) == [0]
    assert archive.asked.wait(60)
    assert_it_ends(node)


def test_a_stow_service_that_answers_no_request_holds_no_end_up(
    start_patient: Callable[..., NodeProcess], image: Callable[..., bytes], frozen: socket.socket
) -> None:
    address = f"http://127.0.0.1:{frozen.getsockname()[1]}"
    node = start_patient(more=f'kind = "stow"\nurl = "{address}"')
    assert send(node.port, image(1)) == [0]
    assert_it_ends_while_it_is_held(node, frozen)


def assert_it_ends_while_it_is_held(node: NodeProcess, frozen: socket.socket) -> None:
    connection, _ = frozen.accept()
    with connection:
        assert connection.recv(6)  # it asks for something, and waits
        wait_until(lambda: scored(node.data) == 1)
        assert_it_ends(node)


def assert_it_ends(node: NodeProcess) -> None:
    assert node.end() == 0
    assert '"ended"' in node.log.read_text().splitlines()[-1]


def scored(data: Path) -> int:
    store = Store.open(data)
    try:
        return store.views.counts().instances.get("scored", 0)
    finally:
        store.close()
