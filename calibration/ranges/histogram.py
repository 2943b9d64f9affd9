"""How often values of a tensor occur: a histogram that takes in one tensor after the other.

The bins lie over absolute values, because activations are quantised symmetrically. They reach to a
power of two that grows when a larger value comes: then bins merge by pairs, which is exact, so the
order of the tensors makes no difference and histograms of parts add up to that of the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...runtime.errors import CalibrationError

BINS = 2048
"""As TensorRT's calibrator has; at least half of them lie below the largest value."""

_SMALLEST_EXPONENT = -100
_LARGEST_EXPONENT = 127
"""Of the power of two that the bins reach to: float32 goes no further."""

_PIECE = 2**24
"""OpenCV returns counts as float32, which holds whole numbers exactly up to here."""


def _no_counts() -> NDArray[np.int64]:
    return np.zeros(BINS, np.int64)


@dataclass
class Histogram:
    """The values that one tensor took.

    Attributes
    ----------
    name
        The tensor's.
    counts
        int64 ``[BINS]``: how many values have an absolute value in each of the equal bins from 0
        to `limit`. A negative value on the border of two bins counts in the one nearer to 0. Exact
        zeros are left out.
    zeros
        How many values were exactly zero. Any scale represents them without error, and after a
        ReLU they are so many that they would drown what the histogram is asked.
    limit
        A power of two above every absolute value; 0.0 until there is one that is not zero.
    lowest, highest
        The exact extremes.
    """

    name: str
    counts: NDArray[np.int64] = field(default_factory=_no_counts)
    zeros: int = 0
    limit: float = 0.0
    lowest: float = np.inf
    highest: float = -np.inf

    @property
    def magnitude(self) -> float:
        """The largest absolute value; 0.0 when nothing but zeros came, or nothing at all."""
        return max(-self.lowest, self.highest, 0.0)

    @property
    def width(self) -> float:
        """The width of a bin."""
        return self.limit / BINS

    @property
    def used(self) -> int:
        """How many bins lie up to and including the last one that is not empty."""
        filled = np.flatnonzero(self.counts)
        return int(filled[-1]) + 1 if filled.size else 0

    def add(self, values: NDArray[np.float32]) -> None:
        """Take in a tensor of any shape.

        Raises
        ------
        CalibrationError
            A value is not a number, infinite, or of 2**127 and more.
        """
        if not values.size:
            return
        lowest, highest = float(values.min()), float(values.max())
        reach = _reach(self.name, lowest, highest)
        self._grow(reach)
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)
        flat = values.ravel()
        zeros = flat.size - int(np.count_nonzero(flat))
        self.zeros += zeros
        if reach:
            self.counts += _count_magnitudes(flat, self.limit, lowest < 0)
            self.counts[0] -= zeros

    def merge(self, other: "Histogram") -> None:
        """Take in all that another histogram has taken in."""
        self._grow(other.limit)
        if other.limit:
            self.counts += _coarsened(other.counts, self.limit / other.limit)
        self.zeros += other.zeros
        self.lowest = min(self.lowest, other.lowest)
        self.highest = max(self.highest, other.highest)

    def _grow(self, reach: float) -> None:
        if self.limit and reach > self.limit:
            self.counts = _coarsened(self.counts, reach / self.limit)
        self.limit = max(self.limit, reach)


def _reach(name: str, lowest: float, highest: float) -> float:
    """Give the smallest allowed power of two above every absolute value, or 0 for zeros alone."""
    magnitude = max(-lowest, highest)
    # NumPy's extremes are NaN where any value is.
    if not magnitude < 2.0**_LARGEST_EXPONENT or np.isnan(lowest):
        raise CalibrationError(
            f"tensor {name!r} reaches from {lowest} to {highest}; a finite range is needed. The "
            "weights are damaged, or the radiograph is unlike those they were trained on"
        )
    if not magnitude:
        return 0.0
    return 2.0 ** max(int(np.frexp(magnitude)[1]), _SMALLEST_EXPONENT)


def _count_magnitudes(flat: NDArray[np.float32], limit: float, signed: bool) -> NDArray[np.int64]:
    if not signed:
        return _count(flat, BINS, 0.0, limit)
    # Counting both signs and folding spares a copy of the tensor with its absolute values.
    both = _count(flat, 2 * BINS, -limit, limit)
    return both[BINS:] + both[:BINS][::-1]


def _count(flat: NDArray[np.float32], bins: int, start: float, end: float) -> NDArray[np.int64]:
    """Count as `numpy.histogram` does, in a third of its time."""
    counts = np.zeros(bins, np.int64)
    for piece in _pieces(flat):
        counted: NDArray[Any] = cv2.calcHist([piece], [0], None, [bins], [start, end])
        counts += counted.ravel().astype(np.int64)
    return counts


def _pieces(flat: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, flat.size, _PIECE):
        yield flat[start : start + _PIECE]


def _coarsened(counts: NDArray[np.int64], factor: float) -> NDArray[np.int64]:
    """Merge `factor` (a power of two) bins into one, and leave the upper ones empty."""
    together = int(min(factor, BINS))
    merged: NDArray[np.int64] = np.asarray(counts.reshape(-1, together).sum(axis=1), np.int64)
    return np.concatenate([merged, np.zeros(BINS - merged.size, np.int64)])
