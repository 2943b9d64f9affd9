"""Sample the lung mask only where the aligned mask is read.

The aligned mask, 512 pixels wide, is only ever shrunk to 128, 64, 32 and 16
pixels. Shrinking by 4 or more without antialias takes the mean of 2x2 pixels and
skips the rest: 87,040 of 262,144 samples are enough, taken in one go.
"""

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ...runtime.contract import INPUT_SIZE
from ..graph.graph import Graph
from ..network.alignment import grid_points
from ..network.zones import ALIGNED_MASK, LEVELS

_CORNERS = 4


def sample_mask_where_read(graph: Graph) -> None:
    """Replace the aligned mask by its samples at the corners that each level averages."""
    points = np.concatenate([_corner_points(level.size) for level in LEVELS], axis=1)
    mean = _sample(graph, points)
    counts = [level.size**2 for level in LEVELS]
    for level, start in zip(LEVELS, accumulate([0, *counts[:-1]]), strict=True):
        name = f"{ALIGNED_MASK}{level.size}"
        graph.remove(graph.node(name))
        part = graph.slice(mean, f"{name}/part", 2, start, start + level.size**2)
        graph.reshape(part, name, [-1, 1, level.size, level.size])
    graph.sort()
    graph.prune()


def _corner_points(size: int) -> NDArray[np.float32]:
    """Grid points of the 2x2 pixels behind each pixel of the shrunk mask: ``[4, size**2, 3]``."""
    step = INPUT_SIZE // size
    first = np.arange(size) * step + step // 2 - 1
    points = grid_points(INPUT_SIZE).reshape(INPUT_SIZE, INPUT_SIZE, 3)
    corners = [points[first + row][:, first + column] for row in (0, 1) for column in (0, 1)]
    return np.stack(corners).reshape(_CORNERS, -1, 3)


def _sample(graph: Graph, points: NDArray[np.float32]) -> str:
    """Mean of the four corners' samples, 0 for each that lies outside: ``[N, 1, points]``."""
    grid = f"alignment/grid{INPUT_SIZE}"
    graph.constants[f"{grid}/points"] = points.reshape(1, -1, 3)
    graph.constants[f"{grid}/shape"] = np.array([-1, _CORNERS, points.shape[1], 2], np.int64)
    inside = f"alignment/inside{INPUT_SIZE}"
    graph.constants[f"{inside}/shape"] = np.array([-1, 1, _CORNERS, points.shape[1]], np.int64)
    return graph.add("ReduceMean", [ALIGNED_MASK], f"{ALIGNED_MASK}/mean", axes=[2], keepdims=0)
