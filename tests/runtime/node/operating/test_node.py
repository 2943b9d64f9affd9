"""The whole node, as a process that is killed: nothing acknowledged is lost or answered twice."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.errors import StateError
from brixia_edge.runtime.node.configuration import Configuration
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.operating.node import Node
from brixia_edge.runtime.node.state.store import Store
from node_doubles import Archive, pynetdicom, send, wait_until
from node_process import NodeProcess, settled


def test_a_radiograph_is_answered_in_the_archive_and_the_node_ends_when_told(
    node: NodeProcess, archive: Archive, image: Callable[..., bytes]
) -> None:
    node.start()
    assert send(node.port, image(1)) == [0]
    wait_until(settled(node.data, 1))
    assert len(set(archive.kept)) == len(archive.kept) == 2
    assert node.end() == 0
    log = node.log.read_text()
    assert '"event": "ready"' in log
    assert not any(word in log for word in ("SECRET", "PERSON", "A-4711", "19400305"))


def test_a_second_node_leaves_the_first_ones_folder_alone(
    configure: Callable[..., Configuration], data: DataFolder
) -> None:
    under_way = data.images.path("one.dcm.1-2.part")
    under_way.write_bytes(b"half of an image that arrives")
    second = Node(configure())
    with data.claim(), pytest.raises(StateError, match="another node runs on the data folder"):
        second.start()
    assert under_way.exists()
    data.claim().close()


class Modality(threading.Thread):
    """Sends images one after the other, each again and again until it gets Success."""

    def __init__(self, port: int, image: Callable[..., bytes], images: int) -> None:
        super().__init__(daemon=True)
        self._port, self._image, self._images = port, image, images
        self.acknowledged = 0

    def run(self) -> None:
        while self.acknowledged < self._images:
            if send(self._port, self._image(self.acknowledged + 1)) == [0]:
                self.acknowledged += 1
            sleep(0.02)


def kill_loop(node: NodeProcess, modality: Modality, kills: int) -> None:
    """Kill the node, or the process that scores for it, at random moments while images come."""
    chance = random.Random(kills)  # noqa: S311 - no secret
    modality.start()
    for _ in range(kills):
        sleep(chance.random() * 2.0)
        if chance.random() < 0.3:
            node.kill_scoring()
        else:
            node.kill()
            node.start()
    modality.join(300.0)
    assert not modality.is_alive()


def check_nothing_lost_or_doubled(archive: Archive, data: Path, images: int) -> None:
    wait_until(settled(data, images), 300.0)
    store = Store.open(data)
    known = Counter(each.instance.sop_instance_uid for each in store.views.latest(10_000))
    store.close()
    assert known == {f"1.2.840.99.1.1.{number}": 1 for number in range(1, images + 1)}
    assert len(set(archive.kept)) == 2 * images


@pytest.mark.parametrize(
    ("kills", "images"), [(4, 12), pytest.param(30, 120, marks=pytest.mark.slow)]
)
def test_nothing_acknowledged_is_lost_or_answered_twice_when_the_node_is_killed(
    node: NodeProcess, archive: Archive, image: Callable[..., bytes], kills: int, images: int
) -> None:
    node.start()
    kill_loop(node, Modality(node.port, image, images), kills)
    check_nothing_lost_or_doubled(archive, node.data, images)
    assert node.end() == 0


OF_THE_PATIENT = (
    *("SECRET", "PERSON", "19400305", "1940-03-05", "A-4711", "WARD 9", "HOUSE", "GREGORY"),
    *("CHEST AP", "ANOTHER", "LIVING"),
)
OF_THE_STUDY = ("20200131", "2020-01-31", "1.2.840.99.1")
SHOWN = ("/", "/rows", "/api/v1/state", "/api/v1/instances", "/api/v1/events", "/metrics")


def test_nothing_but_images_and_answers_tells_of_a_patient(
    node: NodeProcess, archive: Archive, image: Callable[..., bytes]
) -> None:
    """After images that are scored, fail, conflict, are refused by us, and by the archive."""
    archive.answers[:0] = [0xC000]
    node.start()
    pixels = np.arange(300, dtype=np.uint16) * np.ones((300, 1), np.uint16)
    conflict = image(1, PatientName="ANOTHER^LIVING", PatientID="ANOTHER")
    sent = [image(1), conflict, image(2, pixels=pixels), image(3, Rows=0), image(4, Modality="CT")]
    assert send(node.port, *sent) == [0] * 5
    assert send(node.port, image(5, SOPInstanceUID="SECRET.1")) != [0]
    wait_until(lambda: b'state="parked"} 1.0' in shown(node, "/metrics"))
    wait_until(lambda: b'state="queued"' not in shown(node, "/metrics"))
    told = {path: shown(node, path) for path in SHOWN}
    for path in (each for each in node.data.rglob("*") if each.is_file()):
        if path.parent.name not in ("images", "objects"):
            told[path.name] = path.read_bytes()
    told["log"] = node.log.read_bytes()
    assert {"node.sqlite", "node.sqlite-wal"} <= set(told)
    for where, text in told.items():
        assert not [word for word in OF_THE_PATIENT if word.encode() in text], where
    for where in ("log", "/metrics", "/api/v1/events"):
        assert not [word for word in OF_THE_STUDY if word.encode() in told[where]], where
    assert node.end() == 0


def shown(node: NodeProcess, path: str) -> bytes:
    """What the node shows over HTTP."""
    connection = HTTPConnection("127.0.0.1", node.http_port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read()
    finally:
        connection.close()


def test_an_odd_object_leaves_nothing_of_itself_in_the_log(
    node: NodeProcess, image: Callable[..., bytes]
) -> None:
    node.start()
    odd = image(1, SOPInstanceUID="SECRET.1", PatientBirthDate="SECRET-DATE")
    assert send(node.port, odd) != [0]
    assert node.end() == 0
    assert "SECRET" not in node.log.read_text()


def test_a_node_ends_though_a_guest_waits_and_an_association_is_open(
    node: NodeProcess, image: Callable[..., bytes], tiny_bundle: Bundle
) -> None:
    content = tiny_bundle.model.read_bytes()
    node.start()
    wait_until(lambda: ready(node))
    idle = associate(node.port)
    try:
        # Scoring cannot begin anew, so that the second guest waits.
        tiny_bundle.model.unlink()
        node.kill_scoring()
        assert ask_for_score(node, image(1)).getresponse().status == 422
        waiting = ask_for_score(node, image(2))
        wait_until(lambda: list(node.data.glob("upload-*")))
        assert node.end() == 0
        assert waiting.getresponse().status == 503
    finally:
        tiny_bundle.model.write_bytes(content)
        idle.abort()


def associate(port: int) -> Any:
    """An association over which nothing comes."""
    entity = pynetdicom.AE(ae_title="XR1")
    entity.add_requested_context("1.2.840.10008.1.1")
    association = entity.associate("127.0.0.1", port, ae_title="BRIXIA")
    assert association.is_established
    return association


def ask_for_score(node: NodeProcess, content: bytes) -> HTTPConnection:
    """Ask for a score, whose answer is not waited for."""
    connection = HTTPConnection("127.0.0.1", node.http_port, timeout=60)
    connection.request("POST", "/api/v1/score", body=content)
    return connection


def test_nobody_else_reads_what_the_node_keeps(
    node: NodeProcess, image: Callable[..., bytes]
) -> None:
    node.start()
    assert send(node.port, image(1)) == [0]
    wait_until(settled(node.data, 1))
    kept = [node.data, *node.data.rglob("*")]
    assert [each for each in kept if each.parent.name in ("images", "objects")]
    assert not [str(each) for each in kept if each.exists() and each.stat().st_mode & 0o077]
    assert node.end() == 0


def ready(node: NodeProcess) -> bool:
    """Whether it takes images and scores them."""
    connection = HTTPConnection("127.0.0.1", node.http_port, timeout=20)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    finally:
        connection.close()
