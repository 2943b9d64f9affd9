"""Merge the pyramid's halving Resize into the matrices that cut the zones.

A Resize to half the size takes the mean of 2x2 pixels. It is linear, so it may act
on each term of a sum; on a zone it multiplies into the constant matrices that cut
it, and the zone is never made at full size.
"""

import numpy as np
from numpy.typing import NDArray

from ..graph.graph import Array, Graph, Node
from ..network.zones import LEVELS, Level, zones_name


def merge_resamplings(graph: Graph) -> None:
    """Cut the zones of every level that is halved at half size."""
    for level in LEVELS[:-1]:
        resize = graph.node(f"{level.convolution}_upsampled")
        merged = graph.producer(resize.inputs[0])
        if merged is not None and merged.name == f"{level.convolution}_merged":
            _halve_carried(graph, resize, merged)
        else:
            graph.replace_tensor(resize.outputs[0], resize.inputs[0])
            graph.remove(resize)
        _cut_at_half_size(graph, level)
    graph.sort()
    graph.prune()


def _halve_carried(graph: Graph, resize: Node, merged: Node) -> None:
    """Resize(carried + zones) becomes Resize(carried) + zones, which are cut at half size."""
    carried = merged.inputs[0]
    graph.replace_tensor(resize.outputs[0], merged.outputs[0])
    resize.inputs = [carried, *resize.inputs[1:]]
    merged.inputs = [resize.outputs[0], merged.inputs[1]]


def _cut_at_half_size(graph: Graph, level: Level) -> None:
    prefix = zones_name(level)
    rows, columns = f"{prefix}/rows", f"{prefix}/columns"
    graph.constants[rows] = _mean_of_pairs(graph.constants[rows])
    graph.constants[columns] = np.ascontiguousarray(_mean_of_pairs(graph.constants[columns].T).T)
    _halve(graph, f"{prefix}/split/shape", (3, 5))
    _halve(graph, f"{prefix}/shape", (2, 3))


def _halve(graph: Graph, name: str, axes: tuple[int, int]) -> None:
    shape = graph.constants[name].astype(np.int64)
    shape[list(axes)] //= 2
    graph.constants[name] = shape


def _mean_of_pairs(matrix: Array) -> NDArray[np.float32]:
    """Mean of each two neighbouring rows, in double precision."""
    pairs = matrix.astype(np.float64).reshape(len(matrix) // 2, 2, -1)
    return pairs.mean(axis=1).astype(np.float32)
