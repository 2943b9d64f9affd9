"""Looks through radiographs: which can be used, and why the others cannot."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...runtime.backends.base import Session
from ...runtime.backends.onnxrt import OnnxRuntimeSession
from ...runtime.bundles.bundle import Network
from ...runtime.errors import UnreadableImage
from ...runtime.progress import Progress, unchanged
from ...runtime.results import UnscoredFile
from ...runtime.sources.isolated import IN_THIS_PROCESS, ReadingMode, open_source
from ...runtime.sources.source import PreparedRadiograph
from .description import Description, describe
from .selection import Duplicate, drop_duplicates

MAXIMUM_CANDIDATES = 1000
"""Of more files so many are drawn at random: to look at one takes a whole inference."""

UNREADABLE = "unreadable"
DOUBTFUL = "doubtful"
DUPLICATE = "duplicate"
NOT_DRAWN = "not drawn"


@dataclass(frozen=True)
class PassedOver:
    """A file that is not used: `kind` is one of the constants above, `reason` one sentence."""

    file: Path
    kind: str
    reason: str


@dataclass(frozen=True)
class Survey:
    """What a collection of files offers for calibration.

    Attributes
    ----------
    usable
        Different radiographs against which nothing speaks.
    passed_over
        All other files.
    probabilities
        What the network gives for every radiograph that could be read, used or not: float32
        ``[6, 4]`` by the SHA-256 of the file's content.
    """

    usable: tuple[Description, ...]
    passed_over: tuple[PassedOver, ...]
    probabilities: Mapping[str, NDArray[np.float32]]

    @property
    def found(self) -> int:
        """How many files were given."""
        return len(self.usable) + len(self.passed_over)

    def counts(self) -> Mapping[str, int]:
        """How many files were passed over, by kind."""
        return dict(Counter(entry.kind for entry in self.passed_over))


@dataclass(frozen=True)
class SurveyOptions:
    """What may be chosen about looking through.

    Attributes
    ----------
    seed
        For the draw of some of very many files.
    allow_doubtful
        Keep radiographs that scoring would warn of (no lungs found, lateral view ...).
    reading
        How files are read.
    """

    seed: int = 0
    allow_doubtful: bool = False
    reading: ReadingMode = IN_THIS_PROCESS


def survey(
    network: Network,
    files: Sequence[Path],
    options: SurveyOptions = SurveyOptions(),
    progress: Progress = unchanged,
) -> Survey:
    """Read, prepare and score files, and sort out what calibration must not use.

    Parameters
    ----------
    network
        It tells severity and lungs itself.
    files
        DICOM, PNG or JPEG files. Of more than `MAXIMUM_CANDIDATES` some are drawn.
    options
        What may be chosen.
    progress
        Gets the radiographs and passes them on.

    Raises
    ------
    BackendUnavailable
        ONNX Runtime cannot load the network.
    PredictionError
        The network's outputs are not finite.
    """
    drawn, rest = _draw(files, options.seed)
    # Not the fastest backend: the choice must not depend on what is installed.
    with OnnxRuntimeSession(network) as session:
        spec = network.manifest.preprocess
        with closing(open_source(spec, options.reading)) as source:
            read = progress("Looking through", source.prepared_many(drawn), len(drawn))
            looked_at = [_look(session, outcome) for outcome in read]
    described = [entry for entry in looked_at if isinstance(entry, Description)]
    doubtful = () if options.allow_doubtful else tuple(entry for entry in described if entry.doubts)
    certain = [entry for entry in described if options.allow_doubtful or not entry.doubts]
    usable, duplicates = drop_duplicates(certain)
    passed_over = (
        *(entry for entry in looked_at if isinstance(entry, PassedOver)),
        *(PassedOver(entry.file, DOUBTFUL, " ".join(entry.doubts)) for entry in doubtful),
        *map(_duplicate, duplicates),
        *(PassedOver(file, NOT_DRAWN, "left out at random") for file in rest),
    )
    return Survey(usable, passed_over, {entry.sha256: entry.probabilities for entry in described})


def _draw(files: Sequence[Path], seed: int) -> tuple[list[Path], list[Path]]:
    everything = sorted(set(files))
    if len(everything) <= MAXIMUM_CANDIDATES:
        return everything, []
    order = np.random.default_rng(seed).permutation(len(everything))
    taken = set(order[:MAXIMUM_CANDIDATES].tolist())
    drawn = [file for index, file in enumerate(everything) if index in taken]
    return drawn, [file for index, file in enumerate(everything) if index not in taken]


def _look(session: Session, outcome: PreparedRadiograph | UnscoredFile) -> Description | PassedOver:
    if isinstance(outcome, UnscoredFile):
        return PassedOver(outcome.file, UNREADABLE, str(outcome.error))
    try:
        return describe(outcome, session)
    except UnreadableImage as error:
        return PassedOver(outcome.file, UNREADABLE, str(error))


def _duplicate(entry: Duplicate) -> PassedOver:
    likeness = "shows the same picture as" if entry.exact else "is nearly the same picture as"
    return PassedOver(entry.file, DUPLICATE, f"{likeness} {entry.original}")
