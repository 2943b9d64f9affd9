"""The one object most callers need: files in, Brixia scores out."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from types import TracebackType

from .backends import AUTO, open_session
from .backends.base import Outputs, Session
from .bundles.bundle import Bundle
from .contract import SCORE_OUTPUTS
from .errors import BrixiaEdgeError, CannotRun, ImageTooLarge
from .quality.quality import assess_quality
from .results import (
    NOT_TIMED,
    Prediction,
    ScoredRadiograph,
    ScoringSettings,
    Timing,
    UnscoredFile,
)
from .scores import BrixiaScore
from .sources.isolated import IN_THIS_PROCESS, ReadingMode, open_source
from .sources.source import PreparedRadiograph


class Scorer:
    """Scores radiographs with one bundle on one backend.

    >>> from brixia_edge.runtime import Scorer
    >>> with Scorer() as scorer:
    ...     result = scorer.score("image.dcm")
    >>> result.score.global_score
    9
    """

    def __init__(
        self,
        bundle: Bundle | None = None,
        backend: str = AUTO,
        threads: int | None = None,
        outputs: Iterable[str] = SCORE_OUTPUTS,
        reading: ReadingMode = IN_THIS_PROCESS,
    ) -> None:
        """Open the session.

        Parameters
        ----------
        bundle
            None takes the bundle that ships with the package.
        backend
            A name of `backends.backend_names`.
        threads
            CPU threads; None takes all cores.
        outputs
            Network outputs to compute; add ``zone_evidence`` for an explanation.
        reading
            How files are read. With ``ReadingMode(limits=ReadingLimits())`` a process of its own
            reads them within limits, one file ahead of the network: for folders, and for services
            that take files from anyone. See `sources.isolated`.

        Raises
        ------
        BundleError, BackendUnavailable, EngineMismatch, MissingExtra, ReadingProcessUnavailable
        """
        self.bundle = Bundle.open() if bundle is None else bundle
        # First of all: the reading process starts while the session opens.
        self.source = open_source(self.bundle.manifest.preprocess, reading)
        try:
            self.session: Session = open_session(self.bundle, backend, threads)
        except BaseException:
            self.source.close()
            raise
        self.settings = ScoringSettings(
            self.bundle.digest, self.session.backend, reading.options.window
        )
        self._outputs = tuple(dict.fromkeys((*SCORE_OUTPUTS, *outputs)))

    def score(self, path: str | Path) -> ScoredRadiograph:
        """Score one file.

        Raises
        ------
        UnreadableImage, UnsupportedImage, ImageTooLarge
            The file cannot be scored.
        PredictionError
            The network gave numbers that are not finite.
        BackendUnavailable, ReadingProcessUnavailable
            The device or the reading process is gone.
        """
        return self.score_prepared(self.source.prepared(path))

    def score_prepared(self, prepared: PreparedRadiograph) -> ScoredRadiograph:
        """Score a radiograph that `source` has read, such as while another one was scored.

        Raises
        ------
        PredictionError
            The network gave numbers that are not finite.
        BackendUnavailable
            The device is gone.
        """
        started = perf_counter()
        outputs = self.session.run(prepared.image, self._outputs)
        inferred = perf_counter()
        result = self.conclude(prepared, outputs)
        return replace(result, timing=_timing(prepared, started, inferred, perf_counter()))

    def score_many(self, paths: Iterable[str | Path]) -> Iterator[ScoredRadiograph | UnscoredFile]:
        """Score files in their order; a file that fails gives its reason and no more.

        Raises
        ------
        BackendUnavailable, ReadingProcessUnavailable
            The device or the reading process is gone: every further file would fail.
        """
        for prepared in self.source.prepared_many(paths):
            if isinstance(prepared, UnscoredFile):
                yield prepared
            else:
                yield self._outcome(prepared)

    def conclude(
        self, prepared: PreparedRadiograph, outputs: Outputs, place: int = 0
    ) -> ScoredRadiograph:
        """Make a radiograph's score of what the network gave; its timing is not filled in.

        Parameters
        ----------
        prepared
            The radiograph.
        outputs
            What the session gave for a batch.
        place
            The radiograph's place in it.

        Raises
        ------
        PredictionError
            The network gave numbers that are not finite.
        """
        prediction = Prediction.of(outputs, place)
        return ScoredRadiograph(
            file=prepared.file,
            radiograph=prepared.radiograph,
            prediction=prediction,
            score=BrixiaScore.from_probabilities(prediction.probabilities),
            quality=assess_quality(prepared.radiograph, prepared.image, prediction),
            model=self.bundle.identity,
            timing=NOT_TIMED,
            settings=self.settings,
        )

    def close(self) -> None:
        """Release the session, and end the reading process if there is one."""
        self.source.close()
        self.session.close()

    def __enter__(self) -> "Scorer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _outcome(self, prepared: PreparedRadiograph) -> ScoredRadiograph | UnscoredFile:
        try:
            return self.score_prepared(prepared)
        except CannotRun:
            raise
        except BrixiaEdgeError as error:
            return UnscoredFile(prepared.file, error)
        except MemoryError:
            reason = "needs more memory than is free; give a smaller copy of the radiograph"
            return UnscoredFile(prepared.file, ImageTooLarge(reason))


def _timing(prepared: PreparedRadiograph, started: float, inferred: float, ended: float) -> Timing:
    """All that was spent on this radiograph, also where its reading overlapped with another's."""
    return Timing(
        read=prepared.read,
        prepare=prepared.prepare,
        infer=(inferred - started) * 1000,
        total=prepared.read + prepared.prepare + (ended - started) * 1000,
    )
