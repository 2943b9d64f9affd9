"""From a DICOM file to a line of the report, stage by stage with a clock between them.

The stages are the calls that `Scorer.score` makes, one by one. What a user waits for is measured
beside them, by a clock of its own, around `Scorer.score` itself: how much of it the stages
explain shows whether they leave anything out.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import TextIO

import numpy as np

from ...runtime.backends.base import COPY_IN, COPY_OUT, ENQUEUE, INFER, Mark
from ...runtime.bundles.bundle import Bundle
from ...runtime.contract import SCORE_OUTPUTS
from ...runtime.preparation.preprocess import preprocess
from ...runtime.reading.read import parse_radiograph, read_bytes
from ...runtime.reports import JsonReport
from ...runtime.results import ScoredRadiograph
from ...runtime.scorer import Scorer
from ...runtime.sources.source import PreparedRadiograph

READ, DECODE, PREPARE, POST, REPORT = "read", "decode", "prepare", "post", "report"

STAGES = (READ, DECODE, PREPARE, COPY_IN, INFER, COPY_OUT, POST, REPORT)
"""In the order of their work."""

NETWORK_STAGES = (COPY_IN, INFER, COPY_OUT)
"""Those of `Session.run`."""


class StageClock:
    """Milliseconds by stage; a stage that comes again adds up."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._times: dict[str, float] = {}
        self._last = clock()

    def mark(self, stage: str) -> None:
        """End a stage: the time since the last mark is its."""
        now = self._clock()
        self._times[stage] = self._times.get(stage, 0.0) + (now - self._last) * 1000
        self._last = now

    @property
    def enqueue(self) -> float | None:
        """How long the host took to give a GPU its work; None where that is not told."""
        return self._times.get(ENQUEUE)

    @property
    def stages(self) -> Mapping[str, float]:
        """The stages that were marked, in their order; giving a GPU its work is part of infer."""
        times = dict(self._times)
        enqueue = times.pop(ENQUEUE, 0.0)
        if INFER in times:
            times[INFER] += enqueue
        return {stage: times[stage] for stage in STAGES if stage in times}


class Pipeline:
    """Everything between a file on disk and a line of JSON, for a batch of copies of one file.

    The lines go to the null device: a disk or a terminal is not what is measured.
    """

    def __init__(
        self,
        bundle: Bundle,
        backend: str,
        image: Path,
        threads: int | None = None,
        batch: int = 1,
    ) -> None:
        """Open the session.

        Raises
        ------
        BundleError, BackendUnavailable, EngineMismatch
        """
        self.batch = batch
        self.bundle = bundle
        self._files = [image] * batch
        with ExitStack() as opened:
            stream: TextIO = opened.enter_context(
                open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, RUF100 - no Path
            )
            self._scorer = opened.enter_context(Scorer(bundle, backend, threads))
            self._report = JsonReport(stream)
            self._opened = opened.pop_all()

    @property
    def backend(self) -> str:
        """The backend that runs, where ``auto`` was asked for too."""
        return self._scorer.session.backend

    def score(self) -> None:
        """Score the batch as users do: one file by `Scorer.score`, several in one network run."""
        if self.batch == 1:
            self._report.add(self._scorer.score(self._files[0]))
        else:
            self.score_in_stages(_ignore)

    def score_in_stages(self, mark: Mark) -> Sequence[ScoredRadiograph]:
        """Score the batch and tell when each stage ends."""
        contents = [read_bytes(file) for file in self._files]
        mark(READ)
        radiographs = [parse_radiograph(content) for content in contents]
        del contents  # as `read_radiograph` lets go of it
        mark(DECODE)
        spec = self.bundle.manifest.preprocess
        images = [preprocess(radiograph, spec) for radiograph in radiographs]
        batch = images[0] if self.batch == 1 else np.concatenate(images)
        mark(PREPARE)
        outputs = self._scorer.session.run_in_steps(batch, SCORE_OUTPUTS, mark)
        results = [
            self._scorer.conclude(PreparedRadiograph(*parts, read=0, prepare=0), outputs, place)
            for place, parts in enumerate(zip(self._files, radiographs, images, strict=True))
        ]
        mark(POST)
        for result in results:
            self._report.add(result)
        mark(REPORT)
        return results

    def close(self) -> None:
        """Release the session."""
        self._opened.close()

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _ignore(stage: str) -> None:
    """Run without a clock."""
