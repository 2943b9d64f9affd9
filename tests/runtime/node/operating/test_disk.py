"""A disk that is full or nearly so: nothing torn, nothing lost; what was refused comes later."""

import shutil
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.runtime.node.configuration import Configuration
from brixia_edge.runtime.node.operating.node import Node
from brixia_edge.runtime.node.receiving.admission import CONGESTION
from brixia_edge.runtime.node.receiving.arrival import split_file
from brixia_edge.runtime.node.receiving.spool import digest
from brixia_edge.runtime.node.receiving.storage import OUT_OF_RESOURCES
from brixia_edge.runtime.node.sending import outcome
from node_doubles import Archive, dcmread, echo, pynetdicom, send, wait_until
from node_process import NodeProcess, settled


class SmallDisk:
    """A file system of 24 MB in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mount("size=24m", "-t", "tmpfs", "tmpfs")

    def grow(self) -> None:
        self._mount("remount,size=256m")

    def _mount(self, options: str, *what: str) -> None:
        command = ["mount", *what[:2], "-o", options, *what[2:], str(self.folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no file system can be mounted here: {error}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[SmallDisk]:
    folder = tmp_path / "small"
    folder.mkdir()
    disk = SmallDisk(folder)
    yield disk
    subprocess.run([shutil.which("umount") or "umount", "-l", str(folder)], check=False)


def test_a_full_disk_refuses_with_a700_keeps_nothing_torn_and_goes_on_when_there_is_room(
    small_disk: SmallDisk,
    make_node: Callable[..., NodeProcess],
    archive: Archive,
    image: Callable[..., bytes],
) -> None:
    node = make_node(small_disk.folder / "data")
    node.start()
    pixels = np.zeros((1200, 1200), np.uint16)
    images = [image(number, pixels=pixels) for number in range(1, 13)]
    statuses = send(node.port, *images)
    assert set(statuses) == {0, OUT_OF_RESOURCES}
    kept = list((node.data / "images").iterdir())
    assert len(kept) == statuses.count(0)
    for path in kept:
        assert path.name == f"{digest(*split_file(path.read_bytes()))}.dcm"
    assert echo(node.port)
    small_disk.grow()
    refused = [each for each, status in zip(images, statuses, strict=True) if status]
    assert send(node.port, *refused) == [0] * len(refused)
    wait_until(settled(node.data, len(images)))
    assert len(set(archive.kept)) == 2 * len(images)
    assert node.end() == 0


def rejection(port: int, content: bytes) -> tuple[int, int, int]:
    """How an association for an image is rejected."""
    from io import BytesIO

    entity = pynetdicom.AE(ae_title="XR1")
    entity.add_requested_context(dcmread(BytesIO(content)).SOPClassUID)
    found = entity.associate("127.0.0.1", port, ae_title="BRIXIA")
    assert found.is_rejected
    answer = found.acceptor.primitive
    return answer.result, answer.result_source, answer.diagnostic


def test_below_the_reserve_callers_are_told_and_answers_still_go_out(
    configure: Callable[..., Configuration],
    image: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outcome, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(outcome, "LONGEST_PAUSE", 0.2)
    archive = Archive()
    configuration = configure(archive)
    node = Node(configuration)
    node.start()
    try:
        port = configuration.node.listen.port
        assert send(port, image(1)) == [0]
        wait_until(lambda: node.data.store.views.counts().instances == {"scored": 1})
        monkeypatch.setattr(node.disk, "free", lambda: 0)
        assert rejection(port, image(2)) == CONGESTION
        assert echo(port)
        with archive.open():
            wait_until(lambda: len(set(archive.kept)) == 2)
        monkeypatch.undo()
        assert send(port, image(2)) == [0]
    finally:
        node.stop()
