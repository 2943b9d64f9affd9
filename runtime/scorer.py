"""The one object most callers need: files in, Brixia scores out."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from .backends import AUTO, open_session
from .backends.base import Session
from .bundle import Bundle
from .errors import BackendUnavailable, BrixiaEdgeError, ImageTooLarge
from .preprocess import preprocess
from .quality import assess_quality
from .radiograph import read_radiograph
from .results import Prediction, ScoredRadiograph, Timing, UnscoredFile
from .scores import BrixiaScore

SCORE_OUTPUTS = ("probabilities", "lung_mask", "alignment")
"""The outputs that a score and its quality need."""


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

        Raises
        ------
        BundleError, BackendUnavailable
        """
        self.bundle = Bundle.open() if bundle is None else bundle
        self.session: Session = open_session(self.bundle, backend, threads)
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
        started = perf_counter()
        radiograph = read_radiograph(path)
        read = perf_counter()
        image = preprocess(radiograph, self.bundle.manifest.preprocess)
        prepared = perf_counter()
        prediction = self._predict(image)
        inferred = perf_counter()
        return ScoredRadiograph(
            file=Path(path),
            radiograph=radiograph,
            prediction=prediction,
            score=BrixiaScore.from_probabilities(prediction.probabilities),
            quality=assess_quality(radiograph, image, prediction),
            model=self.bundle.identity,
            timing=_timing(started, read, prepared, inferred, perf_counter()),
        )

    def score_many(self, paths: Iterable[str | Path]) -> Iterator[ScoredRadiograph | UnscoredFile]:
        """Score files one after the other; a file that fails gives its reason and no more."""
        for path in paths:
            try:
                yield self.score(path)
            except BrixiaEdgeError as error:
                yield UnscoredFile(Path(path), error)
            except MemoryError:
                reason = "needs more memory than is free; give a smaller copy of the radiograph"
                yield UnscoredFile(Path(path), ImageTooLarge(reason))

    def close(self) -> None:
        """Release the session."""
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

    def _predict(self, image: NDArray[np.float32]) -> Prediction:
        outputs = self.session.run(image, self._outputs)
        if not np.isfinite(outputs["probabilities"]).all():
            raise BackendUnavailable(
                f"backend {self.session.backend!r} gave probabilities that are not finite; give "
                "--backend onnxruntime, and if that helps report the backend's version"
            )
        evidence = outputs.get("zone_evidence")
        return Prediction(
            probabilities=outputs["probabilities"][0],
            lung_mask=outputs["lung_mask"][0, 0],
            alignment=outputs["alignment"][0],
            zone_evidence=None if evidence is None else evidence[0],
        )


def _timing(*moments: float) -> Timing:
    started, read, prepared, inferred, ended = moments
    return Timing(
        read=(read - started) * 1000,
        prepare=(prepared - read) * 1000,
        infer=(inferred - prepared) * 1000,
        total=(ended - started) * 1000,
    )
