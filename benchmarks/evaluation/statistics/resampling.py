"""The bootstrap: weights of images, drawn by patient, and intervals from what they give.

A statistic is computed from weights instead of from copies of images: a resample in which an image
occurs twice weighs it with 2. So thousands of resamples are a few matrix products, and the figure
of the sample itself is the same computation with every weight 1. Paired differences of bundles take
the same weights for both.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..results import Figure

CONFIDENCE = 0.95

Floats = NDArray[np.float64]
Key = tuple[str, ...]

Draws = Mapping[Key, Floats]
"""Figures by name, each float64 ``[1 + resamples]``: of the sample first, then of each resample."""

Statistic = Callable[[Floats], Draws]
"""Gives figures ``[resamples]`` for weights ``[resamples, images]``."""

_BLOCK = 2_000_000
"""Weights that are worked on at once: what bounds memory."""

_UNDEFINED = 0.1
"""There is no interval where a larger share of the resamples leaves the figure undefined."""


class Resamples:
    """Resamples of a set of images.

    Attributes
    ----------
    weights
        uint16 ``[1 + resamples, images]``; the first row, of ones, is the sample itself.
    """

    def __init__(self, clusters: NDArray[np.int64], count: int, seed: int) -> None:
        """Draw clusters with replacement, as many as there are.

        Parameters
        ----------
        clusters
            int64 ``[images]``: the number of the patient, from 0, that each image is of.
        count
            How many resamples.
        seed
            The same seed draws the same resamples.
        """
        number = int(clusters.max()) + 1
        generator = np.random.default_rng(seed)
        self.weights = np.ones((1 + count, len(clusters)), np.uint16)
        for row in self.weights[1:]:
            drawn = np.bincount(generator.integers(0, number, number), minlength=number)
            row[:] = drawn[clusters]

    def draw(self, statistic: Statistic, images: NDArray[np.intp]) -> Draws:
        """Compute a statistic of some of the images, for the sample and every resample.

        Parameters
        ----------
        statistic
            Takes weights of those images, in their order.
        images
            Positions of the images.
        """
        parts = [statistic(block) for block in self._blocks(images)]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    def _blocks(self, images: NDArray[np.intp]) -> Iterator[Floats]:
        rows = max(1, _BLOCK // max(1, len(images)))
        for start in range(0, len(self.weights), rows):
            yield self.weights[start : start + rows, images].astype(np.float64)


def clusters_of(patients: Sequence[Hashable | None]) -> NDArray[np.int64]:
    """Number patients from 0; an image without one is a cluster of its own."""
    numbers: dict[Hashable, int] = {}
    keys = [("image", index) if name is None else name for index, name in enumerate(patients)]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def figure(draws: Floats) -> Figure:
    """The figure and its percentile interval (Efron and Tibshirani 1993, chapter 13).

    Parameters
    ----------
    draws
        float64 ``[1 + resamples]``; NaN where the figure is not defined.
    """
    value, resampled = float(draws[0]), draws[1:]
    defined = resampled[np.isfinite(resampled)]
    if len(defined) <= (1 - _UNDEFINED) * len(resampled):
        return Figure(value if np.isfinite(value) else None, None, None)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Figure(value if np.isfinite(value) else None, float(low), float(high))
