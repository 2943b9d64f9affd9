"""The one object most callers need: files in, Brixia scores out."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from .backends import AUTO, open_session
from .backends.base import Session
from .bundles.bundle import Bundle
from .contract import PROBABILITIES, SCORE_OUTPUTS
from .errors import BackendUnavailable, BrixiaEdgeError, ImageTooLarge
from .quality.quality import assess_quality
from .results import Prediction, ScoredRadiograph, Timing, UnscoredFile
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
        BundleError, BackendUnavailable
        """
        self.bundle = Bundle.open() if bundle is None else bundle
        # First of all: the reading process starts while the session opens.
        self.source = open_source(self.bundle.manifest.preprocess, reading)
        try:
            self.session: Session = open_session(self.bundle, backend, threads)
        except BaseException:
            self.source.close()
            raise
        self._outputs = tuple(dict.fromkeys((*SCORE_OUTPUTS, *outputs)))

    def score(self, path: str | Path) -> ScoredRadiograph:
        """Score one file.

        Raises
        ------
        UnreadableImage, UnsupportedImage, ImageTooLarge
            The file cannot be scored.
        BackendUnavailable
            The network gave numbers that are not finite.
        """
        return self._scored(self.source.prepared(path))

    def score_many(self, paths: Iterable[str | Path]) -> Iterator[ScoredRadiograph | UnscoredFile]:
        """Score files in their order; a file that fails gives its reason and no more.

        Raises
        ------
        BackendUnavailable
            Limits were given for reading, and the reading process does not start.
        """
        for prepared in self.source.prepared_many(paths):
            if isinstance(prepared, UnscoredFile):
                yield prepared
            else:
                yield self._outcome(prepared)

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
            return self._scored(prepared)
        except BrixiaEdgeError as error:
            return UnscoredFile(prepared.file, error)
        except MemoryError:
            reason = "needs more memory than is free; give a smaller copy of the radiograph"
            return UnscoredFile(prepared.file, ImageTooLarge(reason))

    def _scored(self, prepared: PreparedRadiograph) -> ScoredRadiograph:
        started = perf_counter()
        prediction = self._predict(prepared.image)
        inferred = perf_counter()
        radiograph = prepared.radiograph
        return ScoredRadiograph(
            file=prepared.file,
            radiograph=radiograph,
            prediction=prediction,
            score=BrixiaScore.from_probabilities(prediction.probabilities),
            quality=assess_quality(radiograph, prepared.image, prediction),
            model=self.bundle.identity,
            timing=_timing(prepared, started, inferred, perf_counter()),
        )

    def _predict(self, image: NDArray[np.float32]) -> Prediction:
        outputs = self.session.run(image, self._outputs)
        if not np.isfinite(outputs[PROBABILITIES]).all():
            raise BackendUnavailable(
                f"backend {self.session.backend!r} gave probabilities that are not finite; give "
                "--backend onnxruntime, and if that helps report the backend's version"
            )
        return Prediction.of(outputs)


def _timing(prepared: PreparedRadiograph, started: float, inferred: float, ended: float) -> Timing:
    """All that was spent on this radiograph, also where its reading overlapped with another's."""
    return Timing(
        read=prepared.read,
        prepare=prepared.prepare,
        infer=(inferred - started) * 1000,
        total=prepared.read + prepared.prepare + (ended - started) * 1000,
    )
