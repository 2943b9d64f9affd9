"""The same measured over batch sizes, threads, or streams at once."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Barrier
from time import perf_counter

from ...runtime.bundles.bundle import Bundle
from .latency_statistics import summarise
from .measurement import Extent, rounds, settle, time_once
from .stages import Pipeline

EXTENT = Extent(runs=10, seconds=3.0)
"""Of each row."""


@dataclass(frozen=True)
class Setup:
    """What a sweep leaves as it is."""

    bundle: Bundle
    backend: str
    image: Path
    threads: int | None = None
    batch: int = 1

    def open(self, threads: int | None = None, batch: int | None = None) -> Pipeline:
        """Open a pipeline that differs in what is given."""
        return Pipeline(
            self.bundle, self.backend, self.image, threads or self.threads, batch or self.batch
        )


@dataclass(frozen=True)
class SweepRow:
    """One value's figures: runs in all streams, milliseconds of a run, images per second."""

    value: int
    runs: int
    median: float
    p95: float
    throughput: float


@dataclass(frozen=True)
class Sweep:
    """A sweep of ``batch``, ``threads`` or ``streams``."""

    of: str
    rows: tuple[SweepRow, ...]


def run_sweep(of: str, setup: Setup, extent: Extent = EXTENT) -> Iterator[SweepRow]:
    """Measure one value after the other.

    Parameters
    ----------
    of
        A key of `SWEEPS`.
    setup
        What stays as it is.
    extent
        Of each row; of each stream, for streams.
    """
    values, measure = SWEEPS[of]
    for value in values(setup):
        yield measure(setup, value, extent)


def doubling(highest: int) -> list[int]:
    """1, 2, 4 and so on, and the highest itself."""
    values = [2**power for power in range(highest.bit_length()) if 2**power <= highest]
    return sorted({*values, highest})


def _cores() -> int:
    return os.cpu_count() or 1


def _batch_row(setup: Setup, batch: int, extent: Extent) -> SweepRow:
    with setup.open(batch=batch) as pipeline:
        return _row(batch, pipeline, extent)


def _threads_row(setup: Setup, threads: int, extent: Extent) -> SweepRow:
    with setup.open(threads=threads) as pipeline:
        return _row(threads, pipeline, extent)


def _row(value: int, pipeline: Pipeline, extent: Extent) -> SweepRow:
    settle(pipeline)
    times = [time_once(pipeline.score) for _ in rounds(extent)]
    summary = summarise(times, pipeline.batch)
    return SweepRow(value, summary.runs, summary.median, summary.p95, summary.throughput)


def _streams_row(setup: Setup, streams: int, extent: Extent) -> SweepRow:
    """Run sessions of their own at once; together they have the threads that one would have."""
    threads = max(1, (setup.threads or _cores()) // streams)
    with ExitStack() as opened:
        pipelines = [opened.enter_context(setup.open(threads=threads)) for _ in range(streams)]
        start = Barrier(streams)
        workers = opened.enter_context(ThreadPoolExecutor(streams))
        series = list(workers.map(partial(_stream, start, extent), pipelines))
    summary = summarise([time for times in series for time in times])
    throughput = sum(summarise(times, setup.batch).throughput for times in series)
    return SweepRow(streams, summary.runs, summary.median, summary.p95, throughput)


def _stream(start: Barrier, extent: Extent, pipeline: Pipeline) -> list[float]:
    settle(pipeline)
    start.wait()
    started, times = perf_counter(), list[float]()
    # By time first: streams that stop early would leave the others more of the machine.
    while perf_counter() - started < extent.seconds or len(times) < 2:
        times.append(time_once(pipeline.score))
    return times


SWEEPS: Mapping[
    str, tuple[Callable[[Setup], list[int]], Callable[[Setup, int, Extent], SweepRow]]
] = {
    "batch": (lambda setup: doubling(setup.bundle.manifest.max_batch), _batch_row),
    "threads": (lambda setup: doubling(_cores()), _threads_row),
    "streams": (lambda setup: doubling(_cores()), _streams_row),
}
"""Each sweep by its name: its values, and how one is measured."""
