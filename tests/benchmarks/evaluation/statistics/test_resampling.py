"""Intervals: against SciPy's bootstrap, by their coverage, and by patient."""

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from brixia_edge.benchmarks.evaluation.results import Figure
from brixia_edge.benchmarks.evaluation.statistics.resampling import (
    Draws,
    Floats,
    Resamples,
    Statistic,
    clusters_of,
    figure,
)
from numpy.typing import NDArray

stats: Any = pytest.importorskip("scipy.stats")


def mean_of(values: Floats) -> Statistic:
    def statistic(weights: Floats) -> Draws:
        return {("mean",): weights @ values / weights.sum(axis=1)}

    return statistic


def interval(values: Floats, clusters: NDArray[np.int64], count: int, seed: int = 0) -> Figure:
    draws = Resamples(clusters, count, seed).draw(mean_of(values), np.arange(len(values)))
    return figure(draws["mean",])


def test_the_interval_is_that_of_scipys_percentile_bootstrap() -> None:
    values = np.random.default_rng(1).gamma(2, 1, 80)
    found = interval(values, np.arange(80), 20_000)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", random_state=2
    ).confidence_interval
    assert found.value == pytest.approx(values.mean())
    # Both ends move from seed to seed by some hundredths of the interval's width.
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.04 * width)
    assert found.high == pytest.approx(expected.high, abs=0.04 * width)


def test_about_95_of_100_intervals_hold_the_true_mean() -> None:
    generator = np.random.default_rng(5)
    held = 0
    for seed in range(400):
        found = interval(generator.normal(1, 2, 50), np.arange(50), 400, seed)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 1 <= found.high
    # Of a mean of 50 the percentile interval holds about 94 %; three standard errors are 3.6 %.
    assert 0.90 <= held / 400 <= 0.98


def test_images_of_one_patient_are_drawn_together() -> None:
    values = np.random.default_rng(6).normal(size=40)
    alone = interval(values, np.arange(40), 500)
    twice = interval(np.repeat(values, 2), clusters_of([f"p{i // 2}" for i in range(80)]), 500)
    apart = interval(np.repeat(values, 2), np.arange(80), 500)
    assert twice.low == pytest.approx(alone.low)
    assert twice.high == pytest.approx(alone.high)
    assert apart.low is not None
    assert alone.low is not None
    assert apart.low > alone.low


def test_an_image_without_patient_is_a_cluster_of_its_own() -> None:
    assert clusters_of(["a", None, "b", "a", None]).tolist() == [0, 1, 2, 0, 3]


def test_the_seed_decides_and_blocks_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(7).normal(size=30)

    def found(seed: int) -> Floats:
        return np.array(astuple(interval(values, np.arange(30), 300, seed)), np.float64)

    first, other = found(1), found(2)
    assert np.abs(other - first)[1:].min() > 0.001, "another seed draws another interval"
    monkeypatch.setattr("brixia_edge.benchmarks.evaluation.statistics.resampling._BLOCK", 100)
    # Some matrix libraries add up blocks of another size in another order, a few roundings apart.
    np.testing.assert_allclose(found(1), first, rtol=1e-12)


def test_a_figure_that_many_resamples_leave_undefined_has_no_interval() -> None:
    draws = np.array([0.5, *[0.4] * 80, *[np.nan] * 20])
    assert figure(draws) == Figure(0.5, None, None)
    few = np.array([0.5, *[0.4] * 95, *[np.nan] * 5])
    assert figure(few) == Figure(0.5, 0.4, 0.4)
    assert figure(np.full(11, np.nan)) == Figure(None, None, None)
