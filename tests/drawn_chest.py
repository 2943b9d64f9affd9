"""A frontal chest radiograph drawn from its outlines, and its lung mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_RIGHT_LUNG = ((150, 90), (200, 80), (215, 150), (210, 300), (200, 370), (130, 360), (75, 390))
_LEFT_LUNG = ((310, 80), (360, 90), (440, 410), (380, 395), (340, 390), (330, 300), (290, 180))


def draw_chest(shift: tuple[int, int] = (0, 0), size: float = 1.0) -> tuple[Array, Array]:
    """Draw image and mask, float32 ``[512, 512]``, 0.0 to 1.0; shifted and scaled.

    The right lung lies on the image's left and ends higher, above the liver; the heart, low on the
    image's right, narrows the left lung.
    """
    image = np.full((512, 512), 0.05, np.float32)
    mask = np.zeros((512, 512), np.float32)
    _fill(
        image, ((40, 80), (220, 20), (290, 20), (470, 80), (490, 511), (20, 511)), 0.7, shift, size
    )
    _fill(image, ((225, 0), (285, 0), (300, 511), (215, 511)), 0.9, shift, size)
    _fill(
        image,
        ((60, 400), (140, 360), (200, 370), (440, 400), (480, 511), (30, 511)),
        0.95,
        shift,
        size,
    )
    for lung in (_RIGHT_LUNG, _LEFT_LUNG):
        _fill(image, lung, 0.2, shift, size)
        _fill(mask, lung, 1.0, shift, size)
    return cv2.GaussianBlur(image, (0, 0), 6).astype(np.float32), mask


def _fill(
    picture: Array,
    outline: tuple[tuple[int, int], ...],
    grey: float,
    shift: tuple[int, int],
    size: float,
) -> None:
    points = (np.array(outline) - 256) * size + 256 + np.array(shift)
    cv2.fillPoly(picture, [np.round(points).astype(np.int32)], grey)
