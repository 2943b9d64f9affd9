"""Where a zone lies on the radiograph: the network's alignment, walked back to the image.

The network turns the radiograph upright before it cuts six zones out of it.
Three frames, each with x to the right and y down:

- *aligned*: fractions 0..1 of the aligned image, in which the zones are fixed boxes;
- *input*: pixel indices of the network's 512x512 input;
- *picture*: pixel indices of any other rendering of the whole radiograph.
"""

import numpy as np
from numpy.typing import NDArray

from ..contract import COLUMN_BANDS, INPUT_SIZE, ROW_BANDS
from ..scores import Zone


def zone_corners(zone: Zone) -> NDArray[np.float64]:
    """Give a zone's box in the aligned frame.

    Parameters
    ----------
    zone
        Which zone.

    Returns
    -------
    NDArray[np.float64]
        float64 ``[4, 2]``: (x, y) of the corners, clockwise from the upper left one.
    """
    top, bottom = ROW_BANDS[zone.level]
    left, right = COLUMN_BANDS[zone.lung]
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)


def aligned_to_input(
    points: NDArray[np.float64], alignment: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Carry points to where the network read them in its input.

    Parameters
    ----------
    points
        float64 ``[n, 2]``, (x, y) in the aligned frame.
    alignment
        float32 ``[2, 3]``, as `Prediction.alignment`.

    Returns
    -------
    NDArray[np.float64]
        float64 ``[n, 2]``, (x, y) in pixels of the input; may lie outside the image.
    """
    centred = np.column_stack([2.0 * points - 1.0, np.ones(len(points))])
    return (centred @ alignment.T.astype(np.float64) + 1.0) / 2.0 * INPUT_SIZE


def input_to_picture(points: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Carry points from the input to another rendering of the whole radiograph.

    Parameters
    ----------
    points
        float64 ``[n, 2]``, (x, y) in pixels of the input.
    rows, columns
        Size of the rendering, pixels.

    Returns
    -------
    NDArray[np.float64]
        float64 ``[n, 2]``, (x, y) in pixels of the rendering. Index 0 is a pixel's centre in
        both frames, as image resampling has it.
    """
    scale = np.array([columns, rows], np.float64) / INPUT_SIZE
    return (points + 0.5) * scale - 0.5


def zone_outline(
    zone: Zone, alignment: NDArray[np.float32], rows: int, columns: int
) -> NDArray[np.float64]:
    """Give the quadrilateral of the radiograph from which the network scored a zone.

    Parameters
    ----------
    zone
        Which zone.
    alignment
        float32 ``[2, 3]``, as `Prediction.alignment`.
    rows, columns
        Size of the rendering to draw on, pixels.

    Returns
    -------
    NDArray[np.float64]
        float64 ``[4, 2]``: (x, y) of the corners in pixels of the rendering.
    """
    inside = aligned_to_input(zone_corners(zone), alignment)
    return input_to_picture(inside, rows, columns)
