"""Histograms against NumPy's, taken at once over all that came bit by bit."""

import numpy as np
import pytest
from brixia_edge.calibration.ranges.histogram import BINS, Histogram
from brixia_edge.runtime.errors import CalibrationError
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def parts() -> list[Floats]:
    """Tensors of different shapes, signs and sizes, the largest neither first nor last."""
    generator = np.random.default_rng(0)
    scales = (0.3, 5.0, 100.0, 1e-3, 40.0)
    tensors = [generator.standard_normal((2, 3, 50, 40)) * scale for scale in scales]
    tensors.append(np.maximum(generator.standard_normal((1, 7, 90)), 0))
    return [tensor.astype(np.float32) for tensor in tensors]


def numpy_counts(values: Floats, limit: float) -> NDArray[np.intp]:
    magnitudes = np.abs(values[values != 0]).astype(np.float64)
    # A negative value on a border belongs to the lower bin.
    magnitudes[values[values != 0] < 0] *= 1 - 1e-12
    return np.histogram(magnitudes, BINS, (0.0, limit))[0]


def test_parts_added_one_by_one_count_as_all_at_once() -> None:
    histogram = Histogram("t")
    for part in parts():
        histogram.add(part)
    everything = np.concatenate([part.ravel() for part in parts()])
    assert histogram.limit == 2.0 ** np.ceil(np.log2(np.abs(everything).max()))
    np.testing.assert_array_equal(histogram.counts, numpy_counts(everything, histogram.limit))
    assert histogram.zeros == np.count_nonzero(everything == 0)
    assert (histogram.lowest, histogram.highest) == (everything.min(), everything.max())
    assert BINS / 2 < histogram.used <= BINS


def test_order_and_merging_make_no_difference() -> None:
    forwards, backwards, merged = Histogram("t"), Histogram("t"), Histogram("t")
    for part in parts():
        forwards.add(part)
        single = Histogram("part")
        single.add(part)
        merged.merge(single)
    for part in reversed(parts()):
        backwards.add(part)
    for other in (backwards, merged):
        np.testing.assert_array_equal(other.counts, forwards.counts)
        assert (other.zeros, other.limit) == (forwards.zeros, forwards.limit)
        assert (other.lowest, other.highest) == (forwards.lowest, forwards.highest)


@pytest.mark.parametrize("value", [1.0, 2.0**-30, -(2.0**20), 1e-45, 1.5e38])
def test_a_single_value_lies_below_the_limit(value: float) -> None:
    histogram = Histogram("t")
    histogram.add(np.full((3, 4), value, np.float32))
    assert histogram.counts.sum() == 12
    assert histogram.limit > histogram.magnitude == abs(np.float32(value))


def test_zeros_and_nothing_leave_no_bins() -> None:
    histogram = Histogram("t")
    histogram.add(np.zeros((0, 5), np.float32))
    assert histogram.magnitude == 0
    histogram.add(np.zeros((2, 5), np.float32))
    histogram.merge(Histogram("empty"))
    assert (histogram.zeros, histogram.limit, histogram.used) == (10, 0.0, 0)
    assert (histogram.lowest, histogram.highest) == (0.0, 0.0)


def test_a_growth_beyond_all_bins_keeps_every_count() -> None:
    histogram = Histogram("t")
    histogram.add(np.array([1e-20, 2e-20], np.float32))
    histogram.add(np.array([1e20], np.float32))
    assert histogram.counts[0] == 2
    assert histogram.counts.sum() == 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("company", [(), (0.0,), (-1.0, 1.0)])
def test_a_tensor_that_is_not_finite_is_refused_by_name(
    value: float, company: tuple[float, ...]
) -> None:
    histogram = Histogram("decoder/conv3")
    with pytest.raises(CalibrationError, match="decoder/conv3"):
        histogram.add(np.array([*company, value], np.float32))
    assert histogram.counts.sum() == 0


@pytest.mark.parametrize("scale", [1.0, 0.01, 1000.0, -1.0, 0.0])
def test_what_a_relu_leaves_is_known(scale: float) -> None:
    whole, rectified = Histogram("t"), Histogram("relu")
    for part in parts():
        lopsided = np.where(part > 0, part * np.float32(scale), part)
        whole.add(lopsided)
        rectified.add(np.maximum(lopsided, 0))
    found = whole.rectified("relu")
    np.testing.assert_array_equal(found.counts, rectified.counts)
    assert (found.zeros, found.limit) == (rectified.zeros, rectified.limit)
    assert (found.lowest, found.highest) == (rectified.lowest, rectified.highest)
    assert found.name == "relu"


@pytest.mark.parametrize("scale", [1.0, 0.01, 1000.0])
def test_signs_of_any_reach_count_as_numpy_does(scale: float) -> None:
    histogram = Histogram("t")
    values = np.concatenate([part.ravel() for part in parts()])
    values = np.where(values > 0, values * np.float32(scale), values).astype(np.float32)
    histogram.add(values)
    np.testing.assert_array_equal(histogram.counts, numpy_counts(values, histogram.limit))


def test_a_relu_of_nothing_is_nothing() -> None:
    found = Histogram("t").rectified("relu")
    assert (found.zeros, found.limit, found.lowest > found.highest) == (0, 0.0, True)
