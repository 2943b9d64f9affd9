"""Many senders at once: one image is one image, none is refused, and memory stays small."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from brixia_edge.runtime.node.state.store import Store
from node_doubles import Archive, send, wait_until
from node_process import NodeProcess, settled

SENDERS = 10
MOST_MEMORY = 150_000_000
"""Bytes that the node may have, without the process that scores."""


@pytest.fixture
def busy(make_node: Callable[..., NodeProcess]) -> NodeProcess:
    """A node that takes ten callers from one address."""
    node = make_node(associations_of_a_host=str(2 * SENDERS))
    node.start()
    return node


def all_at_once(port: int, contents: Sequence[Sequence[bytes]]) -> list[int]:
    """Each sender on an association of its own; all statuses."""

    def sent(each: Sequence[bytes]) -> list[int]:
        return send(port, *each)

    with ThreadPoolExecutor(len(contents)) as senders:
        return [status for statuses in senders.map(sent, contents) for status in statuses]


def test_one_file_fifty_times_over_ten_associations_is_one_result(
    busy: NodeProcess, archive: Archive, image: Callable[..., bytes]
) -> None:
    assert all_at_once(busy.port, [[image(1)] * 5] * SENDERS) == [0] * 50
    wait_until(settled(busy.data, 1))
    store = Store.open(busy.data)
    counts, (found,) = store.views.counts(), store.views.latest()
    store.close()
    assert counts.repeats == 49
    assert len(list((busy.data / "images").iterdir())) == 1
    assert len(found.deliveries) == len(archive.kept) == len(set(archive.kept)) == 2


@pytest.mark.parametrize("images", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_ten_senders_are_all_taken_and_memory_stays_small(
    busy: NodeProcess, archive: Archive, image: Callable[..., bytes], images: int
) -> None:
    pixels = np.arange(1024, dtype=np.uint16) * np.ones((1024, 1), np.uint16)
    contents = [
        [image(images * sender + number, pixels=pixels) for number in range(1, images + 1)]
        for sender in range(SENDERS)
    ]
    assert all_at_once(busy.port, contents) == [0] * (SENDERS * images)
    wait_until(settled(busy.data, SENDERS * images), 300.0)
    assert len(set(archive.kept)) == 2 * SENDERS * images
    assert busy.memory("VmHWM") < MOST_MEMORY
