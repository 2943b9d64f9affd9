"""An image that arrives lies on the disk, not in memory; where the disk fails, that is answered."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from brixia_edge.runtime.node.configuration import Configuration
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.receiving.admission import Admission
from brixia_edge.runtime.node.receiving.incoming import IncomingDataset
from brixia_edge.runtime.node.receiving.server import start_server
from brixia_edge.runtime.node.receiving.storage import Storage
from node_doubles import send
from pynetdicom.dimse_messages import C_STORE_RQ, N_EVENT_REPORT_RQ


@pytest.fixture
def node(configure: Callable[..., Configuration], data: DataFolder) -> Generator[Any]:
    """A server that stores, its port, and the datasets that it was given."""
    configuration, storage = configure(), Storage(data.store, data.images)
    given: list[IncomingDataset] = []

    def take(event: Any) -> int:
        given.append(event.request.DataSet)
        return storage.take_request(event).status

    admission = Admission(configuration.node, configuration.sources, lambda: True)
    server = start_server(configuration.node, admission, take, lambda _: (0, None))
    yield SimpleNamespace(port=configuration.node.listen.port, given=given)
    server.shutdown()


def test_an_image_is_kept_on_the_disk_while_it_arrives(
    node: Any, data: DataFolder, image: Callable[..., bytes]
) -> None:
    before = set(data.root.iterdir())
    assert send(node.port, image(1)) == [0x0000]
    (dataset,) = node.given
    assert dataset.getbuffer().nbytes == 0  # what a BytesIO has in memory
    assert image(1).endswith(dataset.getvalue())
    assert set(data.root.iterdir()) == before  # the file has no name that could be left behind


def test_a_disk_that_fills_up_while_an_image_arrives_is_answered(
    node: Any, data: DataFolder, image: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("tempfile.TemporaryFile", full)
        assert send(node.port, image(1), image(2)) == [0xA700, 0xA700]
    assert not data.images.names()
    assert send(node.port, image(1)) == [0x0000]


def test_what_comes_after_a_fault_takes_no_memory(tmp_path: Path) -> None:
    dataset = IncomingDataset(C_STORE_RQ(), tmp_path / "absent")
    assert [dataset.write(b"1234") for _ in range(3)] == [4, 4, 4]
    assert isinstance(dataset.fault, FileNotFoundError)
    assert dataset.getvalue() == b""


def test_a_dataset_is_read_as_often_as_it_is_asked_for(tmp_path: Path) -> None:
    dataset = IncomingDataset(C_STORE_RQ(), tmp_path)
    parts = [bytes([number]) * 100_000 for number in range(7)]
    for part in parts:
        dataset.write(part)

    def whole(pieces: Iterator[bytes]) -> bytes:
        return b"".join(pieces)

    assert whole(dataset.chunks()) == whole(dataset.chunks()) == b"".join(parts)


def test_other_messages_stay_in_memory(tmp_path: Path) -> None:
    dataset = IncomingDataset(N_EVENT_REPORT_RQ(), tmp_path / "absent")
    dataset.write(b"report")
    assert dataset.fault is None
    assert dataset.getvalue() == dataset.getbuffer() == b"report"
