"""Where to clip a tensor before it is quantised to symmetric int8.

Four methods, each from the histogram of the tensor's absolute values to a threshold:

``entropy``
    The threshold whose 128 levels lose the least information (Kullback-Leibler divergence).
    S. Migacz, "8-bit Inference with TensorRT", GTC 2017, S7310; ONNX Runtime's and TensorRT's
    entropy calibrators follow it.
``percentile``
    The value that a share of the values does not exceed.
``mse``
    The threshold with the smallest mean squared error of the quantised values.
``minmax``
    The largest value: nothing is clipped.

Exact zeros take no part: every scale represents them without error. So a tensor after a ReLU is
judged by what passed it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...runtime.errors import CalibrationError
from .histogram import Histogram
from .table import Range
from .table_entries import METHODS

LEVELS = 128
"""Magnitudes 0 to 127 that symmetric int8 tells apart."""

PERCENTILE = 99.99

_MSE_STEP = 1.01
"""Ratio of the thresholds that ``mse`` tries.

On the 312 tensors of the research model the best of these has an error 0.1 % (median) and at most
4 % above that of the best whole number of bins, which takes ten times as long to find.
"""

Floats = NDArray[np.float64]


def clipping_range(
    histogram: Histogram, method: str = "entropy", percentile: float = PERCENTILE
) -> Range:
    """Choose the range to which a tensor is clipped.

    Parameters
    ----------
    histogram
        Of at least one value.
    method
        One of `METHODS`.
    percentile
        For ``percentile``: the share kept, above 0 and up to 100.

    Returns
    -------
    Range
        Within the extremes; it touches 0 on the side where the tensor has no values.

    Raises
    ------
    CalibrationError
        The histogram is empty, or the method or the percentile is not allowed.
    """
    check_method(method, percentile)
    if histogram.lowest > histogram.highest:
        raise CalibrationError(f"no value of tensor {histogram.name!r} was seen; calibrate again")
    threshold = histogram.magnitude
    if method != "minmax" and histogram.lowest < histogram.highest:
        threshold = min(threshold, _CHOICES[method](histogram, percentile))
    lowest, highest = np.clip([histogram.lowest, histogram.highest], -threshold, threshold)
    return Range(float(lowest), float(highest))


def check_method(method: str, percentile: float) -> None:
    """Refuse a method or percentile that does not exist.

    Raises
    ------
    CalibrationError
        One of them is not allowed.
    """
    if method not in METHODS:
        raise CalibrationError(f"method {method!r} does not exist; there are {', '.join(METHODS)}")
    if not 0 < percentile <= 100:
        raise CalibrationError(f"percentile is {percentile}; above 0 and up to 100 is allowed")


def divergences(counts: NDArray[np.int64]) -> tuple[NDArray[np.intp], Floats]:
    """Tell what each number of bins kept loses when they become `LEVELS` levels.

    The reference is the histogram with all that lies beyond the kept bins added to the last of
    them; the candidate spreads the mean of each level over those of its bins that are not empty.
    In cumulative sums the divergence of a candidate needs only its levels, not its bins, so all
    candidates are worked out at once.

    Parameters
    ----------
    counts
        int64 ``[bins]``, the last one not empty, more than `LEVELS` of them.

    Returns
    -------
    How many bins are kept, ``[candidates]`` from `LEVELS` to all, and the Kullback-Leibler
    divergence in nats of each; infinite where the candidate leaves the last bin empty.
    """
    kept = np.arange(LEVELS, len(counts) + 1)
    bounds = -(-kept[:, None] * np.arange(LEVELS + 1) // LEVELS)
    reference = np.diff(_cumulated(counts)[bounds], axis=1)
    filled = np.diff(_cumulated(counts > 0)[bounds], axis=1)
    inside, total = _cumulated(counts)[kept], float(counts.sum())
    last, outside = counts[kept - 1], total - inside
    means = _log(reference / np.maximum(filled, 1))
    reference[:, -1] += outside
    own = _cumulated(_times_log(counts))[kept - 1] + _times_log(last + outside)
    result = (own - (reference * means).sum(axis=1)) / total + _log(inside / total)
    return kept, np.where((last == 0) & (outside > 0), np.inf, result)


def squared_errors(counts: NDArray[np.int64], limits: NDArray[np.intp]) -> Floats:
    """Tell the sum of squared errors, in squared bin widths, for thresholds in bin widths.

    Each value is taken to lie in the middle of its bin.
    """
    middles = np.arange(len(counts)) + 0.5
    steps = limits[:, None] / (LEVELS - 1)
    quantised = np.minimum(np.round(middles / steps), LEVELS - 1) * steps
    return ((quantised - middles) ** 2 @ counts.astype(np.float64)).astype(np.float64)


def _by_entropy(histogram: Histogram, percentile: float) -> float:
    del percentile
    if histogram.used <= LEVELS:
        return histogram.magnitude
    kept, lost = divergences(histogram.counts[: histogram.used])
    # Of equal ones the last, which clips the least.
    best = len(lost) - 1 - int(np.argmin(lost[::-1]))
    return float(kept[best]) * histogram.width


def _by_percentile(histogram: Histogram, percentile: float) -> float:
    cumulated = _cumulated(histogram.counts)
    wanted = float(cumulated[-1]) * percentile / 100
    position = int(np.searchsorted(cumulated, wanted))
    within = (wanted - cumulated[position - 1]) / (cumulated[position] - cumulated[position - 1])
    return float(position - 1 + within) * histogram.width


def _by_mse(histogram: Histogram, percentile: float) -> float:
    del percentile
    used = histogram.used
    count = int(np.log(used / min(LEVELS, used)) / np.log(_MSE_STEP)) + 1
    shares = np.float64(_MSE_STEP) ** -np.arange(count)
    limits = np.unique(np.round(used * shares)).astype(np.intp)
    best = int(np.argmin(squared_errors(histogram.counts[:used], limits)))
    return float(limits[best]) * histogram.width


_CHOICES: dict[str, Callable[[Histogram, float], float]] = {
    "entropy": _by_entropy,
    "percentile": _by_percentile,
    "mse": _by_mse,
}


def _cumulated(values: NDArray[np.generic]) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values.astype(np.float64))])


def _log(values: Floats) -> Floats:
    """Take the logarithm, and 0 where it does not exist: such terms have the weight 0."""
    return np.log(values, out=np.zeros_like(values), where=values > 0)


def _times_log(values: NDArray[np.generic]) -> Floats:
    numbers = values.astype(np.float64)
    return numbers * _log(numbers)
