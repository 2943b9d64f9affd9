"""The part of a radiograph from which the network scored a zone, as DICOM draws it.

A spatial coordinate (SCOORD, PS3.3 C.18.6.1.1) is a column and a row of the image as it is stored.
The first pixel's upper left corner is (0, 0), its centre (0.5, 0.5). The last one's lower right
corner is (columns, rows), and nothing may lie beyond.
"""

import numpy as np
from numpy.typing import NDArray

from ...scores import Zone
from ..zone_geometry import zone_outline

_DIGITS = 2
"""After the decimal point, pixels: what the network computes beyond differs between machines."""

_SMALLEST_AREA = 1.0
"""Square pixels; of less no region is told."""


def zone_region(
    zone: Zone, alignment: NDArray[np.float32], rows: int, columns: int
) -> NDArray[np.float64] | None:
    """Give a zone's quadrilateral, cut to the image, as a closed line.

    Parameters
    ----------
    zone
        Which zone.
    alignment
        float32 ``[2, 3]``, as `Prediction.alignment`.
    rows, columns
        Size of the image, pixels.

    Returns
    -------
    NDArray[np.float64] or None
        float64 ``[n, 2]``: (column, row) of 3 to 8 corners, and of the first one again. None for
        a zone that lies beside the image.
    """
    # Index 0 of the outline is the first pixel's centre.
    outline = zone_outline(zone, alignment, rows, columns) + 0.5
    for axis, most in ((0, columns), (1, rows)):
        outline = _cut(outline, outline[:, axis])
        outline = _cut(outline, most - outline[:, axis])
    outline = np.clip(np.round(outline, _DIGITS), 0.0, [columns, rows])
    if _area(outline) < _SMALLEST_AREA:
        return None
    return np.concatenate([outline, outline[:1]])


def _cut(corners: NDArray[np.float64], inside: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut a convex polygon along a line.

    ``inside`` holds each corner's distance from the line, negative outside (Sutherland and Hodgman,
    Communications of the ACM 17, 1974).
    """
    kept: list[NDArray[np.float64]] = []
    for here, there, before, after in zip(
        corners, np.roll(corners, -1, axis=0), inside, np.roll(inside, -1), strict=True
    ):
        if before >= 0:
            kept.append(here)
        if (before < 0) != (after < 0):
            kept.append(here + (there - here) * before / (before - after))
    return np.array(kept, np.float64).reshape(-1, 2)


def _area(corners: NDArray[np.float64]) -> float:
    """The area of a polygon."""
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2.0
