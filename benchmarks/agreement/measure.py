"""Runs all contestants over the same radiographs, in turns: their scores and their times."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...runtime.backends.base import Session
from ...runtime.contract import SCORE_OUTPUTS
from ...runtime.errors import BundleError, UnreadableImage
from ...runtime.progress import Progress, unchanged
from ...runtime.results import Prediction
from ...runtime.sources.isolated import IN_THIS_PROCESS, ReadingMode
from .contestants import Contestant, open_all
from .radiographs import NetworkInput, prepare_radiographs

WARM_UP_RUNS = 2
"""Runs of each contestant on the first image before anything is timed."""

PAUSE = 0.02
"""Seconds between two runs: ONNX Runtime's threads spin for a while after each."""


@dataclass(frozen=True)
class ScoreAgreement:
    """What all contestants gave for all images.

    Attributes
    ----------
    contestants
        The first is the reference.
    files
        The radiographs, in the order of the arrays.
    probabilities
        float32 ``[contestants, images, 6, 4]``.
    milliseconds
        float64 ``[contestants, images]``: the network alone, one image.
    """

    contestants: tuple[Contestant, ...]
    files: tuple[Path, ...]
    probabilities: NDArray[np.float32]
    milliseconds: NDArray[np.float64]

    @property
    def scores(self) -> NDArray[np.int64]:
        """Zone scores by argmax, int64 ``[contestants, images, 6]``."""
        return np.argmax(self.probabilities, axis=-1)

    @property
    def expected(self) -> NDArray[np.float64]:
        """Expected zone scores, float64 ``[contestants, images, 6]``."""
        return self.probabilities.astype(np.float64) @ np.arange(4.0)


def measure_agreement(
    contestants: Sequence[Contestant],
    files: Sequence[Path],
    threads: int | None = None,
    progress: Progress = unchanged,
    reading: ReadingMode = IN_THIS_PROCESS,
) -> ScoreAgreement:
    """Score every image with every contestant.

    All run on an image before the next is prepared, each time beginning with another one, so that
    whatever changes on the machine meanwhile changes all of them.

    Parameters
    ----------
    contestants
        The first is the reference.
    files
        Radiographs; those that cannot be read are passed over.
    threads
        CPU threads of each; None takes all cores.
    progress
        Shows how far it is.
    reading
        How files are read.

    Raises
    ------
    BundleError
        The contestants prepare images in different ways, so their inputs are not the same.
    BackendUnavailable, EngineMismatch
        A contestant cannot run.
    PredictionError
        One gives numbers that are not finite.
    UnreadableImage
        No file can be read.
    """
    spec = _one_preparation(contestants)
    inputs = prepare_radiographs(progress("Scoring", files), spec, reading)
    measured = measure_inputs(contestants, inputs, threads)
    if not measured.files:
        raise UnreadableImage(f"none of {len(files)} files is a radiograph that can be read")
    return measured


def measure_inputs(
    contestants: Sequence[Contestant], inputs: Iterable[NetworkInput], threads: int | None = None
) -> ScoreAgreement:
    """Score every input with every contestant, as `measure_agreement` does with files.

    Raises
    ------
    BackendUnavailable, EngineMismatch
        A contestant cannot run.
    """
    names: list[Path] = []
    rows: list[list[NDArray[np.float32]]] = []
    times: list[list[float]] = []
    with open_all(contestants, threads) as sessions:
        for radiograph in inputs:
            if not names:
                _warm_up(sessions, radiograph.image)
            found = _round(sessions, radiograph.image, first=len(names) % len(sessions))
            names.append(radiograph.file)
            rows.append([probabilities for probabilities, _ in found])
            times.append([milliseconds for _, milliseconds in found])
    probabilities = np.array(rows, np.float32).reshape(len(names), len(contestants), 6, 4)
    milliseconds = np.array(times, np.float64).reshape(len(names), len(contestants))
    return ScoreAgreement(
        tuple(contestants), tuple(names), probabilities.swapaxes(0, 1), milliseconds.T
    )


def _one_preparation(contestants: Sequence[Contestant]) -> Any:
    specs = {each.bundle.manifest.preprocess for each in contestants}
    if len(specs) != 1:
        recipes = sorted(f"{spec.recipe} {spec.size}" for spec in specs)
        raise BundleError(
            f"the bundles prepare images in different ways ({', '.join(recipes)}); "
            "compare bundles of the same weights"
        )
    return specs.pop()


def _warm_up(sessions: Sequence[Session], image: NDArray[np.float32]) -> None:
    for session in sessions:
        for _ in range(WARM_UP_RUNS):
            session.run(image, SCORE_OUTPUTS)


def _round(
    sessions: Sequence[Session], image: NDArray[np.float32], first: int
) -> list[tuple[NDArray[np.float32], float]]:
    """Each session once, beginning with number `first`: probabilities and milliseconds."""
    found: dict[int, tuple[NDArray[np.float32], float]] = {}
    for position in range(len(sessions)):
        index = (first + position) % len(sessions)
        sleep(PAUSE)
        started = perf_counter()
        outputs = sessions[index].run(image, SCORE_OUTPUTS)
        milliseconds = (perf_counter() - started) * 1000
        found[index] = Prediction.of(outputs).probabilities, milliseconds
    return [found[index] for index in range(len(sessions))]
