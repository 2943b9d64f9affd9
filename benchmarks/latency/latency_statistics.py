"""What a series of times comes to: order statistics, throughput, and how much it varies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
"""Milliseconds of each run, in the order of the runs."""


@dataclass(frozen=True)
class LatencySummary:
    """A series of times in figures.

    Attributes
    ----------
    runs
        How many runs there were.
    minimum, mean, median, p90, p95, p99
        Milliseconds of one run; percentiles are interpolated linearly between runs.
    throughput
        Images per second while nothing else was done: the runs' images by the sum of their times.
    coefficient_of_variation
        Standard deviation (of a sample) by the mean; 0 for a single run.
    """

    runs: int
    minimum: float
    mean: float
    median: float
    p90: float
    p95: float
    p99: float
    throughput: float
    coefficient_of_variation: float


def summarise(times: Sequence[float] | Times, batch: int = 1) -> LatencySummary:
    """Put a series of times into figures.

    Parameters
    ----------
    times
        Milliseconds of each run, at least one.
    batch
        Images in each run.
    """
    series = np.asarray(times, np.float64)
    median, p90, p95, p99 = (float(each) for each in np.percentile(series, (50, 90, 95, 99)))
    mean = float(series.mean())
    deviation = float(series.std(ddof=1)) if series.size > 1 else 0.0
    return LatencySummary(
        runs=int(series.size),
        minimum=float(series.min()),
        mean=mean,
        median=median,
        p90=p90,
        p95=p95,
        p99=p99,
        throughput=1000 * batch / mean,
        coefficient_of_variation=deviation / mean,
    )
