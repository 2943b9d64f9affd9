"""Scores side by side: the numbers are those of the networks, and of nothing else."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from brixia_edge.benchmarks.agreement.contestants import Contestant, pair
from brixia_edge.benchmarks.agreement.measure import ScoreAgreement, measure_agreement
from brixia_edge.benchmarks.agreement.radiographs import (
    find_radiographs,
    split_by_digest,
)
from brixia_edge.benchmarks.agreement.summary import (
    COLUMNS,
    image_rows,
    summarise_agreement,
    to_dict,
)
from brixia_edge.calibration.ranges.table import calibrated_images
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.manifest import MODEL, Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import BundleError, UnreadableImage
from brixia_edge.runtime.preparation.preprocess import PreprocessSpec
from brixia_edge.runtime.results import RESEARCH_USE
from brixia_edge.runtime.scorer import Scorer
from make_models import calibration_table, tiny_model


@pytest.fixture
def steeper_bundle(tmp_path: Path, tiny_manifest: Manifest) -> Bundle:
    """The tiny bundle whose logits fall with the score instead of rising."""
    model = onnx.load_from_string(tiny_model())
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    scores = -np.broadcast_to(np.arange(4, dtype=np.float32), (1, 6, 4))
    constants["scores"].raw_data = scores.tobytes()
    manifest = replace(tiny_manifest, name="steeper", precision="int8")
    return write_bundle(tmp_path / "steeper", manifest, {MODEL: model.SerializeToString()})


def made(
    probabilities: list[np.ndarray], milliseconds: list[list[float]], bundle: Bundle
) -> ScoreAgreement:
    contestants = tuple(
        Contestant(f"number {index}", bundle, "onnxruntime") for index in range(len(probabilities))
    )
    files = tuple(Path(f"{index}.png") for index in range(probabilities[0].shape[0]))
    return ScoreAgreement(contestants, files, np.stack(probabilities), np.array(milliseconds))


def one_hot(scores: list[list[int]]) -> np.ndarray:
    return np.eye(4, dtype=np.float32)[np.array(scores)]


def test_the_summary_counts_zones_images_and_changes(tiny_bundle: Bundle) -> None:
    reference = one_hot([[0, 1, 2, 3, 0, 1], [1, 1, 1, 1, 1, 1]])
    other = one_hot([[0, 1, 2, 3, 0, 1], [1, 1, 1, 1, 3, 0]])
    times = [[10.0, 20.0], [5.0, 5.0]]
    same, changed = summarise_agreement(made([reference, other], times, tiny_bundle))
    assert (same.zones_equal, same.images_equal, same.expected_zone_largest) == (1, 1, 0)
    assert (changed.zones_equal, changed.images_equal) == (10 / 12, 0.5)
    assert changed.expected_zone_mean == pytest.approx(3 / 12)
    assert changed.expected_zone_largest == pytest.approx(2)
    assert changed.expected_global_mean == pytest.approx(0.5)
    assert changed.expected_global_largest == pytest.approx(1)
    assert (changed.milliseconds, changed.speed.ratio) == (5.0, 3.0)


def test_every_contestant_scores_as_the_scorer_does(
    tiny_bundle: Bundle, steeper_bundle: Bundle, chest_png: Path, chest_dicom: Path
) -> None:
    contestants = pair([tiny_bundle, steeper_bundle], ["onnxruntime"])
    found = measure_agreement(contestants, [chest_png, chest_dicom])
    assert found.milliseconds.shape == (2, 2)
    assert (found.milliseconds > 0).all()
    for row, bundle in enumerate((tiny_bundle, steeper_bundle)):
        with Scorer(bundle, "onnxruntime") as scorer:
            scores = [scorer.score(file).score for file in (chest_png, chest_dicom)]
        expected = [[zone.expected for zone in score.zones] for score in scores]
        np.testing.assert_allclose(found.expected[row], expected, atol=1e-6)
        argmax = [[zone.score for zone in score.zones] for score in scores]
        assert found.scores[row].tolist() == argmax
    summary = summarise_agreement(found)[1]
    assert summary.zones_equal == 0
    gap = np.abs(found.expected[1] - found.expected[0]).max()
    assert summary.expected_zone_largest == pytest.approx(gap)


def test_files_that_cannot_be_read_are_passed_over(
    tiny_bundle: Bundle, chest_png: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"no radiograph")
    contestants = pair([tiny_bundle], ["onnxruntime"])
    assert measure_agreement(contestants, [broken, chest_png]).files == (chest_png,)
    with pytest.raises(UnreadableImage, match="none of 1 files"):
        measure_agreement(contestants, [broken])


def test_bundles_that_prepare_differently_are_refused(
    tiny_bundle: Bundle, tiny_manifest: Manifest, tmp_path: Path, chest_png: Path
) -> None:
    manifest = replace(tiny_manifest, preprocess=PreprocessSpec("clahe"))
    other = write_bundle(tmp_path / "clahe", manifest, {MODEL: tiny_model()})
    with pytest.raises(BundleError, match="clahe 512, equalize 512"):
        measure_agreement(pair([tiny_bundle, other], ["onnxruntime"]), [chest_png])


def test_auto_takes_every_installed_backend_that_needs_no_engine(tiny_bundle: Bundle) -> None:
    assert [each.backend for each in pair([tiny_bundle], ["auto"])] == ["openvino", "onnxruntime"]


def test_every_row_of_the_tables_is_marked_for_research(tiny_bundle: Bundle) -> None:
    found = made([one_hot([[1, 2, 3, 0, 0, 0]])], [[4.0]], tiny_bundle)
    (row,) = image_rows(found)
    cells = dict(zip(COLUMNS, row, strict=True))
    assert (cells["B"], cells["global"], cells["expected_C"]) == (2, 6, 3.0)
    assert (cells["milliseconds"], cells["notice"]) == (4.0, RESEARCH_USE)
    assert to_dict(found)["notice"] == RESEARCH_USE


def test_the_command_writes_text_csv_and_json(
    tiny_bundle: Bundle,
    steeper_bundle: Bundle,
    chest_png: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    roots = [str(tiny_bundle.root), str(steeper_bundle.root)]
    bundles = [word for root in roots for word in ("--bundle", root)]
    line = ["benchmark", "agreement", str(chest_png.parent), *bundles, "--backend", "onnxruntime"]
    assert main(line) == 0
    assert RESEARCH_USE in capsys.readouterr().out
    assert main([*line, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["precision"] for row in rows] == ["fp32", "int8"]
    assert main([*line, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [summary["zones_equal"] for summary in found["summaries"]] == [1.0, 0.0]
    assert float(rows[1]["expected_A"]) == found["scores"][1]["expected_A"]


def test_a_light_network_is_told_from_an_exact_one_of_its_name(
    tiny_bundle: Bundle, tiny_light_bundle: Bundle, chest_png: Path
) -> None:
    contestants = pair([tiny_bundle, tiny_light_bundle], ["onnxruntime"])
    assert [each.name for each in contestants] == [
        "tiny fp32, onnxruntime",
        "tiny light, fp32, onnxruntime",
    ]
    rows = image_rows(measure_agreement(contestants, [chest_png]))
    assert [row[COLUMNS.index("variant")] for row in rows] == ["exact", "light"]


def test_options_before_a_part_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--runs", "3", "roofline"]) == 2
    assert "behind 'roofline'" in capsys.readouterr().err


def test_the_calibration_table_tells_its_images_apart(
    tmp_path: Path, tiny_manifest: Manifest, tiny_bundle: Bundle, chest_png: Path
) -> None:
    # The digest as sha256sum prints it for the four bytes "abc\n".
    digest = "edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb"
    files = {MODEL: tiny_model(), "calibration.json": calibration_table([digest])}
    bundle = write_bundle(tmp_path / "int8", replace(tiny_manifest, precision="int8"), files)
    (tmp_path / "abc.png").write_bytes(b"abc\n")
    assert calibrated_images(tiny_bundle) == frozenset()
    found = find_radiographs([chest_png.parent])
    among, others = split_by_digest(found, calibrated_images(bundle))
    assert among == [tmp_path / "abc.png"]
    assert chest_png in others
