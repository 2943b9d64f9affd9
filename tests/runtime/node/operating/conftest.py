"""A node that runs as a process, and the archive that it answers."""

import os
import signal
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from node_doubles import Archive, free_port, toml
from node_process import NodeProcess


@pytest.fixture
def archive() -> Generator[Archive]:
    with Archive().open() as found:
        yield found


@pytest.fixture
def make_node(
    tmp_path: Path, archive: Archive, tiny_bundle: Bundle
) -> Generator[Callable[..., NodeProcess]]:
    """A node that is not started yet; keys of [node] may be given as TOML."""
    made: list[NodeProcess] = []

    def make(data: Path = tmp_path / "data", **more: str) -> NodeProcess:
        port, http_port = free_port(), free_port()
        text = toml(data, port, http_port, archive, **more)
        (tmp_path / "node.toml").write_text(text.replace("BUNDLE", str(tiny_bundle.root)))
        made.append(NodeProcess(tmp_path, data, port, http_port))
        return made[-1]

    yield make
    for node in made:
        if node.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(node.process.pid, signal.SIGKILL)
            node.process.wait()


@pytest.fixture
def node(make_node: Callable[..., NodeProcess]) -> NodeProcess:
    return make_node()
