"""Deletion curves: how fast the scores' probability falls as what explains them is blanked.

After Petsiuk et al., RISE (BMVC 2018): pieces of the image go in the order of an explanation, and
the earlier the probability falls, the better the explanation names what the network used. Here the
pieces are the lungs' super-pixels, so that no method gains by the fineness of its map, and every
zone loses the same share of its own pieces, so that none gains by the order of the zones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...runtime.explanation.occlusion import even_batches, run_blanked
from ...runtime.reports.zone_geometry import aligned_to_input, zone_corners
from ...runtime.results import ScoredRadiograph
from ...runtime.scorer import Scorer
from ...runtime.scores import Zone

FRACTIONS = (0.0, 0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.60, 1.0)
"""Shares of every zone's lung that are blanked."""


@dataclass(frozen=True)
class ExplainedRadiograph:
    """One radiograph on which orders are compared.

    Attributes
    ----------
    result
        Its score, which explanations explain.
    image
        float32 ``[1, 1, 512, 512]``, the network's input.
    labels
        int32 ``[512, 512]``, as `lung_superpixels`.
    """

    result: ScoredRadiograph
    image: NDArray[np.float32]
    labels: NDArray[np.int32]

    @property
    def areas(self) -> NDArray[np.int64]:
        """Pixels of each super-pixel."""
        return np.bincount(self.labels.ravel())[1:].astype(np.int64)

    @property
    def zones(self) -> NDArray[np.intp]:
        """The zone, 0 to 5, whose middle is nearest to each super-pixel's."""
        rows, columns = np.mgrid[: self.labels.shape[0], : self.labels.shape[1]]
        places = np.column_stack([self.means(columns), self.means(rows)])
        centres = np.array([zone_corners(zone).mean(axis=0) for zone in Zone])
        middles = aligned_to_input(centres, self.result.prediction.alignment)
        return np.linalg.norm(places[:, np.newaxis] - middles, axis=2).argmin(axis=1)

    def means(self, values: NDArray[np.number]) -> NDArray[np.float64]:
        """Mean of values ``[512, 512]`` over each super-pixel."""
        sums = np.bincount(self.labels.ravel(), weights=values.ravel().astype(np.float64))[1:]
        return sums / self.areas

    def own(self, by_zone: NDArray[np.floating]) -> NDArray[np.float64]:
        """Of values ``[super-pixels, 6]`` that of each super-pixel's own zone."""
        return by_zone[np.arange(len(by_zone)), self.zones].astype(np.float64)


def deletion_curve(
    scorer: Scorer, subject: ExplainedRadiograph, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Blank super-pixels, the heaviest of each zone first, and follow the scores' probability.

    Parameters
    ----------
    scorer
        The one that scored the subject.
    subject
        What to blank.
    weights
        float64 ``[super-pixels]``: how much each is said to explain its own zone's score.

    Returns
    -------
    NDArray[np.float64]
        float64 ``[len(FRACTIONS)]``: the mean over the zones of the probability of the score that
        the whole image gets.
    """
    pieces = [_blanked(subject, weights, fraction) for fraction in FRACTIONS]
    predicted = [item.score for item in subject.result.score.zones]
    probabilities = np.concatenate(
        [
            run_blanked(scorer, subject.image, [pieces[index] for index in batch])
            for batch in even_batches(len(pieces), scorer.bundle.manifest.max_batch)
        ]
    )[: len(pieces)]
    return probabilities[:, np.arange(len(predicted)), predicted].mean(axis=1).astype(np.float64)


def area_under(curve: NDArray[np.float64]) -> float:
    """The area under a deletion curve, from no lung blanked (0) to all of it (1)."""
    return float(np.sum(np.diff(FRACTIONS) * (curve[1:] + curve[:-1]) / 2))


def _blanked(
    subject: ExplainedRadiograph, weights: NDArray[np.float64], fraction: float
) -> NDArray[np.bool_]:
    """The fewest super-pixels of every zone, the heaviest first, that cover a fraction of it."""
    if not fraction:
        return np.zeros(subject.labels.shape, np.bool_)
    chosen: list[int] = []
    for zone in range(len(Zone)):
        own = np.flatnonzero(subject.zones == zone)
        order = own[np.argsort(-weights[own], kind="stable")]
        covered = np.cumsum(subject.areas[order])
        goal = fraction * float(covered[-1]) if len(covered) else 0.0
        chosen += order[: int(np.searchsorted(covered, goal)) + 1].tolist()
    return np.isin(subject.labels, np.array(chosen) + 1)
