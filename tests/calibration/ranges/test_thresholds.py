"""Thresholds against definitions written out plainly."""

import math

import numpy as np
import pytest
from brixia_edge.calibration.ranges.histogram import Histogram
from brixia_edge.calibration.ranges.table_entries import METHODS
from brixia_edge.calibration.ranges.thresholds import (
    LEVELS,
    clipping_range,
    divergences,
    squared_errors,
)
from brixia_edge.runtime.errors import CalibrationError
from numpy.typing import NDArray


def histogram_of(values: NDArray[np.floating]) -> Histogram:
    histogram = Histogram("t")
    histogram.add(values.astype(np.float32))
    return histogram


def plain_divergence(counts: NDArray[np.int64], kept: int) -> float:
    """The divergence as the slides of TensorRT's calibrator spell it, bin by bin."""
    reference = counts[:kept].astype(float)
    candidate = np.zeros(kept)
    levels = [[b for b in range(kept) if b * LEVELS // kept == level] for level in range(LEVELS)]
    for bins in levels:
        filled = [b for b in bins if counts[b]]
        for b in filled:
            candidate[b] = sum(counts[c] for c in bins) / len(filled)
    reference[-1] += counts[kept:].sum()
    reference, candidate = reference / reference.sum(), candidate / candidate.sum()
    seen = reference > 0
    with np.errstate(divide="ignore"):
        return float((reference[seen] * np.log(reference[seen] / candidate[seen])).sum())


@pytest.mark.parametrize("seed", range(3))
def test_divergences_are_those_of_the_definition(seed: int) -> None:
    generator = np.random.default_rng(seed)
    counts = np.round(generator.exponential(200, 400) * np.exp(-np.arange(400) / 60)).astype(int)
    counts[generator.random(400) < 0.1] = 0
    counts[-1] = 1
    kept, lost = divergences(counts)
    assert kept.tolist() == list(range(LEVELS, 401))
    expected = [plain_divergence(counts, int(number)) for number in kept]
    np.testing.assert_allclose(lost, expected, rtol=1e-9, atol=1e-12)
    assert np.isinf(lost).any()


def test_squared_errors_are_those_of_quantising_each_bin() -> None:
    counts = np.random.default_rng(1).integers(0, 50, 300)
    limits = np.array([130, 215, 300])
    expected = [
        sum(
            count * (min(round((b + 0.5) / (limit / 127)), 127) * (limit / 127) - (b + 0.5)) ** 2
            for b, count in enumerate(counts)
        )
        for limit in limits
    ]
    np.testing.assert_allclose(squared_errors(counts, limits), expected)


def test_entropy_and_mse_clip_a_far_outlier_that_minmax_keeps() -> None:
    values = np.append(np.random.default_rng(2).standard_normal(100_000), 60.0)
    histogram = histogram_of(values)
    clipped = {method: clipping_range(histogram, method).magnitude for method in METHODS}
    assert clipped["minmax"] == 60.0
    assert 3.5 < clipped["entropy"] < 10
    assert 3.5 < clipped["percentile"] < 4.5
    assert clipped["mse"] < 60


def test_mse_is_near_the_best_of_real_quantisation() -> None:
    values = np.random.default_rng(3).laplace(size=200_000).astype(np.float32)
    threshold = clipping_range(histogram_of(values), "mse").magnitude

    def error(limit: float) -> float:
        step = limit / 127
        quantised = np.clip(np.round(values / step), -127, 127) * step
        return float(np.mean((quantised - values) ** 2))

    most = float(np.abs(values).max())
    best = min(error(2 + (most - 2) * share / 200) for share in range(201))
    assert error(threshold) <= 1.02 * best


@pytest.mark.parametrize("percentile", [50.0, 99.0, 99.9, 100.0])
def test_percentile_is_numpys_over_what_is_not_zero(percentile: float) -> None:
    values = np.random.default_rng(4).standard_normal(50_000).astype(np.float32)
    histogram = histogram_of(np.concatenate([values, np.zeros(400_000, np.float32)]))
    expected = float(np.percentile(np.abs(values), percentile))
    actual = clipping_range(histogram, "percentile", percentile).magnitude
    assert actual == pytest.approx(expected, abs=histogram.width)


@pytest.mark.parametrize("method", METHODS)
def test_zeros_do_not_move_a_threshold(method: str) -> None:
    values = np.maximum(np.random.default_rng(5).standard_normal(50_000), 0).astype(np.float32)
    with_zeros = clipping_range(histogram_of(values), method)
    assert with_zeros == clipping_range(
        histogram_of(np.append(values, np.zeros(200_000, np.float32))), method
    )
    assert with_zeros.lowest == 0.0
    assert 2.5 < with_zeros.highest <= values.max()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", [1e-25, 1e-6, 1e6, 1e30])
def test_a_threshold_scales_with_the_tensor(method: str, scale: float) -> None:
    """Powers of two scale exactly; others move the bins and so the threshold by little."""
    values = np.random.default_rng(6).standard_normal(50_000)
    once = clipping_range(histogram_of(values), method).magnitude
    scaled = clipping_range(histogram_of(values * scale), method).magnitude
    assert scaled / scale == pytest.approx(once, rel=0.2)
    exact = 2.0 ** round(math.log2(scale))
    exactly = clipping_range(histogram_of(values.astype(np.float32) * exact), method).magnitude
    assert exactly == pytest.approx(once * exact, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "values", [[0.0], [3.0], [-3.0], [0.0, 3.0], [3.0, 3.1], [-1e-30, 1e-30], [-5.0, 0.0, 1.0]]
)
def test_few_values_give_a_range_that_holds(method: str, values: list[float]) -> None:
    histogram = histogram_of(np.array(values * 50, np.float32))
    clip = clipping_range(histogram, method)
    assert histogram.lowest <= clip.lowest <= clip.highest <= histogram.highest
    assert (clip.magnitude > 0) == any(values)
    if len(values) == 1:
        assert clip.lowest == clip.highest == values[0]


def test_what_is_not_allowed_is_refused() -> None:
    histogram = histogram_of(np.ones(3, np.float32))
    with pytest.raises(CalibrationError, match="entropy, percentile, minmax, mse"):
        clipping_range(histogram, "median")
    with pytest.raises(CalibrationError, match="percentile is 0"):
        clipping_range(histogram, "percentile", 0.0)
    with pytest.raises(CalibrationError, match="no value of tensor 'x' was seen"):
        clipping_range(Histogram("x"))
