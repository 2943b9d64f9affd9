"""The floor follows from the work and the peak; the parts add up to the profile."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from brixia_edge.benchmarks.roofline import peak
from brixia_edge.benchmarks.roofline.measure import measure_roofline
from brixia_edge.benchmarks.roofline.peak import Yardstick, find_peaks, yardsticks
from brixia_edge.benchmarks.roofline.tables import roofline_lines
from brixia_edge.benchmarks.tables import text_table
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.manifest import MODEL, Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import BenchmarkError
from make_models import tiny_model
from onnx import helper

_numpy_helper: Any = onnx.numpy_helper

BACKENDS = ("onnxruntime", "openvino")


@pytest.fixture(autouse=True)
def small_yardsticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak, "SIZES", (32, 48))
    monkeypatch.setattr(peak, "STREAMED", 1000)


@pytest.fixture
def convolving_bundle(tmp_path: Path, tiny_manifest: Manifest) -> Bundle:
    """The tiny bundle with a convolution 3x3 of 8 channels in front of the mean."""
    model = onnx.load_from_string(tiny_model())
    weights = np.full((8, 1, 3, 3), 1 / 9, np.float32)
    mix = np.full((1, 8, 1, 1), 1 / 8, np.float32)
    model.graph.initializer.append(_numpy_helper.from_array(weights, "w"))
    model.graph.initializer.append(_numpy_helper.from_array(mix, "mix"))
    model.graph.node[0].input[0] = "P1"
    first = helper.make_node("Conv", ["image", "w"], ["conv0"], name="conv0", pads=[1] * 4)
    second = helper.make_node("Conv", ["conv0", "mix"], ["P1"], name="P1")
    model.graph.node.insert(0, first)
    model.graph.node.insert(1, second)
    return write_bundle(tmp_path / "convolving", tiny_manifest, {MODEL: model.SerializeToString()})


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_parts_add_up(backend: str, convolving_bundle: Bundle) -> None:
    image = np.zeros((1, 1, 512, 512), np.float32)
    found = measure_roofline(convolving_bundle, backend, image, rounds=2)
    work = {part.name: part.gmac for part in found.groups if part.gmac}
    assert work == {"encoder": 512**2 * 72 / 1e9, "pyramid": 512**2 * 8 / 1e9}
    assert found.total.gmac == sum(work.values())
    assert found.total.floor == pytest.approx(found.total.gmac * 1000 / found.peaks["float32"].rate)
    assert found.network > 0
    measured = {part.name: part.measured for part in found.groups}
    assert measured["encoder"] > 0
    # Medians of sums over two runs are means, so parts add up exactly.
    assert sum(measured.values()) == pytest.approx(found.profiled)
    assert sum(part.measured for part in found.operators) == pytest.approx(found.profiled)


def test_a_peak_is_what_the_fastest_run_of_the_best_graph_reached() -> None:
    slow = Yardstick("float32", "small", 10**9, None, {})  # pyright: ignore[reportArgumentType]
    peaks = find_peaks(
        [
            (slow, [1.0, 2.0]),
            (replace(slow, told="large", work=3 * 10**9), [2.0, 4.0]),
            (replace(slow, kind="memory", work=10**10), [5.0]),
        ]
    )
    assert (peaks["float32"].rate, peaks["float32"].told) == (1.5, "large")
    assert peaks["memory"].rate == 2.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_int8_products_run_on_both_runtimes(backend: str) -> None:
    sticks = yardsticks(backend, ["int8"])
    assert "quantized product, 48 x 48 x 48" in {stick.told for stick in sticks}
    assert {stick.work for stick in sticks} == {32**3, 48**3}


def test_a_backend_without_profile_is_refused(tiny_bundle: Bundle) -> None:
    image = np.zeros((1, 1, 512, 512), np.float32)
    with pytest.raises(BenchmarkError, match="gives no time of its layers"):
        measure_roofline(tiny_bundle, "tensorrt", image)


def test_the_command_shows_the_parts(
    convolving_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["benchmark", "roofline", "--bundle", str(convolving_bundle.root), "--rounds", "1"]
    assert main([*line, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {part["name"] for part in found["groups"]} >= {"encoder", "pyramid"}
    assert main(line) == 0
    assert "encoder" in capsys.readouterr().out


def test_the_table_has_a_row_for_each_part_that_does_something(convolving_bundle: Bundle) -> None:
    image = np.zeros((1, 1, 512, 512), np.float32)
    found = measure_roofline(convolving_bundle, "onnxruntime", image, rounds=1)
    text = "\n".join(roofline_lines(found, text_table))
    assert text.startswith("tiny fp32 on onnxruntime: ")
    assert "pyramid" in text
    assert "decoder" not in text
    light = "\n".join(roofline_lines(replace(found, variant="light"), text_table))
    assert light.startswith("tiny light, fp32 on onnxruntime: ")
