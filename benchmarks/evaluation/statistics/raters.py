"""Raters as arrays: what every statistic is computed from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....calibration.annotations.annotations import AnnotationTable
from ....runtime.scores import SCORES, Zone
from ..matching import AnnotatedImage
from ..results import EXPECTED, READER, SCORE
from ..scoring import BundleRun
from .resampling import Floats


@dataclass(frozen=True)
class Rater:
    """Scores of all evaluated images by a bundle or a radiologist.

    Attributes
    ----------
    name, kind
        A bundle's label with `results.SCORE` or `results.EXPECTED`, or a reader's name with
        `results.READER`.
    values
        float64 ``[images, 6]``; 0 where the rater has not scored the image.
    scores
        int64 ``[images, 6]``, 0 to 3; None when the rater gives no whole scores.
    present
        bool ``[images]``: which images the rater has scored.
    probabilities
        float64 ``[images, 6, 4]``; None for a radiologist.
    """

    name: str
    kind: str
    values: Floats
    scores: NDArray[np.int64] | None
    present: NDArray[np.bool_]
    probabilities: Floats | None = None

    def some(self, images: NDArray[np.intp]) -> "Rater":
        """A part of the images, by position."""
        return Rater(
            self.name,
            self.kind,
            self.values[images],
            None if self.scores is None else self.scores[images],
            self.present[images],
            None if self.probabilities is None else self.probabilities[images],
        )

    @property
    def global_values(self) -> Floats:
        """Sums over zones, float64 ``[images]``."""
        return self.values.sum(axis=1)

    @property
    def whole_scores(self) -> NDArray[np.int64]:
        """The scores of a rater that has them; a reference always has.

        Raises
        ------
        ValueError
            The rater gives no whole scores.
        """
        if self.scores is None:
            raise ValueError(f"rater {self.name} ({self.kind}) gives no whole scores")
        return self.scores


@dataclass(frozen=True)
class Pair:
    """A rater and a reference on the images that both scored.

    Attributes
    ----------
    rater, reference
        Of those images alone.
    images
        Their positions among all evaluated images.
    """

    rater: Rater
    reference: Rater
    images: NDArray[np.intp]

    @classmethod
    def of(cls, rater: Rater, reference: Rater) -> "Pair":
        """Join two raters of all images."""
        images = np.flatnonzero(rater.present & reference.present)
        return cls(rater.some(images), reference.some(images), images)

    def within(self, chosen: NDArray[np.bool_]) -> "Pair":
        """The part of it among chosen images; `chosen` is bool ``[all images]``."""
        kept = np.flatnonzero(chosen[self.images])
        return Pair(self.rater.some(kept), self.reference.some(kept), self.images[kept])


def bundle_raters(run: BundleRun, images: Sequence[AnnotatedImage]) -> Iterator[Rater]:
    """A bundle read in its two ways: by the most probable scores, and by the expected ones."""
    probabilities = np.stack([run.scored[image.path].probabilities for image in images])
    probabilities = probabilities.astype(np.float64)
    scores = probabilities.argmax(axis=2)
    present = np.ones(len(images), np.bool_)
    yield Rater(run.label, SCORE, scores.astype(np.float64), scores, present, probabilities)
    yield Rater(run.label, EXPECTED, probabilities @ SCORES, None, present, probabilities)


def readers_of(tables: Sequence[AnnotationTable], images: Sequence[AnnotatedImage]) -> list[Rater]:
    """Readers who have scored any of the images."""
    names = [name for table in tables for name in table.readers]
    readers = [_reader(name, images) for name in names]
    return [reader for reader in readers if reader.present.any()]


def _reader(name: str, images: Sequence[AnnotatedImage]) -> Rater:
    readings = [image.readings.get(name) for image in images]
    nothing = np.zeros(len(Zone))
    return Rater(
        name,
        READER,
        np.stack([nothing if each is None else each.values for each in readings]),
        np.stack([nothing.astype(np.int64) if each is None else each.scores for each in readings]),
        np.array([each is not None for each in readings]),
    )
