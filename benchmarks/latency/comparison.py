"""Faster, slower, or no difference that this run can show.

Two ways of comparing. *Paired*: both are run in turns in one process, each round gives a ratio,
and what drifts hits both. *Against a baseline*: a saved run of the same machine. Two runs of
the same thing on one machine may differ by `UNPAIRED_MARGIN` (memory lies elsewhere, clocks
differ), so only what goes beyond it counts, in milliseconds and relative to the machine's own
speed alike.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from .bootstrap import RatioInterval, paired_ratio, unpaired_ratio
from .latency_statistics import Times
from .measurement import Clock, Extent, rounds, settle, time_once
from .stages import Pipeline

UNPAIRED_MARGIN = 0.03
"""By how much two runs of the same thing on one machine may differ."""

FASTER, SLOWER, UNDECIDED = "faster", "slower", "no difference that this run can show"


@dataclass(frozen=True)
class LatencyComparison:
    """One run by another.

    Attributes
    ----------
    against
        What it is compared with, in words.
    paired
        Whether both were run in turns.
    ratio
        Median time of the one by that of the other, with its interval; below 1 is faster.
    relative
        The same relative to the machine's own speed; None where it is paired or runs on a GPU.
    verdict
        ``faster``, ``slower`` or ``no difference that this run can show``.
    remarks
        What differs between both and may explain a difference.
    """

    against: str
    paired: bool
    ratio: RatioInterval
    relative: RatioInterval | None
    verdict: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """Times of one run: in milliseconds, and of the reference work beside them.

    Attributes
    ----------
    times
        Milliseconds end to end.
    reference
        Milliseconds of the reference work; None where the machine's speed says nothing.
    """

    times: Times
    reference: Times | None


def judge(interval: RatioInterval, margin: float = 0.0) -> str:
    """What an interval allows to say: it must lie beyond the margin as a whole."""
    if interval.upper < 1 - margin:
        return FASTER
    return SLOWER if interval.lower > 1 + margin else UNDECIDED


def compare_with_baseline(
    now: Series, before: Series, against: str, remarks: tuple[str, ...] = ()
) -> LatencyComparison:
    """Compare two runs that were made apart.

    Parameters
    ----------
    now, before
        Their times; the machine's speed counts where both have it.
    against
        What the baseline is, in words.
    remarks
        What else differs.
    """
    ratio = unpaired_ratio(now.times, before.times)
    relative = None
    if now.reference is not None and before.reference is not None:
        relative = unpaired_ratio(now.times / now.reference, before.times / before.reference)
    verdicts = {judge(each, UNPAIRED_MARGIN) for each in (ratio, relative) if each is not None}
    verdict = verdicts.pop() if len(verdicts) == 1 else UNDECIDED
    return LatencyComparison(against, False, ratio, relative, verdict, remarks)


def compare_in_turns(
    ours: Pipeline, other: Pipeline, extent: Extent, against: str, clock: Clock = perf_counter
) -> LatencyComparison:
    """Run two pipelines in turns, the first of a round being the second of the next.

    Parameters
    ----------
    ours, other
        Their batches must be equal.
    extent
        How many rounds.
    against
        What the other is, in words.
    clock
        Gives seconds; for the tests.
    """
    for pipeline in (ours, other):
        settle(pipeline, clock)
    times: dict[Pipeline, list[float]] = {ours: [], other: []}
    for count in rounds(extent, clock):
        order = (ours, other) if count % 2 == 0 else (other, ours)
        for pipeline in order:
            times[pipeline].append(time_once(pipeline.score, clock))
    ratio = paired_ratio(np.array(times[ours]), np.array(times[other]))
    return LatencyComparison(against, True, ratio, None, judge(ratio))
