"""Intervals of ratios of medians by the block bootstrap.

Times of consecutive runs resemble each other (clocks and other load drift), so whole blocks of
consecutive runs are drawn, round the end to the beginning: the circular block bootstrap of
Politis and Romano (1992). Drawing single runs would give intervals that are too narrow.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .latency_statistics import Times

RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class RatioInterval:
    """A ratio and where it lies with a confidence of 95 %."""

    ratio: float
    lower: float
    upper: float


def paired_ratio(times: Times, reference: Times, seed: int = 0) -> RatioInterval:
    """The median of the ratios of runs that were made side by side.

    Parameters
    ----------
    times, reference
        Milliseconds of each round, of the same rounds.
    seed
        Of the resampling; the same seed gives the same interval.
    """
    ratios = np.asarray(times) / np.asarray(reference)
    generator = np.random.default_rng(seed)
    medians = np.median(ratios[_block_indices(ratios.size, generator)], axis=1)
    return _interval(float(np.median(ratios)), medians)


def unpaired_ratio(times: Times, reference: Times, seed: int = 0) -> RatioInterval:
    """The ratio of the medians of two series that were measured apart.

    Parameters
    ----------
    times, reference
        Milliseconds, or times relative to the machine's speed; they may differ in length.
    seed
        Of the resampling.
    """
    times, reference = np.asarray(times), np.asarray(reference)
    generator = np.random.default_rng(seed)
    above = np.median(times[_block_indices(times.size, generator)], axis=1)
    below = np.median(reference[_block_indices(reference.size, generator)], axis=1)
    return _interval(float(np.median(times) / np.median(reference)), above / below)


def block_length(count: int) -> int:
    """Runs that are drawn together: the cube root of their number, rounded, at least 1."""
    return max(1, round(count ** (1 / 3)))


def _block_indices(count: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """Indices ``[RESAMPLES, count]`` of runs drawn in blocks."""
    length = block_length(count)
    blocks = -(-count // length)
    starts = generator.integers(0, count, (RESAMPLES, blocks, 1))
    indices = (starts + np.arange(length)) % count
    return indices.reshape(RESAMPLES, -1)[:, :count]


def _interval(ratio: float, resampled: NDArray[np.float64]) -> RatioInterval:
    outside = (1 - CONFIDENCE) / 2
    lower, upper = np.quantile(resampled, (outside, 1 - outside))
    return RatioInterval(ratio, float(lower), float(upper))
