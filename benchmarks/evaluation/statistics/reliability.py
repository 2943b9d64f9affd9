"""Whether a network's probabilities can be taken at their word."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ....runtime.scores import SCORES
from ..results import Reliability, ReliabilityBin
from .raters import Pair
from .resampling import Draws, Floats, Resamples, figure
from .weighted import divide

BINS = 10
"""Intervals of equal width that the highest probability is sorted into."""

_ERROR = ("expected_calibration_error",)
_BRIER = ("brier",)
_EDGES = np.linspace(0, 1, BINS + 1)


def draw_reliability(pair: Pair, resamples: Resamples) -> Draws:
    """`expected_calibration_error` and `brier` for the sample and every resample."""
    binned = _binned(pair)
    squares = _squared_distances(pair)

    def statistic(weights: Floats) -> Draws:
        zones, confidence, right = (weights @ part for part in binned)
        total = zones.sum(axis=1)
        return {
            _ERROR: divide(np.abs(confidence - right).sum(axis=1), total),
            _BRIER: divide((weights @ squares).sum(axis=1), total),
        }

    return resamples.draw(statistic, pair.images)


def reliability(pair: Pair, draws: Draws) -> Reliability:
    """Put draws into words, and add the curve."""
    return Reliability(figure(draws[_ERROR]), figure(draws[_BRIER]), tuple(_bins(pair)))


def _probabilities(pair: Pair) -> Floats:
    if pair.rater.probabilities is None:
        raise ValueError(f"rater {pair.rater.name} gives no probabilities")
    return pair.rater.probabilities


def _binned(pair: Pair) -> tuple[Floats, Floats, Floats]:
    """For each image and bin: zones in it, the sum of their confidence, how many are right.

    ``[images, BINS]`` each. A bin is open below and closed above, as in Guo et al. 2017.
    """
    probabilities = _probabilities(pair)
    confidence = probabilities.max(axis=2)
    right = probabilities.argmax(axis=2) == pair.reference.whole_scores
    places = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    inside = (places[:, :, None] == np.arange(BINS)).astype(np.float64)
    return (
        inside.sum(axis=1),
        (inside * confidence[:, :, None]).sum(axis=1),
        (inside * right[:, :, None]).sum(axis=1),
    )


def _squared_distances(pair: Pair) -> Floats:
    """For each image and zone, ``[images, 6]``."""
    truth: NDArray[np.bool_] = pair.reference.whole_scores[:, :, None] == np.array(SCORES)
    return ((_probabilities(pair) - truth) ** 2).sum(axis=2)


def _bins(pair: Pair) -> Iterator[ReliabilityBin]:
    sums = (part.sum(axis=0) for part in _binned(pair))
    for low, high, zones, confidence, right in zip(_EDGES[:-1], _EDGES[1:], *sums, strict=True):
        known = zones > 0
        yield ReliabilityBin(
            low=round(float(low), 6),
            high=round(float(high), 6),
            zones=int(zones),
            confidence=float(confidence / zones) if known else None,
            accuracy=float(right / zones) if known else None,
        )
