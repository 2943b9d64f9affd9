"""From a zone's own 16x16 grid back onto the network's input.

The network samples its features through the alignment, cuts a zone's box out of them and
stretches it over a grid that includes both ends of the box (see `export.zones`), so cell 0 lies on
the box's upper or left edge and cell 15 on the lower or right one. Three corners of the box,
carried into the input by `zone_geometry`, fix the affine map between the two.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract import INPUT_SIZE
from ..reports.zone_geometry import aligned_to_input, zone_corners
from ..scores import Zone


def lay_on_input(grids: NDArray[np.float32], alignment: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay the zones' grids over the input.

    Parameters
    ----------
    grids
        float32 ``[6, n, n]``, zones A to F.
    alignment
        float32 ``[2, 3]``, as `Prediction.alignment`.

    Returns
    -------
    NDArray[np.float32]
        float32 ``[6, 512, 512]``: bilinear between cells (in steps of 1/32 of one, as OpenCV
        interpolates) inside a zone's box, 0 outside. A zone whose box is squeezed to a line or
        lies outside the image has zeros alone.
    """
    maps = np.zeros((len(grids), INPUT_SIZE, INPUT_SIZE), np.float32)
    for zone, grid, target in zip(Zone, grids, maps, strict=True):
        _lay(grid, aligned_to_input(zone_corners(zone), alignment), target)
    return maps


def _lay(
    grid: NDArray[np.float32], corners: NDArray[np.float64], target: NDArray[np.float32]
) -> None:
    """Fill the quadrilateral `corners` of `target` with `grid`."""
    last = len(grid) - 1
    try:
        to_cells = _affine(corners[:3], np.array([(0, 0), (last, 0), (last, last)], np.float64))
    except np.linalg.LinAlgError:
        return
    # Only the pixels that the box may cover: six whole images would cost as much as a small model.
    low = np.clip(np.floor(corners.min(axis=0)), 0, INPUT_SIZE).astype(np.int64)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, INPUT_SIZE).astype(np.int64)
    if not (low < high).all():
        return
    left, top, right, bottom = map(int, (*low, *high))
    across, down = _cells(to_cells, np.arange(left, right), np.arange(top, bottom))
    sampled = cv2.remap(grid, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = (across >= 0) & (across <= last) & (down >= 0) & (down <= last)
    target[top:bottom, left:right] = np.where(inside, sampled, np.float32(0))


def _cells(
    to_cells: NDArray[np.float64], columns: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Where pixels lie in the grid, (x, y) first: ``[2, rows, columns]``."""
    shift = to_cells[:, 2, np.newaxis, np.newaxis]
    across = to_cells[:, 0, np.newaxis, np.newaxis] * columns
    down = to_cells[:, 1, np.newaxis, np.newaxis] * rows[:, np.newaxis]
    return (across + down + shift).astype(np.float32)


def _affine(points: NDArray[np.float64], images: NDArray[np.float64]) -> NDArray[np.float64]:
    """The map ``[2, 3]`` that takes three points to three others."""
    solved = np.linalg.solve(np.column_stack([points, np.ones(3)]), images)
    return np.asarray(solved.T, np.float64)
