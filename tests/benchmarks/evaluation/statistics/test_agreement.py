"""Every figure of agreement, recomputed with scikit-learn, SciPy and pingouin."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from brixia_edge.benchmarks.evaluation.results import EXPECTED, READER, SCORE, RaterAgreement
from brixia_edge.benchmarks.evaluation.statistics.agreement import agreement, draw_agreement
from brixia_edge.benchmarks.evaluation.statistics.raters import Pair, Rater
from brixia_edge.benchmarks.evaluation.statistics.resampling import Resamples
from brixia_edge.benchmarks.evaluation.statistics.weighted import Sums, spearman
from numpy.typing import NDArray

metrics: Any = pytest.importorskip("sklearn.metrics")
stats: Any = pytest.importorskip("scipy.stats")
pingouin: Any = pytest.importorskip("pingouin")
pandas: Any = pytest.importorskip("pandas")

Floats = NDArray[np.float64]


def independent_icc(x: Floats, y: Floats) -> float:
    table = pandas.DataFrame(
        {
            "target": np.tile(np.arange(len(x)), 2),
            "rater": np.repeat(["x", "y"], len(x)),
            "score": np.concatenate([x, y]),
        }
    )
    found = pingouin.intraclass_corr(table, "target", "rater", "score")
    return float(found["ICC"].iloc[1])  # ICC2, which newer releases call ICC(A,1)


def independent_values(x: Floats, y: Floats) -> dict[str, float]:
    return {
        "mae": metrics.mean_absolute_error(y, x),
        "sd": float(np.std(np.abs(x - y), ddof=1)),
        "icc": independent_icc(x, y),
    }


def independent_classes(x: Floats, y: Floats) -> dict[str, float]:
    labels = [0, 1, 2, 3]
    return {
        "accuracy": metrics.accuracy_score(y, x),
        "linear_kappa": metrics.cohen_kappa_score(y, x, labels=labels, weights="linear"),
        "quadratic_kappa": metrics.cohen_kappa_score(y, x, labels=labels, weights="quadratic"),
    }


def independent_global(x: Floats, y: Floats) -> dict[str, float]:
    difference = x - y
    limits = stats.norm.interval(0.95, difference.mean(), difference.std(ddof=1))
    return {
        **independent_values(x, y),
        "pearson": stats.pearsonr(x, y).statistic,
        "spearman": stats.spearmanr(x, y).statistic,
        "bias": float(difference.mean()),
        "lower_limit": float(limits[0]),
        "upper_limit": float(limits[1]),
    }


def figures(found: Mapping[str, Any]) -> dict[str, float]:
    return {name: figure.value for name, figure in found.items()}


def check(found: RaterAgreement, pair: Pair) -> None:
    """Every figure, with what it is compared to made by others."""
    x, y = pair.rater.values, pair.reference.values
    by_zone: dict[str, dict[str, float]] = {}
    for column, zone in enumerate("ABCDEF"):
        by_zone[zone] = independent_values(x[:, column], y[:, column])
        if pair.rater.scores is not None:
            by_zone[zone] |= independent_classes(x[:, column], y[:, column])
        assert figures(found.zones[zone]) == pytest.approx(by_zone[zone], abs=1e-5)
    mean = {name: np.mean([by_zone[zone][name] for zone in by_zone]) for name in by_zone["A"]}
    assert figures(found.zones["mean"]) == pytest.approx(mean, abs=1e-5)
    pooled = independent_values(x.ravel(), y.ravel())
    if pair.rater.scores is not None:
        pooled |= independent_classes(x.ravel(), y.ravel())
    assert figures(found.zones["pooled"]) == pytest.approx(pooled, abs=1e-5)
    # 1.96 and the exact quantile of the normal distribution differ in the fifth digit.
    expected = independent_global(x.sum(axis=1), y.sum(axis=1))
    assert figures(found.global_score) == pytest.approx(expected, rel=1e-4)


def agree(pair: Pair, resamples: int = 1) -> RaterAgreement:
    drawn = Resamples(np.arange(len(pair.images)), resamples, seed=0)
    return agreement(draw_agreement(pair, drawn), pair, [None] * len(pair.images))


@pytest.mark.parametrize("kind", [SCORE, EXPECTED])
def test_every_figure_is_that_of_known_libraries(pairs: Mapping[str, Pair], kind: str) -> None:
    check(agree(pairs[kind]), pairs[kind])


@pytest.mark.parametrize("kind", [SCORE, EXPECTED])
def test_a_resample_gives_what_its_images_copied_out_give(
    pairs: Mapping[str, Pair], kind: str
) -> None:
    pair = pairs[kind]
    resamples = Resamples(np.arange(len(pair.images)), 3, seed=8)
    draws = draw_agreement(pair, resamples)
    for row in (1, 2, 3):
        places = np.repeat(np.arange(len(pair.images)), resamples.weights[row])
        copied = Pair(pair.rater.some(places), pair.reference.some(places), places)
        x, y = copied.rater.values, copied.reference.values
        for name, value in independent_global(x.sum(axis=1), y.sum(axis=1)).items():
            assert draws["global_score", name][row] == pytest.approx(value, rel=1e-4)
        for name, value in independent_values(x[:, 2], y[:, 2]).items():
            assert draws["zones", "C", name][row] == pytest.approx(value, abs=1e-5)
        if kind == SCORE:
            for name, value in independent_classes(x[:, 2], y[:, 2]).items():
                assert draws["zones", "C", name][row] == pytest.approx(value)


def test_bland_and_altmans_own_example() -> None:
    # Peak expiratory flow by two meters: Lancet 1986; 327: 307, table 1 and the text below it.
    large = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    columns = [np.array(values, np.float64)[:, None] for values in (large, mini)]
    sums = Sums.of(np.ones((1, len(large))), *columns)
    lower, upper = (float(limit.item()) for limit in sums.limits())
    assert sums.bias().item() == pytest.approx(-2.1, abs=0.05)
    assert (upper - lower) / (2 * 1.96) == pytest.approx(38.8, abs=0.05)


def test_figures_without_variance_are_undefined() -> None:
    scores = np.full((5, 6), 2)
    constant = Rater("x", READER, scores.astype(np.float64), scores, np.ones(5, np.bool_))
    found = agree(Pair.of(constant, constant))
    assert found.global_score["mae"].value == 0
    for name in ("pearson", "spearman", "icc"):
        assert found.global_score[name].value is None
    assert found.zones["A"]["quadratic_kappa"].value is None
    assert found.zones["A"]["accuracy"].value == 1


def test_only_images_that_both_scored_count(pairs: Mapping[str, Pair], reader: Rater) -> None:
    present = np.arange(60) % 3 > 0
    assert reader.scores is not None
    part = Rater("J", READER, reader.values, reader.scores, present)
    pair = Pair.of(pairs[SCORE].rater, part)
    assert pair.images.tolist() == [index for index in range(60) if index % 3]
    copied = Pair.of(pairs[SCORE].rater.some(pair.images), part.some(pair.images))
    drawn = draw_agreement(pair, Resamples(np.arange(60), 1, seed=0))
    check(agreement(drawn, pair, [None] * 60), copied)


def test_spearman_with_weights_averages_the_ranks_of_ties() -> None:
    x, y = np.array([1.0, 2, 2, 5, 3]), np.array([2.0, 2, 4, 4, 1])
    weights = np.array([[1.0, 0, 3, 2, 1]])
    repeats = weights[0].astype(int)
    expected = stats.spearmanr(np.repeat(x, repeats), np.repeat(y, repeats)).statistic
    assert spearman(weights, x, y)[0] == pytest.approx(expected)
