"""How well chosen radiographs stand for all, measured against random draws of as many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .description import Description
from .selection import feature_matrix

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Coverage:
    """Energy distances to all radiographs, in units of the features' standard deviations.

    Attributes
    ----------
    chosen
        Of the chosen ones.
    random
        Of random draws of as many, ascending.
    """

    chosen: float
    random: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of the random draws."""
        return float(np.median(self.random))

    @property
    def beaten(self) -> float:
        """Share of the random draws that lie further from all than the chosen ones."""
        return float(np.mean(np.array(self.random) > self.chosen))


def measure_coverage(
    everyone: Sequence[Description],
    chosen: Sequence[Description],
    draws: int = 200,
    seed: int = 0,
) -> Coverage:
    """Compare a choice with random draws.

    Parameters
    ----------
    everyone
        All that could be chosen.
    chosen
        Some of them.
    draws, seed
        How many random draws, and where they start.
    """
    features = feature_matrix(everyone)
    digests = {entry.sha256 for entry in chosen}
    picked = np.array([entry.sha256 in digests for entry in everyone])
    generator = np.random.default_rng(seed)
    random = (
        energy_distance(features[generator.choice(len(features), len(chosen), False)], features)
        for _ in range(draws)
    )
    return Coverage(energy_distance(features[picked], features), tuple(sorted(random)))


def energy_distance(first: Floats, second: Floats) -> float:
    """Give the energy distance of two samples, float64 ``[points, features]``; 0.0 is equal.

    ``2 E|X - Y| - E|X - X'| - E|Y - Y'|``: Szekely and Rizzo, Journal of Statistical Planning and
    Inference 143 (2013) 1249.
    """
    between = _mean_distance(first, second)
    within = _mean_distance(first, first) + _mean_distance(second, second)
    return max(2 * between - within, 0.0)


def _mean_distance(first: Floats, second: Floats) -> float:
    return float(np.linalg.norm(first[:, None] - second[None], axis=-1).mean())
