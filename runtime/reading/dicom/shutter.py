"""Shutters hide what lies outside the collimated field: PS3.3 C.7.6.11, Display Shutter Module.

Rows and columns are counted from 1, and what lies on an edge is seen. Of several shapes all hide:
what is seen lies within each of them. Bitmap shutters belong to presentation states (C.7.6.15).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .header import Header

Mask = NDArray[np.bool_]
Size = tuple[int, int]

_EDGES = (
    *("ShutterUpperHorizontalEdge", "ShutterLowerHorizontalEdge"),
    *("ShutterLeftVerticalEdge", "ShutterRightVerticalEdge"),
)
_MOST_VERTICES = 4096
_FARTHEST = 2**20
"""Pixels from the corner; a vertex further out is no vertex, and its products no longer exact."""


@dataclass(frozen=True)
class Shutter:
    """What a file's shutters hide.

    Attributes
    ----------
    hidden
        bool ``[rows, columns]``, or None where nothing is hidden.
    steps
        What was done, one sentence.
    warnings
        What was doubtful about it.
    """

    hidden: Mask | None = None
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_shutter(header: Header, rows: int, columns: int) -> Shutter:
    """Work out which pixels the shutters of an image hide.

    Raises
    ------
    UnreadableImage
        An element cannot be parsed.
    """
    shapes = dict.fromkeys(header.texts("ShutterShape"))
    if not shapes:
        return Shutter()
    seen = np.ones((rows, columns), bool)
    used: list[str] = []
    warnings: list[str] = []
    for shape in shapes:
        inside = _SHAPES[shape](header, (rows, columns)) if shape in _SHAPES else None
        if inside is None or not inside.any():
            told = shape if shape in _SHAPES else "of a shape that images do not have"
            warnings.append(f"a shutter, {told}, cannot be used and was left out")
        else:
            seen &= inside
            used.append(shape)
    if not seen.any():
        return Shutter(warnings=(*warnings, "the shutters hide the whole image; left out"))
    if seen.all():
        return Shutter(warnings=tuple(warnings))
    share = 1 - np.count_nonzero(seen) / seen.size
    step = f"shutter {' and '.join(used)}: {share:.1%} of the pixels made black (PS3.3 C.7.6.11)"
    return Shutter(~seen, (step,), tuple(warnings))


def _rectangle(header: Header, size: Size) -> Mask | None:
    edges = [header.numbers(keyword) for keyword in _EDGES]
    if not all(edges):
        return None
    upper, lower, left, right = (edge[0] for edge in edges)
    row, column = _places(size)
    return (row >= upper) & (row <= lower) & (column >= left) & (column <= right)


def _circle(header: Header, size: Size) -> Mask | None:
    centre, radius = header.numbers("CenterOfCircularShutter"), header.numbers(_RADIUS)
    if len(centre) != 2 or not radius:
        return None
    row, column = _places(size)
    return (row - centre[0]) ** 2 + (column - centre[1]) ** 2 <= radius[0] ** 2


_RADIUS = "RadiusOfCircularShutter"


def _polygon(header: Header, size: Size) -> Mask | None:
    numbers = header.numbers("VerticesOfThePolygonalShutter")
    if len(numbers) % 2 or not 3 <= len(numbers) // 2 <= _MOST_VERTICES:
        return None
    # From 0 here, as the mask's own rows and columns.
    vertices = np.array(numbers).reshape(-1, 2) - 1
    if np.abs(vertices).max() > _FARTHEST:
        return None
    return polygon_mask(vertices, size)


def _places(size: Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, columns = np.ogrid[1.0 : size[0] + 1, 1.0 : size[1] + 1]
    return rows, columns


_SHAPES: Mapping[str, Callable[[Header, Size], Mask | None]] = {
    "RECTANGULAR": _rectangle,
    "CIRCULAR": _circle,
    "POLYGONAL": _polygon,
}


def polygon_mask(vertices: NDArray[np.float64], size: Size) -> Mask:
    """Mark the pixels whose centre lies within a polygon or on its border, exactly.

    Parameters
    ----------
    vertices
        float64 ``[n, 2]``: row and column of each, whole numbers, 0 the first pixel's centre. The
        last is joined with the first; where borders cross, the even-odd rule decides.
    size
        Rows and columns of the mask.

    Returns
    -------
    NDArray[np.bool_]
        ``[rows, columns]``.
    """
    # One column more, for borders that lie to the right of the picture.
    turns = np.zeros((size[0], size[1] + 1), bool)
    border = np.zeros(size, bool)
    for start, end in pairwise([*vertices, vertices[0]]):
        _draw_edge(turns, border, *sorted((tuple(start), tuple(end))))
    inside = np.logical_xor.accumulate(turns[:, :-1], axis=1)
    return inside | border


def _draw_edge(
    turns: Mask, border: Mask, upper: tuple[float, float], lower: tuple[float, float]
) -> None:
    """Mark where a row passes an edge: outside to inside or back, from that column on."""
    rows, columns = border.shape
    if upper[0] == lower[0]:
        if 0 <= upper[0] < rows:
            border[int(upper[0]), max(int(upper[1]), 0) : max(int(lower[1]) + 1, 0)] = True
        return
    row = np.arange(max(upper[0], 0), min(lower[0], rows - 1) + 1).astype(np.intp)
    slope = (lower[1] - upper[1], lower[0] - upper[0])
    column = upper[1] + (row - upper[0]) * slope[0] / slope[1]
    on_centre = (column == np.floor(column)) & (column >= 0) & (column < columns)
    border[row[on_centre], column[on_centre].astype(np.intp)] = True
    # Half open, so that a vertex between two edges is passed once.
    passed = row < lower[0]
    first = np.clip(np.ceil(column[passed]), 0, columns).astype(np.intp)
    turns[row[passed], first] ^= True
