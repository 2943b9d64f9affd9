"""Deletion curves blank what they say, and their summary is the plain statistics."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brixia_edge.benchmarks.explanation.deletion import (
    FRACTIONS,
    ExplainedRadiograph,
    area_under,
    deletion_curve,
)
from brixia_edge.benchmarks.explanation.faithfulness import (
    ORDERS,
    command,
    estimate,
    spread,
    summarise,
)
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.preparation.preprocess import preprocess
from brixia_edge.runtime.results import RESEARCH_USE
from brixia_edge.runtime.scorer import Scorer
from click.testing import CliRunner
from numpy.typing import NDArray

stats: Any = import_module("scipy.stats")  # its types are incomplete


@pytest.fixture
def stripes() -> NDArray[np.int32]:
    """Ten equal super-pixels: stripes of 20 rows in the middle of the image."""
    labels = np.zeros((512, 512), np.int32)
    for stripe in range(10):
        labels[150 + 20 * stripe : 170 + 20 * stripe, 100:400] = stripe + 1
    return labels


def _probability(mean: float) -> float:
    """Of score 3 by the tiny network: its logits are 0, 1, 2 and 3 times the mean."""
    logits = np.exp(np.arange(4) * mean)
    return float(logits[3] / logits.sum())


def test_a_curve_is_the_probability_worked_out_by_hand(
    tiny_bundle: Bundle, chest_png: Path, stripes: NDArray[np.int32]
) -> None:
    weights = np.random.default_rng(0).random(10)
    with Scorer(tiny_bundle, "onnxruntime") as scorer:
        result = scorer.score(chest_png)
        image = preprocess(result.radiograph, tiny_bundle.manifest.preprocess)
        subject = ExplainedRadiograph(result, image, stripes)
        curve = deletion_curve(scorer, subject, weights)
    # Upright, the middles of A, B and C lie in rows 102, 256 and 410: one stripe, eight and one.
    assert subject.zones.tolist() == [0, *[1] * 8, 2]
    middle = 1 + np.argsort(-weights[1:9])
    # Of one stripe every share needs all, of eight stripes 5 % need one, 15 % two and so on.
    counts = (0, 1, 1, 2, 2, 3, 4, 5, 8)
    for value, count in zip(curve, counts, strict=True):
        gone = [0, 9, *middle[:count]] if count else []
        left = np.where(np.isin(stripes, np.array(gone) + 1), 0, image[0, 0])
        assert value == pytest.approx(_probability(float(left.mean(dtype=np.float64))), abs=1e-5)


def test_the_area_is_that_under_the_line() -> None:
    assert area_under(np.ones(len(FRACTIONS))) == pytest.approx(1.0)
    assert area_under(1 - np.array(FRACTIONS)) == pytest.approx(0.5)


def test_every_superpixel_has_a_weight(
    tiny_bundle: Bundle, chest_png: Path, stripes: NDArray[np.int32]
) -> None:
    with Scorer(tiny_bundle, "onnxruntime", outputs=("zone_evidence",)) as scorer:
        result = scorer.score(chest_png)
        image = preprocess(result.radiograph, tiny_bundle.manifest.preprocess)
        subject = ExplainedRadiograph(result, image, stripes)
        weights = {name: weigh(scorer, subject) for name, weigh in ORDERS.items()}
    assert {name: len(found) for name, found in weights.items()} == {
        "evidence": 1,
        "random": 3,
        "occlusion": 1,
    }
    assert all(one.shape == (10,) for found in weights.values() for one in found)
    # The brightest stripe takes most from the mean, and so from the tiny network's score.
    brightness = [image[0, 0][stripes == label].mean() for label in range(1, 11)]
    assert weights["occlusion"][0].argmax() == np.argmax(brightness)


def test_a_superpixel_has_the_value_of_its_own_zone(
    tiny_bundle: Bundle, chest_png: Path, stripes: NDArray[np.int32]
) -> None:
    with Scorer(tiny_bundle, "onnxruntime") as scorer:
        result = scorer.score(chest_png)
    subject = ExplainedRadiograph(result, np.zeros((1, 1, 512, 512), np.float32), stripes)
    by_zone = np.tile(np.arange(6.0), (10, 1))
    assert subject.own(by_zone).tolist() == [0, *[1] * 8, 2]
    rows = np.indices((512, 512))[0]
    assert subject.means(rows).tolist() == [159.5 + 20 * stripe for stripe in range(10)]


def test_intervals_are_those_of_an_independent_bootstrap() -> None:
    values = np.random.default_rng(5).gamma(2.0, size=40)
    found = estimate(values)
    other = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=1)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(other.confidence_interval.low, abs=0.03)
    assert found.high == pytest.approx(other.confidence_interval.high, abs=0.03)


def test_differences_are_paired() -> None:
    levels = np.random.default_rng(0).uniform(0.2, 0.8, 20)
    one = np.ones(len(FRACTIONS))
    curves = [{"first": one * level, "second": one * (level + 0.1)} for level in levels]
    found = summarise(curves)
    difference = found.differences["first - second"]
    assert (difference.mean, difference.low, difference.high) == pytest.approx((-0.1,) * 3)
    assert found.images == 20


def test_files_are_taken_evenly() -> None:
    files = [Path(str(number)) for number in range(10)]
    assert [file.name for file in spread(files, 3)] == ["0", "3", "6"]
    assert spread(files, 99) == files


def test_the_module_writes_its_report(
    tiny_bundle: Bundle, chest_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _accept_everything(monkeypatch)
    report = tmp_path / "report.json"
    images = ["--images", str(chest_png), "--bundle", str(tiny_bundle.root)]
    orders = ["--order", "evidence", "--order", "random"]
    done = CliRunner().invoke(command, [*images, *orders, "-o", str(report)])
    assert done.exit_code == 0, done.output
    found = json.loads(report.read_text())
    assert found["notice"] == RESEARCH_USE
    assert found["images"] == 1
    assert set(found["by_image"]) == {"chest.png"}
    assert set(found["differences"]) == {"evidence - random"}
    assert len(found["curves"]["random"]) == len(FRACTIONS)


def _accept_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny network's lungs are doubtful to every check."""
    from brixia_edge.runtime import scorer
    from brixia_edge.runtime.results import Quality

    def accept(*_: object) -> Quality:
        return Quality()

    monkeypatch.setattr(scorer, "assess_quality", accept)
