"""What a change of the network costs in scores: the same images through both networks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCORES = np.arange(4)


@dataclass(frozen=True)
class Change:
    """Absolute change of a number over many images."""

    mean: float
    p99: float
    maximum: float

    @classmethod
    def between(cls, reference: NDArray[Any], candidate: NDArray[Any]) -> "Change":
        """Measure the change from `reference` to `candidate`, element by element."""
        change = np.abs(candidate.astype(np.float64) - reference.astype(np.float64)).ravel()
        return cls(float(change.mean()), float(np.percentile(change, 99)), float(change.max()))


@dataclass(frozen=True)
class Accuracy:
    """Agreement of one network with a radiologist.

    Attributes
    ----------
    zone_mae, global_mae
        Mean absolute error of the zone scores and of the global score.
    quadratic_kappa
        Cohen's kappa of the zone scores with quadratic weights.
    """

    zone_mae: float
    global_mae: float
    quadratic_kappa: float

    @classmethod
    def of(cls, scores: NDArray[np.integer], annotated: NDArray[np.integer]) -> "Accuracy":
        """Compare scores with annotations, both ``[N, 6]``."""
        zones = np.abs(scores - annotated).mean()
        global_scores = np.abs(scores.sum(axis=1) - annotated.sum(axis=1)).mean()
        return cls(float(zones), float(global_scores), quadratic_kappa(annotated, scores))


@dataclass(frozen=True)
class ScoreParity:
    """What a network's scores are, against those of its reference.

    Attributes
    ----------
    images
        How many radiographs were scored by both.
    zone_agreement
        Share of zones with the same score.
    expected_zone, expected_global, global_score
        Changes of the expected zone score, its sum, and the sum of the scores.
    reference_accuracy, accuracy
        Of both networks against annotations; None where no image has any.
    annotated_images
        How many images the accuracies are of.
    """

    images: int
    zone_agreement: float
    expected_zone: Change
    expected_global: Change
    global_score: Change
    annotated_images: int = 0
    reference_accuracy: Accuracy | None = None
    accuracy: Accuracy | None = None

    def to_dict(self) -> dict[str, object]:
        """As it stands in ``parity.json``."""
        return asdict(self)


@dataclass(frozen=True)
class ScoreBound:
    """How much a precision may change scores.

    Attributes
    ----------
    score_drop
        Largest 99th percentile of the change of the expected global score.
    zone_agreement
        Smallest share of zones with the same score.
    """

    score_drop: float = 0.5
    zone_agreement: float = 0.98

    def holds(self, parity: ScoreParity) -> bool:
        """Whether a network keeps the bound."""
        return (
            parity.expected_global.p99 <= self.score_drop
            and parity.zone_agreement >= self.zone_agreement
        )


def compare_scores(
    reference: NDArray[np.float32],
    candidate: NDArray[np.float32],
    annotations: Sequence[NDArray[np.integer] | None] | None = None,
) -> ScoreParity:
    """Compare two networks' probabilities for the same images.

    Parameters
    ----------
    reference, candidate
        float32 ``[N, 6, 4]``.
    annotations
        For each image the radiologist's six scores, or None where there are none.
    """
    scores = [probabilities.argmax(axis=2) for probabilities in (reference, candidate)]
    expected = [probabilities @ SCORES for probabilities in (reference, candidate)]
    parity = ScoreParity(
        images=len(reference),
        zone_agreement=float((scores[0] == scores[1]).mean()),
        expected_zone=Change.between(*expected),
        expected_global=Change.between(expected[0].sum(axis=1), expected[1].sum(axis=1)),
        global_score=Change.between(scores[0].sum(axis=1), scores[1].sum(axis=1)),
    )
    known = [index for index, entry in enumerate(annotations or ()) if entry is not None]
    if not known or annotations is None:
        return parity
    annotated = np.stack([entry for entry in annotations if entry is not None])
    accuracies = [Accuracy.of(array[known], annotated) for array in scores]
    return replace(
        parity,
        annotated_images=len(known),
        reference_accuracy=accuracies[0],
        accuracy=accuracies[1],
    )


def quadratic_kappa(
    first: NDArray[np.integer], second: NDArray[np.integer], classes: int = 4
) -> float:
    """Cohen's kappa with quadratic weights (Cohen 1968): 1 for equal, 0 for chance.

    NaN where both raters gave one and the same score throughout, as it is then undefined.
    """
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (first.ravel(), second.ravel()), 1)
    weights = (np.arange(classes)[:, None] - np.arange(classes)[None, :]) ** 2
    chance = np.outer(confusion.sum(axis=1), confusion.sum(axis=0)) / confusion.sum()
    disagreement = float((weights * chance).sum())
    return 1 - float((weights * confusion).sum()) / disagreement if disagreement else float("nan")
