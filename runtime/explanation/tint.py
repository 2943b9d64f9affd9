"""Colours for maps: from white to a score's colour."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..reports.overlay import SCORE_COLOURS
from .explanation import Explanation

_DARKEST = 0.25  # of white, for black air: a colour on black would not show
_STRONGEST = 99.5  # percentile of the strength that gets full colour; single peaks fade the rest

LEAST_FULL_COLOUR = {"evidence": 1.0, "occlusion": 0.05}
"""By method: full colour stands for no less than this, so that noise is not drawn as a finding."""


def full_colour(explanation: Explanation) -> float:
    """The strength that is drawn in full colour."""
    strength = explanation.combined()[0]
    seen = strength[strength > 0]
    strongest = float(np.percentile(seen, _STRONGEST)) if seen.size else 0.0
    return max(strongest, LEAST_FULL_COLOUR[explanation.method])


def ramp(strength: NDArray[np.floating], scores: NDArray[np.integer]) -> NDArray[np.float64]:
    """Mix white with the scores' colours.

    Parameters
    ----------
    strength
        ``[...]``, 0.0 for white to 1.0 for the colour; more counts as 1.0.
    scores
        Of the same shape, 0 to 3.

    Returns
    -------
    NDArray[np.float64]
        float64 ``[..., 3]``, BGR, 0.0 to 1.0.
    """
    share = np.clip(strength, 0.0, 1.0)[..., np.newaxis]
    return 1.0 - share * (1.0 - np.array(SCORE_COLOURS)[scores] / 255.0)


def tinted(
    picture: NDArray[np.uint8], strength: NDArray[np.floating], scores: NDArray[np.integer]
) -> NDArray[np.uint8]:
    """Colour a picture of the whole radiograph by a map in the frame of the input.

    Parameters
    ----------
    picture
        uint8 ``[rows, columns, 3]``, grey; it is left as it is.
    strength, scores
        ``[512, 512]``; see `ramp`.
    """
    size = (picture.shape[1], picture.shape[0])
    shades = cv2.resize(ramp(strength, scores), size, interpolation=cv2.INTER_LINEAR)
    greys = _DARKEST + (1.0 - _DARKEST) * picture / 255.0
    return np.round(greys * shades * 255.0).astype(np.uint8)
