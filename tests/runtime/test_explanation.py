"""Explanations lie where the network looked, add up, and carry their notice."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from brixia_edge.export.network.zones import resampling_matrix
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.contract import COLUMN_BANDS, ROW_BANDS
from brixia_edge.runtime.errors import MissingExtra, UnsupportedImage
from brixia_edge.runtime.explanation.evidence import contrast, explain_by_evidence
from brixia_edge.runtime.explanation.explainer import explain
from brixia_edge.runtime.explanation.explanation import Explanation
from brixia_edge.runtime.explanation.legend import colour_field, legend_strip
from brixia_edge.runtime.explanation.occlusion import even_batches, probability_drops
from brixia_edge.runtime.explanation.panel import explanation_panel
from brixia_edge.runtime.explanation.superpixels import lung_superpixels
from brixia_edge.runtime.explanation.tint import full_colour, tinted
from brixia_edge.runtime.explanation.zone_maps import lay_on_input
from brixia_edge.runtime.preparation.preprocess import preprocess
from brixia_edge.runtime.reports.drawing import STRIP_GROUND, TextStyle, text_strip
from brixia_edge.runtime.reports.overlay import SCORE_COLOURS
from brixia_edge.runtime.results import RESEARCH_USE, ScoredRadiograph
from brixia_edge.runtime.scorer import Scorer
from make_models import UPRIGHT
from numpy.typing import NDArray

ndimage: Any = import_module("scipy.ndimage")  # its types are incomplete

Builder = Callable[..., ScoredRadiograph]
Affine = tuple[tuple[float, float, float], tuple[float, float, float]]

TURNED: Affine = ((0.8, -0.06, 0.05), (0.05, 0.75, -0.04))
BOXES = {
    "A": ((0.0, 0.4), (0.0, 0.5)),
    "B": ((0.3, 0.7), (0.0, 0.5)),
    "C": ((0.6, 1.0), (0.0, 0.5)),
    "D": ((0.0, 0.4), (0.5, 1.0)),
    "E": ((0.3, 0.7), (0.5, 1.0)),
    "F": ((0.6, 1.0), (0.5, 1.0)),
}
"""Rows and columns of the aligned frame, as the paper has them."""


def _matrix(theta: Affine) -> NDArray[np.float32]:
    return np.array(theta, np.float32)


def _place(zone: str, row: float, column: float, theta: Affine) -> tuple[float, float]:
    """By hand: the input's row and column from which a cell of a zone was read."""
    (top, bottom), (left, right) = BOXES[zone]
    y = 2 * (top + (bottom - top) * row / 15) - 1
    x = 2 * (left + (right - left) * column / 15) - 1
    (a, b, c), (d, e, f) = theta
    return (d * x + e * y + f + 1) / 2 * 512, (a * x + b * y + c + 1) / 2 * 512


@pytest.mark.parametrize("theta", [UPRIGHT, TURNED])
@pytest.mark.parametrize("zone", BOXES)
def test_a_hot_cell_comes_out_where_it_was_read(zone: str, theta: Affine) -> None:
    grids = np.zeros((6, 16, 16), np.float32)
    grids["ABCDEF".index(zone), 4, 11] = 1.0
    maps = lay_on_input(grids, _matrix(theta))
    weights = maps["ABCDEF".index(zone)].astype(np.float64)
    centre = np.array(ndimage.center_of_mass(weights))
    np.testing.assert_allclose(centre, _place(zone, 4, 11, theta), atol=0.5)
    assert np.count_nonzero(maps.any(axis=(1, 2))) == 1


def test_maps_are_what_an_independent_interpolation_gives() -> None:
    grids = np.random.default_rng(0).normal(size=(6, 16, 16)).astype(np.float32)
    maps = lay_on_input(grids, _matrix(TURNED))
    rows, columns = np.mgrid[0:512, 0:512]
    centred = np.stack([columns, rows]).reshape(2, -1) / 512 * 2 - 1 - _matrix(TURNED)[:, 2:]
    x, y = (np.linalg.inv(_matrix(TURNED)[:, :2].astype(np.float64)) @ centred + 1) / 2
    for (box_rows, box_columns), grid, found in zip(BOXES.values(), grids, maps, strict=True):
        (top, bottom), (left, right) = box_rows, box_columns
        cells = np.stack([(y - top) / (bottom - top), (x - left) / (right - left)]) * 15
        expected = ndimage.map_coordinates(grid, cells, order=1, mode="nearest")
        inside = ((cells > 0.05) & (cells < 14.95)).all(axis=0)
        outside = ((cells < -0.05) | (cells > 15.05)).any(axis=0)
        # OpenCV interpolates in steps of 1/32 of a cell, half of one off at the most, twice.
        steepest = np.abs(np.diff(grid, axis=0)).max() + np.abs(np.diff(grid, axis=1)).max()
        difference = np.abs(found.ravel() - expected)
        assert difference[inside].max() < steepest / 32
        assert not found.ravel()[outside].any()


def test_cells_lie_where_the_exported_network_cuts_them() -> None:
    """The rows and columns of the input, sent through the network's own sampling and cutting."""
    axis = np.linspace(-1, 1, 512)
    grid = np.stack([*np.meshgrid(axis, axis), np.ones((512, 512))])
    read = (np.tensordot(_matrix(TURNED).astype(np.float64), grid, 1) + 1) / 2 * 512
    row_cut, column_cut = (
        resampling_matrix(bands.values(), 512) for bands in (ROW_BANDS, COLUMN_BANDS)
    )
    cut = (row_cut @ read @ column_cut.T).reshape(2, 3, 512, 2, 512)
    # What is laid over each zone is its own cells' numbers, row and column apart.
    rows = np.repeat(np.arange(16, dtype=np.float32)[:, None], 16, axis=1)
    for wanted, index in ((rows, 3), (rows.T, 4)):
        maps = lay_on_input(np.repeat(wanted[None], 6, axis=0), _matrix(TURNED))
        for number, zone_map in enumerate(maps):
            columns, read_rows = cut[:, number % 3, :, number // 3, :]
            for row, column in ((100, 60), (250, 300), (400, 470)):
                at = round(float(read_rows[row, column])), round(float(columns[row, column]))
                cell = (row if index == 3 else column) / 511 * 15
                assert zone_map[at] == pytest.approx(cell, abs=0.1)


@pytest.mark.parametrize(
    "theta", [((0, 0, 0), (0, 0, 0)), ((1, 0, 50), (0, 1, 40)), ((1e6, 0, 0), (0, 1e6, 0))]
)
def test_wild_alignments_give_maps_all_the_same(theta: Affine) -> None:
    maps = lay_on_input(np.ones((6, 16, 16), np.float32), _matrix(theta))
    assert maps.shape == (6, 512, 512)
    assert np.isfinite(maps).all()


def _softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    logits = logits.astype(np.float64)
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def test_evidence_adds_up_to_the_log_odds_of_the_score() -> None:
    evidence = np.random.default_rng(1).normal(size=(6, 4, 16, 16)) * 3
    probabilities = _softmax(evidence.mean(axis=(2, 3)))
    found = contrast(evidence.astype(np.float32), probabilities.astype(np.float32))
    for zone in range(6):
        best = probabilities[zone].max()
        others = np.delete(probabilities[zone], probabilities[zone].argmax()) / (1 - best)
        entropy = -np.sum(others * np.log(others))
        expected = np.log(best / (1 - best)) + entropy
        assert found[zone].mean() == pytest.approx(expected, rel=1e-4)


def test_evidence_is_the_gradient_of_the_log_odds() -> None:
    """A little more of any logit anywhere changes the log odds as the map's weights say."""
    evidence = np.random.default_rng(2).normal(size=(6, 4, 16, 16))
    probabilities = _softmax(evidence.mean(axis=(2, 3)))
    score = int(probabilities[0].argmax())

    def log_odds(step: NDArray[np.float64]) -> float:
        best = _softmax((evidence + step).mean(axis=(2, 3)))[0, score]
        return float(np.log(best / (1 - best)))

    direction = np.random.default_rng(3).normal(size=evidence.shape)
    slope = (log_odds(1e-5 * direction) - log_odds(-1e-5 * direction)) / 2e-5
    changed = contrast(direction.astype(np.float32), probabilities.astype(np.float32))
    assert changed[0].mean() == pytest.approx(slope, rel=1e-3)


def test_a_score_without_doubt_has_finite_evidence() -> None:
    certain = np.tile(np.array([0, 0, 1, 0], np.float32), (6, 1))
    assert np.isfinite(contrast(np.ones((6, 4, 16, 16), np.float32), certain)).all()


@pytest.fixture
def explained(make_result: Builder) -> Explanation:
    """Evidence for every zone in its upper left corner, the more the later its letter."""
    evidence = np.zeros((6, 4, 16, 16), np.float32)
    scores = (0, 1, 2, 3, 2, 1)
    for zone, score in enumerate(scores):
        evidence[zone, score, :8, :8] = zone + 1
    result = make_result(alignment=TURNED)
    prediction = replace(result.prediction, zone_evidence=evidence)
    return explain_by_evidence(replace(result, prediction=prediction))


def test_where_zones_overlap_the_strongest_shows(explained: Explanation) -> None:
    strength, zones = explained.combined()
    np.testing.assert_allclose(strength, np.maximum(explained.zone_maps.max(axis=0), 0))
    row, column = (round(value) for value in _place("B", 1, 1, TURNED))
    assert zones[row, column] == "ABCDEF".index("B")
    assert strength[row, column] == pytest.approx(2.0)
    # No zone looked at the corner of the image.
    assert strength[0, 511] == 0


def test_evidence_that_was_not_asked_for_is_a_value_error(make_result: Builder) -> None:
    with pytest.raises(ValueError, match="zone_evidence"):
        explain_by_evidence(make_result())


def test_tint_goes_from_grey_to_the_colour_of_the_score() -> None:
    picture = np.full((512, 512, 3), 255, np.uint8)
    strength = np.zeros((512, 512), np.float32)
    strength[:256] = 2.0
    coloured = tinted(picture, strength, np.full((512, 512), 3))
    assert tuple(coloured[10, 10]) == SCORE_COLOURS[3]
    assert tuple(coloured[500, 10]) == (255, 255, 255)
    assert (picture == 255).all()


def test_the_panel_is_coloured_where_the_evidence_lies(explained: Explanation) -> None:
    panel = explanation_panel(explained)
    plain = explanation_panel(replace(explained, zone_maps=np.zeros_like(explained.zone_maps)))
    assert panel.shape == plain.shape
    # The second column holds the radiograph of 600 by 640, drawn 800 wide behind a gap of 8.
    changed = (panel != plain).any(axis=2)[:, 808:1608]
    top = int(np.flatnonzero((plain[:, 0] != plain[0, 0]).any(axis=1))[0])
    for zone, cell in (("C", (3, 3)), ("F", (3, 3))):
        row, column = _place(zone, *cell, TURNED)
        at = top + round((row + 0.5) / 512 * 750), round((column + 0.5) / 512 * 800)
        assert changed[at]
    row, column = _place("F", 13, 13, TURNED)
    assert not changed[top + round(row / 512 * 750), round(column / 512 * 800)]


@pytest.mark.parametrize("score", range(4))
def test_the_legend_has_every_colour_of_a_map(score: int) -> None:
    random = np.random.default_rng(score)
    greys = random.integers(0, 256, (512, 512), np.uint8)
    picture = np.repeat(greys[:, :, np.newaxis], 3, axis=2)
    drawn = tinted(picture, random.random((512, 512)), np.full((512, 512), score))
    field = colour_field(score, 60, 300)[1:-1, 1:-1].reshape(-1, 3).astype(int)
    for colour in drawn.reshape(-1, 3)[::7919]:
        # Steps of the field are 4 greys and 1 in 300 of the colour apart.
        assert np.abs(field - colour).max(axis=1).min() <= 4


@pytest.mark.parametrize("width", [1200, 2192, 2193])
def test_the_legend_ends_at_its_margin(width: int) -> None:
    strip = legend_strip(8.1, "evidence", width, 17)
    assert strip.shape[1] == width
    assert (strip[:, width - 17 :] == STRIP_GROUND).all()
    last_field = strip[-40, : width - 17]
    assert (last_field[-20:-8] != STRIP_GROUND).any(axis=1).all()


def test_the_panel_holds_the_legend(explained: Explanation) -> None:
    panel = explanation_panel(explained)
    legend = legend_strip(full_colour(explained), explained.unit, panel.shape[1], 17)
    height = len(legend)
    assert any(
        (panel[top : top + height] == legend).all() for top in range(len(panel) - height + 1)
    )


def test_the_panel_says_that_it_is_for_research_only(explained: Explanation) -> None:
    panel = explanation_panel(explained)
    line = text_strip([(RESEARCH_USE, TextStyle(17))], panel.shape[1], 17)[:34]
    assert any((panel[top : top + 34] == line).all() for top in range(len(panel) - 34))


def test_weak_maps_are_drawn_weak(explained: Explanation) -> None:
    weak = replace(explained, zone_maps=explained.zone_maps * 1e-3)
    assert full_colour(weak) == 1.0
    assert full_colour(explained) == pytest.approx(6.0, rel=0.05)


def test_superpixels_cut_all_of_the_lungs_and_nothing_else(
    lung_mask: NDArray[np.float32],
) -> None:
    image = np.random.default_rng(0).random((512, 512), np.float32)
    labels = lung_superpixels(image, lung_mask)
    np.testing.assert_array_equal(labels > 0, lung_mask > 0.5)
    count = labels.max()
    assert set(np.unique(labels)) == set(range(count + 1))
    # Even noise, which tears at every edge, leaves about as many as were asked for.
    assert 150 <= count <= 210


def test_an_image_that_is_lung_all_over_is_cut_too() -> None:
    labels = lung_superpixels(np.zeros((512, 512), np.float32), np.ones((512, 512), np.float32))
    assert labels.min() == 1


def test_no_lungs_is_an_error_that_names_the_way_out() -> None:
    nothing = np.zeros((512, 512), np.float32)
    with pytest.raises(UnsupportedImage, match="--method evidence"):
        lung_superpixels(nothing, nothing)


def test_missing_scikit_image_is_named_with_its_install_line(
    monkeypatch: pytest.MonkeyPatch, lung_mask: NDArray[np.float32]
) -> None:
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    with pytest.raises(MissingExtra, match=r"pip install 'brixia-edge\[report\]'"):
        lung_superpixels(lung_mask, lung_mask)


@pytest.mark.parametrize(
    ("count", "largest", "sizes"),
    [(9, 4, [3, 3, 3]), (10, 4, [4, 4, 4]), (3, 16, [3]), (1, 1, [1])],
)
def test_batches_have_one_size_and_miss_nothing(
    count: int, largest: int, sizes: Sequence[int]
) -> None:
    batches = even_batches(count, largest)
    assert [len(batch) for batch in batches] == sizes
    numbers = np.concatenate(batches)
    assert numbers[:count].tolist() == list(range(count))
    assert (numbers[count:] == count - 1).all()


def test_drops_are_those_worked_out_by_hand(tiny_bundle: Bundle, chest_png: Path) -> None:
    with Scorer(tiny_bundle, "onnxruntime") as scorer:
        result = scorer.score(chest_png)
        image = preprocess(result.radiograph, tiny_bundle.manifest.preprocess)
        pieces = [np.zeros((512, 512), np.bool_) for _ in range(6)]
        for index, piece in enumerate(pieces):
            piece[80 * index : 80 * index + 60, 100:300] = True
        drops = probability_drops(scorer, result, image, pieces)
    # The tiny network's logits are 0, 1, 2 and 3 times the mean, the same for every zone.
    before = _softmax(np.arange(4) * float(image.mean(dtype=np.float64)))[3]
    for piece, drop in zip(pieces, drops, strict=True):
        left = float(np.where(piece, 0, image[0, 0]).mean(dtype=np.float64))
        np.testing.assert_allclose(drop, before - _softmax(np.arange(4) * left)[3], atol=1e-5)


def test_occlusion_maps_hold_each_superpixels_drop(tiny_bundle: Bundle, chest_png: Path) -> None:
    shown: list[int] = []

    def progress(stage: str, items: Iterable[Any], count: int | None = None) -> Iterable[Any]:
        batches = list(items)
        shown.append(len(batches))
        return batches

    with Scorer(tiny_bundle, "onnxruntime") as scorer:
        explanation = explain(scorer, chest_png, "occlusion", progress)
        image = preprocess(explanation.result.radiograph, tiny_bundle.manifest.preprocess)
    labels = lung_superpixels(image[0, 0], explanation.result.prediction.lung_mask)
    assert shown == [-(-labels.max() // tiny_bundle.manifest.max_batch)]
    assert explanation.zone_maps.shape == (6, 512, 512)
    assert not explanation.zone_maps[:, labels == 0].any()
    mean = float(image.mean(dtype=np.float64))
    for label in (1, int(labels.max()) // 2, int(labels.max())):
        lost = float(image[0, 0][labels == label].sum(dtype=np.float64)) / 512**2
        expected = _softmax(np.arange(4) * mean)[3] - _softmax(np.arange(4) * (mean - lost))[3]
        found = explanation.zone_maps[:, labels == label]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_command_writes_pictures_and_arrays(
    tiny_bundle: Bundle, chest_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "why"
    options = ["--bundle", str(tiny_bundle.root), "--backend", "onnxruntime", "-o", str(folder)]
    forms = ["--format", "png", "--format", "npz"]
    assert main(["explain", str(chest_png), *options, *forms]) == 0
    out, err = capsys.readouterr()
    assert sorted(map(Path, out.split())) == sorted(folder.iterdir())
    assert RESEARCH_USE in err
    assert not any("chest" in file.name for file in folder.iterdir())
    (picture,) = folder.glob("*-evidence.png")
    assert cv2.imread(str(picture)) is not None
    with np.load(next(folder.glob("*-evidence.npz")), allow_pickle=False) as arrays:
        assert arrays["zone_maps"].shape == (6, 512, 512)
        assert arrays["zone_maps"].dtype == np.float32
        assert arrays["zone_scores"].tolist() == [3] * 6
        assert arrays["probabilities"].shape == (6, 4)
        np.testing.assert_array_equal(arrays["alignment"], np.array(UPRIGHT))
        assert arrays["shape"].tolist() == [400, 420]
        told = ("method", "model", "precision", "variant", "notice")
        texts = {name: str(arrays[name]) for name in told}
    assert texts == {
        "method": "evidence",
        "model": "tiny",
        "precision": "fp32",
        "variant": "exact",
        "notice": RESEARCH_USE,
    }


def test_the_command_goes_on_past_a_file_that_cannot_be_explained(
    tiny_bundle: Bundle, chest_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Equalised, a white picture stays white: the tiny network finds no lung in it.
    white = tmp_path / "white.png"
    white.write_bytes(cv2.imencode(".png", np.full((64, 64), 255, np.uint8))[1].tobytes())
    folder = tmp_path / "why"
    arguments = ["-o", str(folder), "--bundle", str(tiny_bundle.root), "--backend", "onnxruntime"]
    files = [str(tmp_path / "absent.png"), str(white), str(chest_png)]
    assert main(["explain", *files, *arguments, "--method", "occlusion", "--keep-names"]) == 1
    err = capsys.readouterr().err
    assert "absent.png: cannot be opened" in err
    assert "white.png: the network found no lungs" in err
    assert [file.name.split("-")[0] for file in folder.iterdir()] == ["chest"]


def test_the_radiologists_view_of_a_real_radiograph(
    shared: Callable[[str], Path], tmp_path: Path
) -> None:
    """The shipped network's evidence adds up to its own probabilities."""
    file = sorted(shared("cohen/images").iterdir())[0]
    with Scorer(backend="onnxruntime", outputs=("zone_evidence",)) as scorer:
        explanation = explain(scorer, file)
    prediction = explanation.result.prediction
    assert prediction.zone_evidence is not None
    logits = prediction.zone_evidence.astype(np.float64).mean(axis=(2, 3))
    np.testing.assert_allclose(_softmax(logits), prediction.probabilities, atol=1e-4)
    assert explanation.zone_maps.max() > 0
