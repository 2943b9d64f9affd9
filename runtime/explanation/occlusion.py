"""Occlusion: what a zone's score loses when a piece of lung is blanked.

Every super-pixel costs a whole pass through the network, about 180 in all. Nothing of a pass is
kept for the next: a blanked piece changes the deep features of nearly the whole image (their
receptive field is wider than the lungs), and the decoder, six sevenths of the work, starts from
those. What stays the same lies in the first stage alone, some 3 % of the work, and to keep it would
need a network cut in two. Holding the lung mask and the alignment as they are would save more,
but would explain another network than the one that scored.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..contract import PROBABILITIES
from ..progress import Progress, unchanged
from ..results import ScoredRadiograph
from ..scorer import Scorer
from .explanation import Explanation
from .superpixels import lung_superpixels

OCCLUSION = "occlusion"
BLANK = 0.0
"""The grey that a piece is blanked with: black, as air."""

_UNIT = "drop of the probability of the zone's score when a piece is blanked"

Batches = list[NDArray[np.intp]]


def explain_by_occlusion(
    scorer: Scorer,
    result: ScoredRadiograph,
    image: NDArray[np.float32],
    progress: Progress = unchanged,
) -> Explanation:
    """Blank each super-pixel of the lungs in turn.

    Parameters
    ----------
    scorer
        The one that scored it.
    result
        Its score.
    image
        float32 ``[1, 1, 512, 512]``, the network's input.
    progress
        Gets the batches and passes them on.

    Raises
    ------
    UnsupportedImage
        The network found no lungs.
    MissingExtra
        scikit-image is not installed.
    """
    labels = lung_superpixels(image[0, 0], result.prediction.lung_mask)
    pieces = [labels == label for label in range(1, labels.max() + 1)]
    drops = probability_drops(scorer, result, image, pieces, progress)
    maps = np.concatenate([np.zeros((1, drops.shape[1]), np.float32), drops])[labels]
    return Explanation(result, OCCLUSION, _UNIT, np.ascontiguousarray(maps.transpose(2, 0, 1)))


def probability_drops(
    scorer: Scorer,
    result: ScoredRadiograph,
    image: NDArray[np.float32],
    pieces: list[NDArray[np.bool_]],
    progress: Progress = unchanged,
) -> NDArray[np.float32]:
    """Measure what blanking takes from the probabilities of the scores that were given.

    Parameters
    ----------
    scorer, result, image, progress
        As `explain_by_occlusion`.
    pieces
        bool ``[512, 512]`` each; every one is blanked alone.

    Returns
    -------
    NDArray[np.float32]
        float32 ``[pieces, 6]``; below 0 where the probability rises.
    """
    predicted = [item.score for item in result.score.zones]
    zones = np.arange(len(predicted))
    before = result.prediction.probabilities[zones, predicted]
    batches = even_batches(len(pieces), scorer.bundle.manifest.max_batch)
    after = [
        run_blanked(scorer, image, [pieces[index] for index in batch])[:, zones, predicted]
        for batch in progress("Blanking", batches)
    ]
    return (before - np.concatenate(after))[: len(pieces)].astype(np.float32)


def run_blanked(
    scorer: Scorer, image: NDArray[np.float32], pieces: list[NDArray[np.bool_]]
) -> NDArray[np.float32]:
    """Score copies of an image, in each a piece blanked: probabilities, ``[pieces, 6, 4]``."""
    copies = np.repeat(image, len(pieces), axis=0)
    copies[:, 0][np.stack(pieces)] = BLANK
    return scorer.session.run(copies, (PROBABILITIES,))[PROBABILITIES]


def even_batches(count: int, largest: int) -> Batches:
    """Cut 0, 1, ... into batches of one size: backends build for each size anew.

    The last batch is filled up with its last number again.
    """
    return list(_even_batches(count, largest))


def _even_batches(count: int, largest: int) -> Iterator[NDArray[np.intp]]:
    number = -(-count // largest)
    size = -(-count // number)
    for start in range(0, count, size):
        yield np.minimum(np.arange(start, start + size), count - 1)
