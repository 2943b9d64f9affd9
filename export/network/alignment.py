"""The alignment network and its sampler (Jaderberg et al. 2015, as BS-Net has it).

BS-Net's ``BilinearInterpolation`` puts pixel i at x = i for x = (g + 1) / 2 * W,
which is neither of GridSample's conventions. It truncates the corner indices,
then clips them, and weighs with the clipped ones, so that

- for x >= W - 1 the result is 0,
- for -1 < x < 0 it extrapolates from pixels 0 and 1,
- for x <= -1 the result is 0.

Here the image gets one extrapolated row and column in front (2 p0 - p1), which
makes the second case plain interpolation; the grid is shifted and scaled to
GridSample's ``align_corners=0``; and what lies outside is multiplied by 0. In
the padded image's own coordinates g' = (W g + 2) / (W + 1) both borders are
the same distance from 0: a sample is inside when |g'| < W / (W + 1).
"""

import numpy as np
from numpy.typing import NDArray

from ...runtime.contract import ALIGNMENT
from .layers import LayerWriter

_MASK_POOL = 4
_LAST_MAP = (26, 26, 20)


def add_alignment(layers: LayerWriter, lung_mask: str) -> str:
    """Append the alignment network; returns the affine map's name."""
    x = layers.max_pool(
        lung_mask, "stn/locnet_input_adaptation", size=_MASK_POOL, stride=_MASK_POOL
    )
    for index in range(2):
        x = layers.max_pool(x, f"stn/locnet_pooling{index}", size=2, stride=2)
        x = layers.convolution(x, f"stn/locnet_conv{index}")
    x = layers.graph.add("Flatten", [x], "stn/locnet_flatten", axis=1)
    # Keras flattens rows, columns, channels; ONNX channels, rows, columns.
    kernel = layers.weights["stn/locnet_dense/kernel"].reshape(*_LAST_MAP, -1)
    kernel = kernel.transpose(2, 0, 1, 3).reshape(-1, kernel.shape[-1])
    x = layers.relu(layers.dense(x, "stn/locnet_dense", kernel), "stn/locnet_relu")
    x = layers.dense(x, "stn/locnet_alignment")
    return layers.graph.reshape(x, ALIGNMENT, [-1, 2, 3])


class Sampler:
    """Samples tensors through the alignment map, at the tensor's own size."""

    def __init__(self, layers: LayerWriter, alignment: str) -> None:
        self._graph = layers.graph
        # Grid points are rows of a matrix, so the map is applied from the right.
        self._map = self._graph.add("Transpose", [alignment], "alignment/map", perm=[0, 2, 1])
        self._grids: dict[int, tuple[str, str]] = {}

    def sample(self, source: str, name: str, size: int) -> str:
        """Sample `source`, ``[N, C, size, size]``; what lies outside is not yet blacked out."""
        grid, _ = self._grid(size)
        padded = self._extrapolate(self._extrapolate(source, name, axis=2), name, axis=3)
        return self._graph.add(
            "GridSample",
            [padded, grid],
            name,
            mode="bilinear",
            padding_mode="zeros",
            align_corners=0,
        )

    def inside(self, size: int) -> str:
        """1.0 where a sample of that size lies inside, else 0.0: ``[N, 1, size, size]``."""
        return self._grid(size)[1]

    def _grid(self, size: int) -> tuple[str, str]:
        if size not in self._grids:
            grid = self._sampling_grid(size)
            self._grids[size] = grid, self._inside(grid, size)
        return self._grids[size]

    def _sampling_grid(self, size: int) -> str:
        name = f"alignment/grid{size}"
        points_name = self._graph.constant(f"{name}/points", grid_points(size))
        shift = self._graph.constant(f"{name}/shift", np.array([2 / (size + 1)], np.float32))
        mapped = self._graph.add("MatMul", [points_name, self._map], f"{name}/mapped")
        shifted = self._graph.add("Add", [mapped, shift], f"{name}/shifted")
        return self._graph.reshape(shifted, name, [-1, size, size, 2])

    def _inside(self, grid: str, size: int) -> str:
        name = f"alignment/inside{size}"
        border = self._graph.constant(f"{name}/border", np.array(size / (size + 1), np.float32))
        distance = self._graph.add("Abs", [grid], f"{name}/distance")
        farthest = self._graph.add(
            "ReduceMax", [distance], f"{name}/farthest", axes=[3], keepdims=0
        )
        within = self._graph.add("Less", [farthest, border], f"{name}/within")
        number = self._graph.add("Cast", [within], f"{name}/number", to=1)
        return self._graph.reshape(number, name, [-1, 1, size, size])

    def _extrapolate(self, source: str, name: str, axis: int) -> str:
        """Put 2 p0 - p1 in front of the rows (`axis` 2) or columns (3)."""
        prefix = f"{name}/{'rows' if axis == 2 else 'columns'}"
        first = self._graph.slice(source, f"{prefix}/first", axis, 0, 1)
        second = self._graph.slice(source, f"{prefix}/second", axis, 1, 2)
        step = self._graph.add("Sub", [first, second], f"{prefix}/step")
        before = self._graph.add("Add", [first, step], f"{prefix}/before")
        return self._graph.add("Concat", [before, source], f"{prefix}/padded", axis=axis)


def grid_points(size: int) -> NDArray[np.float32]:
    """The points (x, y, 1) of a sampling grid, in the padded image's own scale.

    Returns
    -------
    float32 ``[1, size**2, 3]``; x and y run from -1 to 1 with both ends, times size / (size + 1).
    """
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    columns, rows = np.meshgrid(axis, axis)
    points = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(1, -1, 3)
    return (points * np.float32(size / (size + 1))).astype(np.float32)
