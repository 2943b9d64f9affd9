"""Peers: who takes part and on which images; the other tools run only where they are installed."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from brixia_edge.benchmarks.agreement.measure import measure_agreement
from brixia_edge.benchmarks.peers import contestants, quantized
from brixia_edge.benchmarks.peers.contestants import gather_peers, make_plain
from brixia_edge.benchmarks.peers.quantized import (
    Images,
    make_nncf,
    make_static,
    require,
)
from brixia_edge.runtime.backends import open_session
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.manifest import MODEL, Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.errors import BenchmarkError, MissingExtra, WeightsError
from make_models import calibration_table, tiny_model
from numpy.typing import NDArray

_onnx: Any = onnx  # its signatures have unbound type variables

Tensors = dict[str, NDArray[np.float32]]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three different pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 255, (40, 40)).astype(np.uint8)
        (folder / f"{number}.png").write_bytes(cv2.imencode(".png", noise)[1].tobytes())
    return folder


@pytest.fixture
def int8_bundle(tmp_path: Path, tiny_manifest: Manifest, pictures: Path) -> Bundle:
    """A bundle whose calibration table names the first two pictures."""
    digests = [
        hashlib.sha256((pictures / f"{number}.png").read_bytes()).hexdigest() for number in (0, 1)
    ]
    files = {MODEL: tiny_model(), "calibration.json": calibration_table(digests)}
    return write_bundle(tmp_path / "int8", replace(tiny_manifest, precision="int8"), files)


@pytest.fixture
def plain_is_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain export is the tiny network."""

    def write(weights: Path, output: Path) -> Path:
        output.write_bytes(tiny_model())
        return output

    monkeypatch.setattr(contestants, "make_plain", write)


def image() -> NDArray[np.float32]:
    return np.random.default_rng(0).random((1, 1, 512, 512), np.float32)


@pytest.fixture
def tiny_plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.onnx"
    path.write_bytes(tiny_model())
    return path


@pytest.mark.usefixtures("plain_is_tiny")
def test_everyone_takes_part_in_one_run(
    int8_bundle: Bundle,
    tiny_bundle: Bundle,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calibrated_on: list[int] = []

    def make(plain: Path, images: Images, folder: Path) -> Path:
        calibrated_on.append(len(images))
        return plain

    def lacking(plain: Path, images: Images, folder: Path) -> Path:
        raise MissingExtra("it is not installed")

    tools = (("static", "onnxruntime", make), ("another", "openvino", lacking))
    monkeypatch.setattr(contestants, "_TOOLS", tools)
    told: list[str] = []
    found = gather_peers(
        tmp_path / "w.h5", [tiny_bundle, int8_bundle], pictures, tmp_path / "models", told.append
    )
    assert [each.name for each in found.contestants] == [
        "plain export fp32, onnxruntime",
        "plain export fp32, openvino",
        "static",
        "tiny fp32, onnxruntime",
        "tiny fp32, openvino",
        "tiny int8, onnxruntime",
        "tiny int8, openvino",
    ]
    assert found.absent == {"another": "it is not installed"}
    assert (calibrated_on, found.calibrated) == ([2], 2)
    assert found.held_out == (pictures / "2.png",)
    agreement = measure_agreement(found.contestants, found.held_out)
    assert np.ptp(agreement.probabilities, axis=0).max() < 1e-5


@pytest.mark.usefixtures("plain_is_tiny")
def test_images_that_are_not_those_of_the_calibration_are_refused(
    int8_bundle: Bundle, tiny_bundle: Bundle, chest_png: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    chest_png.rename(other / "chest.png")
    with pytest.raises(BenchmarkError, match="holds 0 of the 2 radiographs"):
        gather_peers(tmp_path / "w.h5", [int8_bundle], other, tmp_path / "models", print)
    with pytest.raises(BenchmarkError, match="no bundle is INT8"):
        gather_peers(tmp_path / "w.h5", [tiny_bundle], other, tmp_path / "models", print)


def test_the_plain_graph_is_the_layer_by_layer_network(
    seeded_tensors: Tensors, keras_file: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_plain(keras_file(seeded_tensors), tmp_path / "plain.onnx")
    nodes: Any = _onnx.load(str(path)).graph.node
    operators = [node.op_type for node in nodes]
    assert operators.count("ConvTranspose") == 11
    assert operators.count("BatchNormalization") > 40


def test_weights_that_are_none_are_refused_with_their_reason(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no plain graph can be made of .*none\.h5"):
        make_plain(tmp_path / "none.h5", tmp_path / "plain.onnx")


def test_a_missing_tool_is_told_with_the_line_that_installs_it() -> None:
    with pytest.raises(MissingExtra, match=r"no_such_tool.*brixia-edge\[peers\]"):
        require("no_such_tool")


def test_static_quantization_gives_a_network_that_runs(
    tiny_plain: Path, tmp_path: Path, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_static(tiny_plain, [image()], tmp_path)
    peer = contestants.PeerBundle(made.parent, tiny_bundle.manifest, made)
    with open_session(peer, "onnxruntime") as session, open_session(tiny_bundle) as ours:
        probabilities = session.run(image())["probabilities"]
        np.testing.assert_allclose(probabilities, ours.run(image())["probabilities"], atol=0.05)

    def fail(plain: Path, images: Images, model: Path) -> dict[str, str]:
        raise AssertionError("made again")

    monkeypatch.setattr(quantized, "_quantize_static", fail)
    assert make_static(tiny_plain, [image()], tmp_path) == made
    with pytest.raises(AssertionError, match="made again"):
        make_static(tiny_plain, [image()[..., ::-1]], tmp_path)


@pytest.mark.skipif(find_spec("nncf") is None, reason="nncf is absent: brixia-edge[peers]")
def test_nncf_gives_a_network_that_runs(
    tiny_plain: Path, tmp_path: Path, tiny_bundle: Bundle
) -> None:
    made = make_nncf(tiny_plain, [image()], tmp_path)
    peer = contestants.PeerBundle(made.parent, tiny_bundle.manifest, made)
    with open_session(peer, "openvino") as session, open_session(tiny_bundle) as ours:
        probabilities = session.run(image())["probabilities"]
        np.testing.assert_allclose(probabilities, ours.run(image())["probabilities"], atol=0.05)
