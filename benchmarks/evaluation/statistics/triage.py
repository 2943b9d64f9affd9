"""Severity triage: how well a rater's global score tells severe radiographs from the others."""

import math
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..results import RocPoint, Triage
from .raters import Pair
from .resampling import Draws, Floats, Resamples, figure
from .weighted import area_under_curve, divide

metrics: Any = import_module("sklearn.metrics")  # has no type information

THRESHOLDS = (7, 13)
"""The least global scores that count as severe."""

_ROUNDING = 1e-9  # a sum of six decimal fractions that should be 7 may fall short of it


def draw_triage(pair: Pair, threshold: int, resamples: Resamples) -> Draws:
    """`area`, `sensitivity` and `specificity` for the sample and every resample."""
    severe = is_severe(pair, threshold)
    ranking = pair.rater.global_values
    called = ranking >= threshold - _ROUNDING

    def statistic(weights: Floats) -> Draws:
        return {
            ("area",): area_under_curve(weights, ranking, severe),
            ("sensitivity",): divide(weights @ (severe & called), weights @ severe),
            ("specificity",): divide(weights @ ~(severe | called), weights @ ~severe),
        }

    return resamples.draw(statistic, pair.images)


def triage(pair: Pair, threshold: int, draws: Draws) -> Triage:
    """Put draws into words, and add the curve."""
    severe = is_severe(pair, threshold)
    return Triage(
        threshold=threshold,
        severe=int(severe.sum()),
        images=len(severe),
        area=figure(draws["area",]),
        sensitivity=figure(draws["sensitivity",]),
        specificity=figure(draws["specificity",]),
        curve=tuple(_curve(severe, pair.rater.global_values)),
    )


def is_severe(pair: Pair, threshold: int) -> NDArray[np.bool_]:
    """Bool ``[images]``, by the reference's whole scores."""
    return pair.reference.whole_scores.sum(axis=1) >= threshold


def _curve(severe: NDArray[np.bool_], ranking: Floats) -> Iterator[RocPoint]:
    """The corners of the curve; none where all radiographs are severe, or none is."""
    if severe.all() or not severe.any():
        return
    false_positive, sensitivity, cuts = metrics.roc_curve(severe, ranking)
    for cut, rate, found in zip(cuts, false_positive, sensitivity, strict=True):
        yield RocPoint(float(cut) if math.isfinite(cut) else None, float(found), float(rate))
