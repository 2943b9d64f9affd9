"""An archive that is away, full, silent or gone amid an answer gets each answer, once by UID."""

from collections.abc import Callable, Generator

import node_doubles
import pytest
from brixia_edge.runtime.node.configuration import Configuration
from brixia_edge.runtime.node.operating.node import Node
from brixia_edge.runtime.node.sending import outcome
from node_doubles import Archive, send, wait_until


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of 0.05 to 0.5 s instead of 5 s to 15 min, and 1 s to wait for an answer."""
    monkeypatch.setattr(node_doubles, "SECONDS_TO_WAIT", 1)
    monkeypatch.setattr(outcome, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(outcome, "LONGEST_PAUSE", 0.5)


@pytest.fixture
def archive() -> Archive:
    return Archive()


@pytest.fixture
def node(archive: Archive, configure: Callable[..., Configuration]) -> Generator[Node]:
    found = Node(configure(archive))
    found.start()
    yield found
    found.stop()


def deliveries(node: Node) -> dict[str, int]:
    return node.data.store.views.counts().deliveries.get("pacs", {})


def sent(node: Node, *contents: bytes) -> None:
    port = node.configuration.node.listen.port
    assert send(port, *contents) == [0] * len(contents)


def attempts(node: Node) -> int:
    latest = node.data.store.views.latest()
    return min((each.attempts for image in latest for each in image.deliveries), default=0)


def test_an_archive_that_was_away_for_many_attempts_gets_everything_once(
    node: Node, archive: Archive, image: Callable[..., bytes]
) -> None:
    sent(node, image(1), image(2))
    # From 5 s on, doubled each time, the real pauses would be two minutes and a half by now.
    wait_until(lambda: deliveries(node) == {"waiting": 4} and attempts(node) >= 5)
    with archive.open():
        wait_until(lambda: deliveries(node) == {"done": 4})
    assert len(archive.kept) == len(set(archive.kept)) == 4


@pytest.mark.parametrize(
    ("faults", "copies"),
    [([0xA700] * 5, 4), (["hang up"] * 3, 7), (["nothing"] * 2, 4), ([0x0110, 0xA7FF], 4)],
    ids=["full", "hangs up after it stored", "does not answer", "fails in passing"],
)
def test_faults_that_pass_cost_no_answer(
    node: Node,
    archive: Archive,
    image: Callable[..., bytes],
    faults: list[object],
    copies: int,
) -> None:
    archive.answers[:0] = faults
    with archive.open():
        sent(node, image(1), image(2))
        wait_until(lambda: deliveries(node) == {"done": 4})
    assert len(set(archive.kept)) == 4
    assert len(archive.kept) == copies


def test_a_refusal_is_parked_and_a_person_has_it_sent_again(
    node: Node, archive: Archive, image: Callable[..., bytes]
) -> None:
    archive.answers[:0] = [0xC000]
    with archive.open():
        sent(node, image(1))
        wait_until(lambda: deliveries(node) == {"parked": 1, "done": 1})
        assert node.data.store.outbox.retry_parked("pacs") == 1
        wait_until(lambda: deliveries(node) == {"done": 2})
    assert len(archive.kept) == len(set(archive.kept)) == 2
    assert b"brixia_deliver_seconds_count 2.0" in node.meters.text()
