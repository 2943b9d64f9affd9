"""A damaged bundle loses no image: what arrives waits, all are told why, a rollback mends it."""

import json
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.node.configuration import Configuration
from brixia_edge.runtime.node.models.install import InstallationRules, install
from brixia_edge.runtime.node.models.installed import InstalledModels
from brixia_edge.runtime.node.operating.node import Node
from brixia_edge.runtime.node.scoring import loop as loop_module
from brixia_edge.runtime.node.scoring.process import ScoringSettings
from brixia_edge.runtime.node.state.store import Store
from make_models import tiny_model
from node_doubles import Archive, send, wait_until

RULES = InstallationRules(ScoringSettings(None, "onnxruntime", 1))


@contextmanager
def running(configuration: Configuration) -> Generator[Node]:
    node = Node(configuration)
    node.start()
    try:
        yield node
    finally:
        node.stop()


def readiness(configuration: Configuration) -> tuple[int, Any]:
    address = configuration.http.listen
    connection = HTTPConnection(address.host, address.port, timeout=20)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def damage(path: Path) -> None:
    (path / "model.onnx").write_bytes(b"damaged")


@pytest.fixture
def other(tmp_path: Path, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A second bundle to install; scoring that is hindered is tried again soon."""
    monkeypatch.setattr(loop_module, "_LONGEST_PAUSE", 0.2)
    second = replace(tiny_bundle.manifest, name="second")
    return write_bundle(tmp_path / "second", second, {"model.onnx": tiny_model()})


@pytest.mark.parametrize("harm", [damage, shutil.rmtree])
def test_images_are_taken_and_wait_until_a_rollback(
    configure: Callable[..., Configuration],
    image: Callable[..., bytes],
    tiny_bundle: Bundle,
    other: Bundle,
    harm: Callable[[Path], None],
) -> None:
    with Archive().open() as archive:
        configuration = configure(archive)
        folder = configuration.node.data
        folder.mkdir()
        store = Store.open(folder)
        models = InstalledModels(store, folder / "models", tiny_bundle.root)
        harm(install(other.root, models, RULES).root)
        with running(configuration) as node:
            assert send(configuration.node.listen.port, image(1)) == [0]
            wait_until(lambda: "bundle" in readiness(configuration)[1]["reasons"]["scoring"])
            status, told = readiness(configuration)
            assert (status, told["receiving"], told["scoring"]) == (503, True, False)
            assert node.data.store.views.counts().instances == {"queued": 1}
            assert "cannot score" in [each.kind for each in node.data.store.views.events()]
            models.roll_back()
            wait_until(lambda: len(archive.kept) == 2)
            assert readiness(configuration)[0] == 200
            scored = node.data.store.views.instance("1.2.840.99.1.1.1")
            assert scored is not None
            assert json.loads(scored.score or "")["settings"]["bundle"] == tiny_bundle.digest
        store.close()


def test_a_damaged_shadow_is_left_out_and_told(
    configure: Callable[..., Configuration], image: Callable[..., bytes], tmp_path: Path
) -> None:
    configuration = configure()
    score = replace(configuration.score, shadow=tmp_path / "nothing")
    with running(replace(configuration, score=score)) as node:
        assert send(configuration.node.listen.port, image(1)) == [0]
        wait_until(lambda: node.data.store.views.counts().instances == {"scored": 1})
        (event,) = [each for each in node.data.store.views.events() if each.kind == "shadow"]
        assert event.text.startswith("the shadow is left out")
