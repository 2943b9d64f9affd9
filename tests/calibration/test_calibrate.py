"""From files to a table, and the `calibrate` command."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from brixia_edge.calibration.calibrate import calibrate
from brixia_edge.calibration.options import CalibrationOptions
from brixia_edge.calibration.ranges.table import CalibrationTable
from brixia_edge.calibration.ranges.table_entries import METHODS
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import CalibrationError, PredictionError
from brixia_edge.runtime.preparation.preprocess import preprocess
from brixia_edge.runtime.reading.read import read_radiograph
from make_models import tiny_model
from numpy.typing import NDArray
from onnx import helper

_numpy_helper: Any = onnx.numpy_helper  # has unbound type variables

Capture = pytest.CaptureFixture[str]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def files(chest_folder: Path) -> list[Path]:
    return sorted(chest_folder.iterdir())


@pytest.fixture
def command(tiny_bundle: Bundle, capsys: Capture) -> Command:
    """Run `calibrate` with the tiny bundle; gives status, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main(["calibrate", "--bundle", str(tiny_bundle.root), *map(str, arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_observed_ranges_are_those_of_the_images(tiny_bundle: Bundle, files: list[Path]) -> None:
    table = calibrate(tiny_bundle, files, CalibrationOptions("minmax"))
    spec = tiny_bundle.manifest.preprocess
    means = [float(preprocess(read_radiograph(file), spec).mean()) for file in files]
    assert table.observed["mean3"].lowest == pytest.approx(min(means), rel=1e-4)
    assert table.observed["mean3"].highest == pytest.approx(max(means), rel=1e-4)
    assert table.ranges == table.observed
    assert len(table.images) == 20
    table.check(tiny_bundle.manifest)
    assert {"nothing3", "zone_evidence"} <= set(table.constants)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_stays_within_the_extremes(
    tiny_bundle: Bundle, files: list[Path], method: str
) -> None:
    table = calibrate(tiny_bundle, files, CalibrationOptions(method, tensors=["logits", "mean3"]))
    assert list(table.ranges) == ["mean3", "logits"]
    for name, clip in table.ranges.items():
        seen = table.observed[name]
        assert seen.lowest <= clip.lowest <= clip.highest <= seen.highest
        assert clip.magnitude > 0


def test_a_table_is_the_same_for_a_seed(tiny_bundle: Bundle, files: list[Path]) -> None:
    options = CalibrationOptions(images=16, seed=5)
    once = calibrate(tiny_bundle, files, options)
    again = calibrate(tiny_bundle, files[::-1], options)
    assert once.to_json() == again.to_json()
    assert len(once.images) == 16
    others = [
        calibrate(tiny_bundle, files, replace(options, seed=seed)).images for seed in range(4)
    ]
    assert any(other != once.images for other in others)


def test_progress_sees_every_file_and_every_chosen_radiograph(
    tiny_bundle: Bundle, files: list[Path]
) -> None:
    seen: list[int] = []

    def progress(stage: str, items: Iterable[Any], count: int | None = None) -> Iterable[Any]:
        listed = list(items)
        seen.append(len(listed))
        return listed

    calibrate(tiny_bundle, files, CalibrationOptions(images=17), progress)
    assert seen == [20, 17]


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_only_a_float32_bundle_is_calibrated(
    tiny_bundle: Bundle, files: list[Path], precision: str
) -> None:
    rounded = Bundle(tiny_bundle.root, replace(tiny_bundle.manifest, precision=precision))
    with pytest.raises(CalibrationError, match=f"is {precision}.*calibrate with the fp32 bundle"):
        calibrate(rounded, files)


def test_a_tensor_that_overflows_is_named_with_the_radiograph(
    tmp_path: Path, tiny_manifest: Manifest, files: list[Path]
) -> None:
    network = onnx.load_model_from_string(tiny_model())
    huge = _numpy_helper.from_array(np.array(1e38, np.float32), "huge")
    network.graph.initializer.append(huge)
    network.graph.node.extend(
        [
            helper.make_node("Mul", ["image", "huge"], ["large"]),
            helper.make_node("Add", ["large", "large"], ["half_way"]),
            helper.make_node("Mul", ["half_way", "half_way"], ["overflow"]),
        ]
    )
    model = network.SerializeToString()
    bundle = write_bundle(tmp_path / "overflowing", tiny_manifest, {"model.onnx": model})
    with pytest.raises(CalibrationError, match=r"radiograph [0-9a-f]{12}: tensor 'half_way'"):
        calibrate(bundle, files)


def test_a_network_whose_answers_are_no_numbers_is_refused(
    tmp_path: Path, tiny_manifest: Manifest, files: list[Path]
) -> None:
    network = onnx.load_model_from_string(tiny_model())
    for constant in network.graph.initializer:
        if constant.name == "scores":
            constant.CopyFrom(
                _numpy_helper.from_array(np.full((1, 6, 4), np.nan, np.float32), "scores")
            )
    model = network.SerializeToString()
    bundle = write_bundle(tmp_path / "damaged", tiny_manifest, {"model.onnx": model})
    with pytest.raises(PredictionError, match="probabilities with numbers that are not finite"):
        calibrate(bundle, files)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "median"}, "there are entropy"),
        ({"percentile": 101.0}, "percentile is 101"),
        ({"images": 10}, "10 images are to be chosen and at least 16"),
        ({"minimum": 0}, "at least 0 are needed"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_options_that_are_not_allowed_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CalibrationError, match=message):
        CalibrationOptions(**options)


def test_the_command_writes_a_table_and_tells_what_it_used(
    command: Command, chest_folder: Path, tmp_path: Path, tiny_bundle: Bundle
) -> None:
    (chest_folder / "cut.png").write_bytes((chest_folder / "00.png").read_bytes()[:900])
    output = tmp_path / "out" / "table.json"
    status, out, err = command(chest_folder, "-o", output, "--images", 18, "--seed", 3)
    table = CalibrationTable.load(output)
    assert status == 0
    assert "calibration on 18 of 21 files, seed 3" in out
    assert "unreadable         1" in out
    assert "18 / 20" in out
    assert f"ranges of {len(table.ranges)} tensors by percentile 99.99" in out
    assert "cut.png: " in err
    assert "This will take about" in err
    assert "cannot be quantised" in err
    assert str(output) in err
    table.check(tiny_bundle.manifest)


def test_the_percentile_is_kept_and_told(
    command: Command, chest_folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "table.json"
    status, out, _ = command(
        chest_folder, "-o", output, "--method", "percentile", "--percentile", 99.5
    )
    assert status == 0
    assert "by percentile 99.5" in out
    assert CalibrationTable.load(output).percentile == 99.5


def assert_refused(
    result: tuple[int, str, str], output: Path, message: str, status: int = 1
) -> None:
    assert result[0] == status
    assert result[1] == ""
    assert message in result[2]
    assert "Traceback" not in result[2]
    assert not output.exists()
    assert not list(output.parent.glob(".table-*"))


def test_an_empty_folder_is_refused(command: Command, tmp_path: Path) -> None:
    folder, output = tmp_path / "empty", tmp_path / "table.json"
    folder.mkdir()
    assert_refused(command(folder, "-o", output), output, "no DICOM, PNG or JPEG file was found")


def test_too_few_radiographs_are_refused_unless_asked_for(
    command: Command, chest_folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "table.json"
    for number in range(5, 20):
        (chest_folder / f"{number:02}.png").unlink()
    (chest_folder / "copy.png").write_bytes((chest_folder / "01.png").read_bytes())
    result = command(chest_folder, "-o", output)
    assert_refused(result, output, "5 of 6 files can be calibrated on (1 duplicate)")
    assert "--minimum" in result[2]
    assert command(chest_folder, "-o", output, "--minimum", 5)[0] == 0
    assert len(CalibrationTable.load(output).images) == 5


def test_images_of_the_wrong_kind_are_refused(command: Command, tmp_path: Path) -> None:
    folder, output = tmp_path / "photographs", tmp_path / "table.json"
    folder.mkdir()
    for number in range(20):
        colour = np.random.default_rng(number).integers(0, 255, (64, 64, 3)).astype(np.uint8)
        (folder / f"{number}.png").write_bytes(cv2.imencode(".png", colour)[1].tobytes())
    result = command(folder, "-o", output)
    assert_refused(result, output, "0 of 20 files can be calibrated on (20 unreadable)")
    assert "in colour" in result[2]


def test_blank_images_are_refused(
    command: Command, tmp_path: Path, write_png: Callable[[Path, NDArray[np.uint8]], Path]
) -> None:
    output = tmp_path / "table.json"
    for number in range(20):
        write_png(tmp_path / "blank" / f"{number}.png", np.full((300, 300), number + 9, np.uint8))
    result = command(tmp_path / "blank", "-o", output)
    assert_refused(result, output, "0 of 20 files can be calibrated on (20 doubtful)")


def test_an_existing_table_is_replaced_only_on_demand(
    command: Command, chest_folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "table.json"
    output.write_text("mine")
    status, _, err = command(chest_folder, "-o", output)
    assert (status, output.read_text()) == (2, "mine")
    assert "--overwrite" in err
    assert command(chest_folder, "-o", output, "--overwrite")[0] == 0
    assert CalibrationTable.load(output).seed == 0


def test_neither_a_radiograph_nor_the_bundle_is_written_over(
    command: Command, tiny_bundle: Bundle, chest_folder: Path
) -> None:
    for path in (next(chest_folder.iterdir()), tiny_bundle.model):
        content = path.read_bytes()
        status, _, err = command(chest_folder, "-o", path, "--overwrite")
        assert (status, "is one of the files that are read" in err) == (2, True)
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    "arguments",
    [[], ["x"], ["x", "-o", "t", "--method", "median"], ["x", "-o", "t", "--percentile", "0"]],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str]) -> None:
    assert command(*arguments)[0] == 2


def test_an_altered_bundle_ends_with_3(
    command: Command, tiny_bundle: Bundle, chest_folder: Path, tmp_path: Path
) -> None:
    tiny_bundle.model.write_bytes(b"changed")
    output = tmp_path / "table.json"
    assert_refused(command(chest_folder, "-o", output), output, "was altered", status=3)
