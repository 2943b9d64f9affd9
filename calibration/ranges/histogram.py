"""How often values of a tensor occur: a histogram that takes in one tensor after the other.

The bins lie over absolute values, because activations are quantised symmetrically. They reach to a
power of two that grows when a larger value comes: then bins merge by pairs, which is exact, so the
order of the tensors makes no difference and histograms of parts add up to that of the whole.

Both signs have bins of their own, so that what a ReLU leaves of a tensor is known as well.
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

_MOST_BINS = 16 * BINS
"""On one side, when both signs are counted at once: more no longer stay in a core's cache."""


def _no_counts() -> NDArray[np.int64]:
    return np.zeros(BINS, np.int64)


@dataclass
class Side:
    """The absolute values of one sign.

    Attributes
    ----------
    counts
        int64 ``[BINS]``: how many lie in each of the equal bins from 0 to `limit`.
    limit
        A power of two above them all; 0.0 until there is one.
    """

    counts: NDArray[np.int64] = field(default_factory=_no_counts)
    limit: float = 0.0

    def reach(self, limit: float) -> None:
        """Let the bins reach at least so far."""
        if self.limit and limit > self.limit:
            self.counts = _padded(_coarsened(self.counts, limit / self.limit))
        self.limit = max(self.limit, limit)

    def take(self, counts: NDArray[np.int64], limit: float) -> None:
        """Add counts in `BINS` bins, or a power of two of them, up to a limit."""
        self.reach(limit)
        if limit:
            fine = _coarsened(counts, len(counts) / BINS)
            self.counts = self.counts + _padded(_coarsened(fine, self.limit / limit))


@dataclass
class Histogram:
    """The values that one tensor took.

    Attributes
    ----------
    name
        The tensor's.
    below, above
        The values below and above 0. A negative value on the border of two bins counts in the one
        nearer to 0.
    zeros
        How many values were exactly zero. Any scale represents them without error, and after a
        ReLU they are so many that they would drown what the histogram is asked.
    lowest, highest
        The exact extremes.
    """

    name: str
    below: Side = field(default_factory=Side)
    above: Side = field(default_factory=Side)
    zeros: int = 0
    lowest: float = np.inf
    highest: float = -np.inf

    @property
    def limit(self) -> float:
        """A power of two above every absolute value; 0.0 until there is one that is not zero."""
        return max(self.below.limit, self.above.limit)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many absolute values lie in the equal bins from 0 to `limit`, int64 ``[BINS]``."""
        both = Side()
        for side in (self.below, self.above):
            both.take(side.counts, side.limit)
        return both.counts

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
        _check_finite(self.name, lowest, highest)
        self.below.reach(_reach(-lowest))
        self.above.reach(_reach(highest))
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)
        flat = values.ravel()
        zeros = flat.size - cv2.countNonZero(flat.reshape(1, -1))
        self.zeros += zeros
        self._count(flat)
        if self.above.limit:
            self.above.counts[0] -= zeros  # counted in the first bin above 0

    def merge(self, other: "Histogram") -> None:
        """Take in all that another histogram has taken in."""
        self.below.take(other.below.counts, other.below.limit)
        self.above.take(other.above.counts, other.above.limit)
        self.zeros += other.zeros
        self.lowest = min(self.lowest, other.lowest)
        self.highest = max(self.highest, other.highest)

    def rectified(self, name: str) -> "Histogram":
        """The histogram of what a ReLU makes of the tensor."""
        if self.lowest > self.highest:
            return Histogram(name)
        return Histogram(
            name,
            above=Side(self.above.counts.copy(), self.above.limit),
            zeros=self.zeros + int(self.below.counts.sum()),
            lowest=max(self.lowest, 0.0),
            highest=max(self.highest, 0.0),
        )

    def _count(self, flat: NDArray[np.float32]) -> None:
        """Count values below and above 0, zeros above where there is anything."""
        below, above = self.below.limit, self.above.limit
        finest = min(below, above) / BINS
        # One pass over a large tensor is cheaper than two, even with more bins.
        if finest and max(below, above) / finest <= _MOST_BINS:
            middle = int(below / finest)
            counts = _count(flat, middle + int(above / finest), -below, above)
            self.below.take(counts[:middle][::-1], below)
            self.above.take(counts[middle:], above)
            return
        if below:
            self.below.take(_count(flat, BINS, -below, 0.0)[::-1], below)
        if above:
            self.above.take(_count(flat, BINS, 0.0, above), above)


def _check_finite(name: str, lowest: float, highest: float) -> None:
    # NumPy's extremes are NaN where any value is.
    if not max(-lowest, highest) < 2.0**_LARGEST_EXPONENT or np.isnan(lowest):
        raise CalibrationError(
            f"tensor {name!r} reaches from {lowest} to {highest}; a finite range is needed. The "
            "weights are damaged, or the radiograph is unlike those they were trained on"
        )


def _reach(magnitude: float) -> float:
    """Give the smallest allowed power of two above a magnitude, or 0 where that is not above 0."""
    if magnitude <= 0:
        return 0.0
    return 2.0 ** max(int(np.frexp(magnitude)[1]), _SMALLEST_EXPONENT)


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
    """Merge `factor` (a power of two) bins into one."""
    together = int(min(factor, len(counts)))
    return np.asarray(counts.reshape(-1, together).sum(axis=1), np.int64)


def _padded(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Leave the upper of `BINS` bins empty."""
    return np.concatenate([counts, np.zeros(BINS - counts.size, np.int64)])
