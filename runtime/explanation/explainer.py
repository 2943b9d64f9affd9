"""A file becomes an explanation."""

from collections.abc import Callable, Mapping
from pathlib import Path

from ..contract import ZONE_EVIDENCE
from ..preparation.preprocess import preprocess
from ..progress import Progress, unchanged
from ..results import ScoredRadiograph
from ..scorer import Scorer
from .evidence import EVIDENCE, explain_by_evidence
from .explanation import Explanation
from .occlusion import OCCLUSION, explain_by_occlusion

NEEDED_OUTPUTS = (ZONE_EVIDENCE,)
"""What a `Scorer` must be asked for."""


def explain(
    scorer: Scorer, path: str | Path, method: str = EVIDENCE, progress: Progress = unchanged
) -> Explanation:
    """Score a file and explain the score.

    Parameters
    ----------
    scorer
        ``Scorer(outputs=NEEDED_OUTPUTS)``.
    path
        A DICOM, PNG or JPEG file.
    method
        One of `METHODS`.
    progress
        Gets the batches of a long method and passes them on.

    Raises
    ------
    UnreadableImage, UnsupportedImage, ImageTooLarge, MissingExtra
        As `Scorer.score`, and as the methods.
    """
    return explain_result(scorer, scorer.score(path), method, progress)


def explain_result(
    scorer: Scorer, result: ScoredRadiograph, method: str = EVIDENCE, progress: Progress = unchanged
) -> Explanation:
    """Explain a score that `scorer` gave; see `explain`."""
    return _METHODS[method](scorer, result, progress)


def _evidence(_scorer: Scorer, result: ScoredRadiograph, _progress: Progress) -> Explanation:
    return explain_by_evidence(result)


def _occlusion(scorer: Scorer, result: ScoredRadiograph, progress: Progress) -> Explanation:
    image = preprocess(result.radiograph, scorer.bundle.manifest.preprocess)
    return explain_by_occlusion(scorer, result, image, progress)


_METHODS: Mapping[str, Callable[[Scorer, ScoredRadiograph, Progress], Explanation]] = {
    EVIDENCE: _evidence,
    OCCLUSION: _occlusion,
}

METHODS = tuple(_METHODS)
"""The names of the methods."""
