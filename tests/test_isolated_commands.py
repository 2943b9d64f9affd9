"""Every command reads folders in a process of its own: no file harms more than itself.

The reading process of these tests crashes or hangs at files with certain names, which are
innocent pictures: read in any other process they would be used like the rest.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from brixia_edge.benchmarks.explanation import faithfulness
from brixia_edge.benchmarks.explanation.deletion import FRACTIONS
from brixia_edge.calibration import chest_template, reference_histograms
from brixia_edge.calibration.choosing import description
from brixia_edge.export import cli as export_cli
from brixia_edge.export.exporter import FloatNetwork
from brixia_edge.export.graph.graph import Graph
from brixia_edge.export.network import weights as network_weights
from brixia_edge.export.parity.score_parity import ScoreBound
from brixia_edge.export.precision import lower_precision
from brixia_edge.runtime import scorer
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.commands import inputs
from brixia_edge.runtime.errors import CalibrationError, UnreadableImage
from brixia_edge.runtime.progress import Progress
from brixia_edge.runtime.results import Quality
from brixia_edge.runtime.scores import Zone
from brixia_edge.runtime.sources import process
from brixia_edge.runtime.sources.process import ReadingLimits
from click.testing import CliRunner
from faulty_reading import FAULTY

GOOD = ("0.png", "1.png", "2.png", "3.png")
CRASHING = "segfault.png"
HANGING = "endless.png"
TOLD = {CRASHING: "ended the process that read it (SIGSEGV)", HANGING: "took longer than 3 s"}

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def faulty_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_START", FAULTY)
    monkeypatch.setattr(inputs, "ReadingLimits", partial(ReadingLimits, seconds=3.0))
    monkeypatch.setattr(scorer, "assess_quality", _undoubted)


def _undoubted(*_: object) -> Quality:
    return Quality()


@pytest.fixture(params=[CRASHING, HANGING])
def bad(request: pytest.FixtureRequest) -> str:
    """The name of a file that harms its reader."""
    return request.param


@pytest.fixture
def folder(tmp_path: Path, bad: str) -> Path:
    """Good pictures, and one that harms its reader."""
    folder = tmp_path / "strangers"
    folder.mkdir()
    for seed, name in enumerate((*GOOD, bad)):
        picture = np.random.default_rng(seed).integers(0, 255, (96, 96)).astype(np.uint8)
        (folder / name).write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return folder


@pytest.fixture
def run(tiny_bundle: Bundle, capsys: Capture) -> Callable[..., tuple[int, str, str]]:
    """Run a command with the tiny bundle; gives status, standard output and standard error."""

    def start(*arguments: object) -> tuple[int, str, str]:
        status = main([*map(str, arguments), "--bundle", str(tiny_bundle.root)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return start


Run = Callable[..., tuple[int, str, str]]


def test_score(run: Run, folder: Path, bad: str) -> None:
    status, out, err = run("score", folder, "--format", "json")
    results = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert [Path(each["file"]).name for each in results if "error" in each] == [bad]
    assert TOLD[bad] in err


def test_explain(run: Run, folder: Path, bad: str, tmp_path: Path) -> None:
    status, out, err = run("explain", folder, "-o", tmp_path / "why", "--format", "npz")
    assert status == 1
    assert len(out.splitlines()) == len(GOOD)
    assert f"{bad}: {TOLD[bad]}" in err


def test_evaluate(run: Run, folder: Path, bad: str, tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["filename", *(zone.value for zone in Zone)])
        rows.writerows([[name, 0, 1, 2, 3, 2, 1] for name in (*GOOD, bad)])
    report = tmp_path / "report"
    options = ["--annotations", table, "-o", report, "--resamples", 100]
    status, _, err = run("evaluate", "--images", folder, *options)
    assert status == 1
    assert f"{bad}: {TOLD[bad]}" in err
    with (report / "scores.csv").open(newline="", encoding="utf-8") as file:
        assert {row["file"] for row in csv.DictReader(file)} == set(GOOD)


def test_calibrate(run: Run, folder: Path, bad: str, tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    options = ["--images", 4, "--minimum", 4, "--allow-doubtful"]
    status, _, err = run("calibrate", folder, "-o", table, *options)
    assert status == 0, err
    assert f"{bad}: {TOLD[bad]}" in err
    assert set(json.loads(table.read_text())["images"]) == digests(folder, GOOD)


def digests(folder: Path, names: tuple[str, ...]) -> set[str]:
    return {hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_benchmark_agreement(run: Run, folder: Path, bad: str) -> None:
    command = ["benchmark", "agreement", folder, "--backend", "onnxruntime", "--format", "csv"]
    status, out, err = run(*command)
    assert status == 0, err
    assert {Path(row["file"]).name for row in csv.DictReader(out.splitlines())} == set(GOOD)
    assert bad in err


def test_export(
    tiny_bundle: Bundle,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    """Calibration, and what is measured on: all that is read before the network is lowered."""
    measured: list[int] = []

    def weights(*_: object) -> None:
        return None

    def full(*_: object) -> FloatNetwork:
        model = (tiny_bundle.root / "model.onnx").read_bytes()
        return FloatNetwork(Graph("tiny"), model, tiny_bundle.manifest, ())

    def lower(_w: object, _t: object, reference: Any, _b: ScoreBound, _p: Progress) -> None:
        measured.append(len(reference.measured))
        raise CalibrationError("all was read")

    monkeypatch.setattr(network_weights, "load_weights", weights)
    monkeypatch.setattr(lower_precision, "build_float", full)
    monkeypatch.setattr(lower_precision, "_build_half", lower)
    monkeypatch.setattr(lower_precision, "choose_from", _first_two)
    undoubted_surveys(monkeypatch)
    options = ["--precision", "fp16", "--calibration", str(folder)]
    status = main(["export", "w.h5", "-o", str(tmp_path / "bundle"), *options])
    assert (status, measured) == (1, [len(GOOD) - 2])
    assert "all was read" in capsys.readouterr().err


def _first_two(surveyed: Any, _options: object) -> Any:
    return surveyed.usable[:2]


def test_reference_histograms_of_an_export(
    tiny_bundle: Bundle, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exported(*_: object) -> Bundle:
        return tiny_bundle

    def weights(*_: object) -> None:
        return None

    monkeypatch.setattr(network_weights, "load_weights", weights)
    monkeypatch.setattr(lower_precision, "export_with_evidence", exported)
    monkeypatch.setattr(export_cli, "read_parity", id)
    monkeypatch.setattr(export_cli, "parity_lines", _no_lines)
    few_suffice(monkeypatch)
    monkeypatch.setattr("brixia_edge.export.reference_histograms.FEWEST_IMAGES", len(GOOD))
    arguments = ["export", "w.h5", "-o", str(tmp_path / "bundle"), "--images", str(folder)]
    assert main(arguments) == 0
    assert reference_images(tiny_bundle) == digests(folder, GOOD)


def _no_lines(_: object) -> tuple[str, ...]:
    return ()


def few_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_histograms, "FEWEST_IMAGES", len(GOOD))
    undoubted_surveys(monkeypatch)


def undoubted_surveys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "assess_quality", _undoubted)


def reference_images(bundle: Bundle) -> set[str]:
    found: Mapping[str, Any] = json.loads((bundle.root / "reference.json").read_text())
    return set(found["images"])


def test_reference_histograms(
    tiny_bundle: Bundle, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_suffice(monkeypatch)
    arguments = [str(folder), "--bundle", str(tiny_bundle.root)]
    done = CliRunner().invoke(reference_histograms.command, arguments)
    assert done.exit_code == 0, done.output
    assert reference_images(tiny_bundle) == digests(folder, GOOD)


def test_chest_template(tiny_bundle: Bundle, folder: Path, bad: str) -> None:
    done = CliRunner().invoke(chest_template.main, [str(folder), "--bundle", str(tiny_bundle.root)])
    assert isinstance(done.exception, UnreadableImage)
    assert TOLD[bad] in str(done.exception)


def test_faithfulness(
    tiny_bundle: Bundle, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def curves(*_: object) -> Mapping[str, Any]:
        return {"random": np.ones(len(FRACTIONS))}

    monkeypatch.setattr(faithfulness, "measure_curves", curves)
    monkeypatch.setattr(faithfulness, "ISOLATED", inputs.reading_mode(True, (), ()))
    report = tmp_path / "report.json"
    arguments = ["--images", str(folder), "--bundle", str(tiny_bundle.root), "-o", str(report)]
    done = CliRunner().invoke(faithfulness.command, arguments)
    assert done.exit_code == 0, done.output
    assert set(json.loads(report.read_text())["by_image"]) == set(GOOD)


def test_what_is_read_here_on_demand(run: Run, folder: Path) -> None:
    """Without isolation the same file is one like the others, which the tests above rest on."""
    status, out, _ = run("score", folder, "--format", "json", "--no-isolate")
    assert status == 0
    assert len(out.splitlines()) == len(GOOD) + 1
