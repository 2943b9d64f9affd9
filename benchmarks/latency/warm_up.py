"""Running until times have settled: caches filled, memory taken, clocks risen, threads awake."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

WINDOW = 5
"""Runs whose median is compared with the median of the runs before."""

TOLERANCE = 0.02
"""Two medians within this share of each other are the same."""

MAXIMUM_SECONDS = 30.0
"""After which measuring begins, settled or not."""


@dataclass(frozen=True)
class WarmUp:
    """How warming up went.

    Attributes
    ----------
    runs, seconds
        What it took.
    settled
        Whether the last two windows agreed within `TOLERANCE`.
    """

    runs: int
    seconds: float
    settled: bool


def warm_up(run: Callable[[], float], maximum_seconds: float = MAXIMUM_SECONDS) -> WarmUp:
    """Run until the times of two windows agree, or time is up.

    Parameters
    ----------
    run
        Does the work once and gives its milliseconds.
    maximum_seconds
        When to stop; two windows are always run.
    """
    times: list[float] = []
    while not _is_over(times, maximum_seconds):
        times.append(run())
    return WarmUp(len(times), sum(times) / 1000, is_settled(times))


def is_settled(times: list[float]) -> bool:
    """Whether the medians of the last two windows of runs agree within `TOLERANCE`."""
    if len(times) < 2 * WINDOW:
        return False
    earlier = float(np.median(times[-2 * WINDOW : -WINDOW]))
    later = float(np.median(times[-WINDOW:]))
    return abs(later - earlier) <= TOLERANCE * earlier


def _is_over(times: list[float], maximum_seconds: float) -> bool:
    if len(times) < 2 * WINDOW:
        return False
    return is_settled(times) or sum(times) / 1000 >= maximum_seconds
