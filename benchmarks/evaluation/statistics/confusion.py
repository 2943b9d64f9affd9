"""Confusion matrices of zone scores and of the global score."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....runtime.scores import SCORES
from ..results import POOLED, ConfusionMatrix
from .agreement import ZONES
from .raters import Pair
from .triage import THRESHOLDS

metrics: Any = import_module("sklearn.metrics")  # has no type information

HIGHEST = len(ZONES) * SCORES[-1]
"""The highest global score, 18."""

BIN_STARTS = (0, 4, *THRESHOLDS)
"""The least score of each bin of the global score: the triage thresholds, and 0 to 6 in two."""


def confusion_matrices(pair: Pair) -> Iterator[tuple[str, ConfusionMatrix]]:
    """Matrices by name: zones, pooled, global and global_bins; none without whole scores."""
    if pair.rater.scores is None:
        return
    scores, truth = pair.rater.scores, pair.reference.whole_scores
    zone_labels = [str(score) for score in SCORES]
    for column, zone in enumerate(ZONES):
        yield zone, _matrix(truth[:, column], scores[:, column], zone_labels)
    yield POOLED, _matrix(truth.ravel(), scores.ravel(), zone_labels)
    true_sum, sum_ = truth.sum(axis=1), scores.sum(axis=1)
    yield "global", _matrix(true_sum, sum_, [str(score) for score in range(HIGHEST + 1)])
    yield "global_bins", _matrix(_bins(true_sum), _bins(sum_), bin_labels())


def bin_labels() -> list[str]:
    """The bins of the global score, such as ``7-12``."""
    ends = [start - 1 for start in BIN_STARTS[1:]] + [HIGHEST]
    return [f"{start}-{end}" for start, end in zip(BIN_STARTS, ends, strict=True)]


def _bins(sums: NDArray[np.int64]) -> NDArray[np.intp]:
    """The number of the bin that each global score lies in."""
    return np.searchsorted(np.array(BIN_STARTS), sums, side="right") - 1


def _matrix(
    truth: NDArray[np.integer], scores: NDArray[np.integer], labels: list[str]
) -> ConfusionMatrix:
    """Count classes, which are numbered from 0."""
    counts = metrics.confusion_matrix(truth, scores, labels=range(len(labels)))
    return ConfusionMatrix(tuple(labels), tuple(tuple(map(int, row)) for row in counts))
