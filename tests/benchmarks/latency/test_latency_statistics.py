"""Figures and intervals against NumPy-free and SciPy computations, and on series made to order."""

import statistics
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from brixia_edge.benchmarks.latency.bootstrap import block_length, paired_ratio, unpaired_ratio
from brixia_edge.benchmarks.latency.latency_statistics import summarise
from brixia_edge.benchmarks.latency.warm_up import WINDOW, is_settled, warm_up
from numpy.typing import NDArray

stats: Any = import_module("scipy.stats")  # has no type information

TIMES = [12.0, 10.0, 11.0, 40.0, 13.0, 10.5, 11.5]
EXPERIMENTS = 120


def test_figures_are_those_of_other_software() -> None:
    summary = summarise(TIMES, batch=2)
    assert summary.runs == 7
    assert summary.minimum == 10.0
    assert summary.mean == pytest.approx(statistics.fmean(TIMES))
    assert summary.median == statistics.median(TIMES)
    quantiles = stats.mstats.mquantiles(TIMES, (0.9, 0.95, 0.99), alphap=1, betap=1)
    assert (summary.p90, summary.p95, summary.p99) == pytest.approx(tuple(quantiles))
    assert summary.coefficient_of_variation == pytest.approx(stats.variation(TIMES, ddof=1))
    assert summary.throughput == pytest.approx(2 * 7 / (sum(TIMES) / 1000))


def test_one_run_does_not_vary() -> None:
    assert summarise([5.0]).coefficient_of_variation == 0


def test_an_interval_is_about_that_of_scipy() -> None:
    generator = np.random.default_rng(1)
    times = generator.normal(100, 3, 200)
    ours = paired_ratio(times, np.full(200, 100.0))
    theirs = stats.bootstrap(
        (times / 100,), np.median, n_resamples=2000, method="percentile", rng=generator
    ).confidence_interval
    assert ours.ratio == np.median(times / 100)
    assert ours.lower == pytest.approx(theirs.low, abs=0.002)
    assert ours.upper == pytest.approx(theirs.high, abs=0.002)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_equal_series_seldom_seem_different(correlation: float) -> None:
    """Of 100 intervals of 95 % about 5 miss the truth; few runs and drift allow some more."""
    missed = 0
    for seed in range(EXPERIMENTS):
        one, other = drifting(correlation, 2 * seed), drifting(correlation, 2 * seed + 1)
        interval = unpaired_ratio(one, other, seed)
        missed += not interval.lower <= 1 <= interval.upper
    assert 0.01 <= missed / EXPERIMENTS <= 0.05 + 0.1 * (correlation + 0.5)


def drifting(correlation: float, seed: int, count: int = 60) -> NDArray[np.float64]:
    """Times around 100 of which each takes over part of the deviation of the one before."""
    generator = np.random.default_rng(seed)
    deviations = generator.normal(0, 3, count)
    for index in range(1, count):
        deviations[index] += correlation * deviations[index - 1]
    return 100 + deviations


def test_paired_runs_show_a_difference_that_drift_hides() -> None:
    generator = np.random.default_rng(3)
    drift = np.linspace(1, 2, 60)
    one = 97 * drift * generator.normal(1, 0.01, 60)
    other = 100 * drift * generator.normal(1, 0.01, 60)
    assert paired_ratio(one, other).upper < 1
    apart = unpaired_ratio(one, other)
    assert apart.lower < 1 < apart.upper


def test_an_interval_is_the_same_every_time() -> None:
    times = drifting(0.5, 0)
    assert unpaired_ratio(times, times * 2, seed=5) == unpaired_ratio(times, times * 2, seed=5)


def test_blocks_grow_with_the_cube_root() -> None:
    assert [block_length(count) for count in (1, 8, 27, 1000)] == [1, 2, 3, 10]


def test_times_that_fall_have_not_settled() -> None:
    falling = [100 * 0.9**run for run in range(2 * WINDOW)]
    assert not is_settled(falling)
    assert is_settled([*falling, *[30.0] * 2 * WINDOW])


def test_two_windows_are_needed() -> None:
    assert not is_settled([1.0] * (2 * WINDOW - 1))


def test_one_late_run_does_not_unsettle() -> None:
    assert is_settled([*[10.0] * 7, 500.0, 10.0, 10.0])


def test_warming_up_ends_when_times_have_settled() -> None:
    times = iter([100.0 * 0.8**run for run in range(12)] + [5.0] * 100)
    warmed = warm_up(lambda: next(times))
    assert warmed.settled
    assert 12 + WINDOW <= warmed.runs <= 12 + 2 * WINDOW


def test_warming_up_ends_when_time_is_up() -> None:
    growing = iter([1000.0 * 1.2**run for run in range(100)])
    warmed = warm_up(lambda: next(growing), maximum_seconds=30)
    assert not warmed.settled
    assert warmed.runs == 2 * WINDOW + 1
    assert warmed.seconds > 30
