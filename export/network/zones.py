"""Six zones: cut from the aligned features, merged by a pyramid, classified by six heads.

``tf.image.crop_and_resize`` samples a box at (H - 1) scale with both ends
included. The boxes are constants, so each crop is two constant matrices, one for
rows and one for columns (see `resampling_matrix`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...runtime.contract import (
    COLUMN_BANDS,
    EVIDENCE_SIZE,
    INPUT_SIZE,
    PROBABILITIES,
    ROW_BANDS,
    ZONE_EVIDENCE,
)
from ...runtime.scores import Zone
from .alignment import Sampler
from .architecture import CLASSES, HEAD_BLOCKS, HEAD_EPSILON, HEADS
from .layers import LayerWriter

ALIGNED_MASK = "aligned_mask"
"""The lung mask sampled through the map, 0 outside; with a size behind it, shrunk to that size."""

PYRAMID_ZONES = "pyramid/zones"
"""The pyramid's last level, ``[N, 6, 512, 16, 16]``."""

FEATURES = ("stage1_unit1_relu1", "stage2_unit2_relu1", "stage3_unit2_relu1", "stage4_unit2_relu1")
"""The encoder's tensors that the pyramid reads, 128, 64, 32 and 16 pixels wide."""


@dataclass(frozen=True)
class Level:
    """One level of the pyramid: its 1x1 reduction, its 3x3 convolution, channels and size."""

    reduction: str
    convolution: str
    channels: int
    size: int


LEVELS = (
    Level("C1_reduced", "P1", 64, 128),
    Level("Cmid0_reduced", "Pmid0", 128, 64),
    Level("Cmid1_reduced", "Pmid1", 256, 32),
    Level("C5_reduced", "P5", 512, EVIDENCE_SIZE),
)


def sampled_name(feature: str) -> str:
    """The tensor that is `feature` sampled through the map; nodes of that work begin with it."""
    return f"{feature}/aligned"


def zones_name(level: Level) -> str:
    """The tensor with a level's zones, ``[N * 6, C, h, w]``; constants of it begin with it."""
    return f"zones{level.size}"


def network_head(zone: Zone) -> int:
    """The head that scores `zone`: heads are counted A D B E C F, row by row of the image."""
    row, column = ("upper", "middle", "lower").index(zone.level), ("right", "left").index(zone.lung)
    return 2 * row + column


def resampling_matrix(bands: Iterable[tuple[float, float]], size: int) -> NDArray[np.float32]:
    """The linear map that cuts bands out of an axis and stretches each back to `size`.

    Returns
    -------
    float32 ``[len(bands) * size, size]``; every row holds the weights of one output and sums to 1.
    """
    starts, ends = np.array(tuple(bands), np.float32).T[:, :, None] * np.float32(size - 1)
    positions = (starts + np.arange(size) * ((ends - starts) / (size - 1))).reshape(-1)
    lower = np.minimum(np.floor(positions).astype(np.int64), size - 2)
    matrix = np.zeros((len(positions), size))
    rows = np.arange(len(positions))
    matrix[rows, lower] = 1 - (positions - lower)
    matrix[rows, lower + 1] = positions - lower
    return matrix.astype(np.float32)


def add_zones(layers: LayerWriter, sampler: Sampler, lung_mask: str) -> None:
    """Append everything from the encoder's features to the probabilities."""
    aligned_mask = _aligned_mask(layers, sampler, lung_mask)
    levels = [
        _zone_features(layers, sampler, feature, aligned_mask, index)
        for index, feature in enumerate(FEATURES)
    ]
    _add_heads(layers, _add_pyramid(layers, levels))


def _aligned_mask(layers: LayerWriter, sampler: Sampler, lung_mask: str) -> str:
    sampled = sampler.sample(lung_mask, f"{ALIGNED_MASK}/sampled", INPUT_SIZE)
    return layers.graph.add("Mul", [sampled, sampler.inside(INPUT_SIZE)], ALIGNED_MASK)


def _zone_features(
    layers: LayerWriter, sampler: Sampler, feature: str, aligned_mask: str, index: int
) -> str:
    """Sample a feature, weigh it with the aligned mask, cut it into zones ``[N * 6, C, h, w]``."""
    level, name = LEVELS[index], sampled_name(feature)
    sampled = sampler.sample(feature, name, level.size)
    mask = layers.resize(aligned_mask, f"{ALIGNED_MASK}{level.size}", level.size / INPUT_SIZE)
    weight = layers.graph.add("Mul", [mask, sampler.inside(level.size)], f"{name}/weight")
    return _cut_zones(layers, layers.graph.add("Mul", [sampled, weight], f"{name}/weighted"), level)


def _cut_zones(layers: LayerWriter, source: str, level: Level) -> str:
    """Cut in the order of `Zone`: columns outermost, then rows."""
    graph, size, name = layers.graph, level.size, zones_name(level)
    rows = graph.constant(f"{name}/rows", resampling_matrix(ROW_BANDS.values(), size))
    columns = np.ascontiguousarray(resampling_matrix(COLUMN_BANDS.values(), size).T)
    column_name = graph.constant(f"{name}/columns", columns)
    x = graph.add("MatMul", [source, column_name], f"{name}/cut_columns")
    x = graph.add("MatMul", [rows, x], f"{name}/cut_rows")
    x = layers.graph.reshape(
        x, f"{name}/split", [0, 0, len(ROW_BANDS), size, len(COLUMN_BANDS), size]
    )
    x = graph.add("Transpose", [x], f"{name}/ordered", perm=[0, 4, 2, 1, 3, 5])
    return layers.graph.reshape(x, name, [-1, level.channels, size, size])


def _add_pyramid(layers: LayerWriter, zones: list[str]) -> str:
    """Append the feature pyramid; returns its last level, ``[N * 6, 512, 16, 16]``."""
    merged = layers.convolution(zones[0], LEVELS[0].reduction)
    for level, following, source in zip(LEVELS, LEVELS[1:], zones[1:], strict=False):
        x = layers.resize(merged, f"{level.convolution}_upsampled", following.size / level.size)
        x = _convolve(layers, x, level)
        reduced = layers.convolution(source, following.reduction)
        merged = layers.graph.add("Add", [x, reduced], f"{following.convolution}_merged")
    return _convolve(layers, merged, LEVELS[-1])


def _convolve(layers: LayerWriter, source: str, level: Level) -> str:
    x = layers.convolution(source, level.convolution, padding=1)
    return layers.swish(x, f"{level.convolution}_swish")


def _add_heads(layers: LayerWriter, pyramid: str) -> None:
    graph, size = layers.graph, LEVELS[-1].size
    zones = layers.graph.reshape(
        pyramid, PYRAMID_ZONES, [-1, HEADS, LEVELS[-1].channels, size, size]
    )
    evidence = [_add_head(layers, zones, zone) for zone in Zone]
    graph.add("Concat", evidence, ZONE_EVIDENCE, axis=1)
    logits = graph.add("ReduceMean", [ZONE_EVIDENCE], "zone_logits", axes=[3, 4], keepdims=0)
    graph.add("Softmax", [logits], PROBABILITIES, axis=-1)


def _add_head(layers: LayerWriter, zones: str, zone: Zone) -> str:
    """Three convolution blocks and the regressor of one zone: ``[N, 1, 4, 16, 16]``."""
    head = f"head{network_head(zone)}"
    position = layers.graph.constant(f"{head}/zone", np.array(tuple(Zone).index(zone), np.int64))
    x = layers.graph.add("Gather", [zones, position], f"{head}/features", axis=1)
    for block in range(HEAD_BLOCKS):
        name = f"{head}/block{block}"
        x = layers.convolution(x, f"{name}/conv", padding=1)
        x = layers.swish(layers.batch_normalization(x, f"{name}/bn", HEAD_EPSILON), f"{name}/swish")
    x = layers.convolution(x, f"{head}/regressor", padding=1)
    return layers.graph.reshape(
        x, f"{head}/evidence", [-1, 1, CLASSES, LEVELS[-1].size, LEVELS[-1].size]
    )
