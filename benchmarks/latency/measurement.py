"""Rounds of runs: what a user waits for, the same in stages, and the machine's own speed.

A round does each once, so that whatever changes meanwhile changes all of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np

from ..machine.speed import SpeedProbe
from .latency_statistics import LatencySummary, Times, summarise
from .stages import NETWORK_STAGES, REPORT, Pipeline, StageClock
from .warm_up import WarmUp, warm_up

MINIMUM_RUNS = 30
MINIMUM_SECONDS = 3.0

Clock = Callable[[], float]


@dataclass(frozen=True)
class Extent:
    """How long is measured: until both are reached."""

    runs: int = MINIMUM_RUNS
    seconds: float = MINIMUM_SECONDS


@dataclass(frozen=True)
class Measurement:
    """What the rounds gave.

    Attributes
    ----------
    batch
        Images in a run.
    warm_up
        What went before.
    end_to_end
        Milliseconds of each run from file to line of the report, in order.
    stages
        Milliseconds of each stage, of runs of their own, by its name.
    enqueue
        Milliseconds in which a GPU was given its work; None where that is not told.
    reference
        Milliseconds of the reference work before each run.
    """

    batch: int
    warm_up: WarmUp
    end_to_end: Times
    stages: Mapping[str, Times]
    enqueue: Times | None
    reference: Times

    @property
    def summary(self) -> LatencySummary:
        """The end-to-end times in figures."""
        return summarise(self.end_to_end, self.batch)

    @property
    def stage_medians(self) -> Mapping[str, float]:
        """Median milliseconds of each stage."""
        return {stage: float(np.median(times)) for stage, times in self.stages.items()}

    @property
    def explained(self) -> float:
        """The sum of the stages' medians, as a share of the median end to end."""
        return sum(self.stage_medians.values()) / self.summary.median

    @property
    def network_share(self) -> float:
        """The network with its copies, as a share of the median end to end."""
        medians = self.stage_medians
        network = sum(medians.get(stage, 0.0) for stage in NETWORK_STAGES)
        return network / self.summary.median


def time_once(work: Callable[[], object], clock: Clock = perf_counter) -> float:
    """Milliseconds of one call."""
    started = clock()
    work()
    return (clock() - started) * 1000


def rounds(extent: Extent, clock: Clock = perf_counter) -> Iterator[int]:
    """Count rounds until the extent is reached."""
    started, done = clock(), 0
    while done < extent.runs or clock() - started < extent.seconds:
        yield done
        done += 1


def settle(pipeline: Pipeline, clock: Clock = perf_counter) -> WarmUp:
    """Warm a pipeline up."""
    return warm_up(partial(time_once, pipeline.score, clock))


def measure(
    pipeline: Pipeline, settled: WarmUp, extent: Extent, clock: Clock = perf_counter
) -> Measurement:
    """Measure a pipeline.

    Parameters
    ----------
    pipeline
        What is measured.
    settled
        How warming it up went.
    extent
        How long.
    clock
        Gives seconds; for the tests.
    """
    reference_work = SpeedProbe(clock)
    reference_work.time()
    totals: list[float] = []
    references: list[float] = []
    staged: list[StageClock] = []

    def end_to_end() -> None:
        totals.append(time_once(pipeline.score, clock))

    def in_stages() -> None:
        staged.append(_in_stages(pipeline, clock))

    for count in rounds(extent, clock):
        references.append(reference_work.time())
        # Whatever comes first in a round finds the caches of the reference work.
        for run in (end_to_end, in_stages) if count % 2 == 0 else (in_stages, end_to_end):
            run()
    return Measurement(
        pipeline.batch,
        settled,
        np.array(totals),
        _by_stage(staged),
        _enqueue(staged),
        np.array(references),
    )


def _in_stages(pipeline: Pipeline, clock: Clock) -> StageClock:
    stages = StageClock(clock)
    results = pipeline.score_in_stages(stages.mark)
    # Giving the pixels' memory back takes its time too, and is within the end-to-end time.
    del results
    stages.mark(REPORT)
    return stages


def _by_stage(staged: Sequence[StageClock]) -> dict[str, Times]:
    return {name: np.array([each.stages[name] for each in staged]) for name in staged[0].stages}


def _enqueue(staged: Sequence[StageClock]) -> Times | None:
    times = [each.enqueue for each in staged if each.enqueue is not None]
    return np.array(times) if times else None
