"""Triage, reliability and confusion, against scikit-learn."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from brixia_edge.benchmarks.evaluation.results import EXPECTED, SCORE
from brixia_edge.benchmarks.evaluation.statistics.confusion import confusion_matrices
from brixia_edge.benchmarks.evaluation.statistics.raters import Pair
from brixia_edge.benchmarks.evaluation.statistics.reliability import draw_reliability, reliability
from brixia_edge.benchmarks.evaluation.statistics.resampling import Resamples
from brixia_edge.benchmarks.evaluation.statistics.triage import draw_triage, triage

metrics: Any = pytest.importorskip("sklearn.metrics")
calibration: Any = pytest.importorskip("sklearn.calibration")

Pairs = Mapping[str, Pair]


@pytest.fixture
def resamples() -> Resamples:
    return Resamples(np.arange(60), 50, seed=0)


@pytest.mark.parametrize("threshold", [7, 13])
@pytest.mark.parametrize("kind", [SCORE, EXPECTED])
def test_triage_is_scikit_learns(
    pairs: Pairs, resamples: Resamples, kind: str, threshold: int
) -> None:
    pair = pairs[kind]
    draws = draw_triage(pair, threshold, resamples)
    found = triage(pair, threshold, draws)
    severe = pair.reference.values.sum(axis=1) >= threshold
    ranking = pair.rater.values.sum(axis=1)
    called = ranking >= threshold
    assert (found.severe, found.images) == (severe.sum(), 60)
    assert found.area.value == pytest.approx(metrics.roc_auc_score(severe, ranking))
    assert found.sensitivity.value == pytest.approx(metrics.recall_score(severe, called))
    assert found.specificity.value == pytest.approx(metrics.recall_score(~severe, ~called))
    rates = [point.false_positive_rate for point in found.curve]
    heights = [point.sensitivity for point in found.curve]
    assert metrics.auc(rates, heights) == pytest.approx(found.area.value)
    for row in (1, 2):
        expected = metrics.roc_auc_score(severe, ranking, sample_weight=resamples.weights[row])
        assert draws["area",][row] == pytest.approx(expected)


def test_without_severe_radiographs_there_is_no_curve(pairs: Pairs, resamples: Resamples) -> None:
    found = triage(pairs[SCORE], 19, draw_triage(pairs[SCORE], 19, resamples))
    assert found.curve == ()
    assert (found.severe, found.area.value, found.sensitivity.value) == (0, None, None)
    assert found.specificity.value == 1


def test_reliability_is_scikit_learns(pairs: Pairs, resamples: Resamples) -> None:
    pair = pairs[SCORE]
    assert pair.rater.probabilities is not None
    assert pair.reference.scores is not None
    confidence = pair.rater.probabilities.max(axis=2).ravel()
    right = pair.rater.probabilities.argmax(axis=2).ravel() == pair.reference.scores.ravel()
    accuracy, mean = calibration.calibration_curve(right, confidence, n_bins=10)
    counts = np.histogram(confidence, bins=10, range=(0, 1))[0]
    found = reliability(pair, draw_reliability(pair, resamples))
    filled = [part for part in found.bins if part.zones]
    assert [part.zones for part in found.bins] == counts.tolist()
    assert [part.accuracy for part in filled] == pytest.approx(accuracy.tolist())
    assert [part.confidence for part in filled] == pytest.approx(mean.tolist())
    gap = np.average(np.abs(accuracy - mean), weights=counts[counts > 0])
    assert found.expected_calibration_error.value == pytest.approx(gap)
    truth = np.eye(4)[pair.reference.scores.ravel()]
    brier = 4 * metrics.mean_squared_error(truth, pair.rater.probabilities.reshape(-1, 4))
    assert found.brier.value == pytest.approx(brier)


def test_confusion_matrices_are_scikit_learns(pairs: Pairs) -> None:
    pair = pairs[SCORE]
    found = dict(confusion_matrices(pair))
    assert pair.rater.scores is not None
    assert pair.reference.scores is not None
    for column, zone in enumerate("ABCDEF"):
        expected = metrics.confusion_matrix(
            pair.reference.scores[:, column], pair.rater.scores[:, column], labels=[0, 1, 2, 3]
        )
        assert np.array(found[zone].counts).tolist() == expected.tolist()
    pooled = np.sum([found[zone].counts for zone in "ABCDEF"], axis=0)
    assert np.array(found["pooled"].counts).tolist() == pooled.tolist()


def test_the_coarse_bins_are_parts_of_the_global_matrix(pairs: Pairs) -> None:
    found = dict(confusion_matrices(pairs[SCORE]))
    assert found["global_bins"].labels == ("0-3", "4-6", "7-12", "13-18")
    whole = np.array(found["global"].counts)
    assert whole.shape == (19, 19)
    assert whole.sum() == 60
    starts = [0, 4, 7, 13]
    parts = np.add.reduceat(np.add.reduceat(whole, starts, axis=0), starts, axis=1)
    assert np.array(found["global_bins"].counts).tolist() == parts.tolist()


def test_expected_scores_have_no_confusion_matrix(pairs: Pairs) -> None:
    assert dict(confusion_matrices(pairs[EXPECTED])) == {}
