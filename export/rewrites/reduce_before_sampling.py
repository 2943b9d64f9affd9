"""Move the pyramid's 1x1 reductions in front of sampling, weighing and cutting.

Each of these steps makes weighted means of pixels, channel by channel, so a 1x1
convolution commutes with them. Before them it runs once on the encoder's feature
instead of six times on its zones, and all that follows has fewer channels. The
bias stays behind: where a sample lies outside, the weights sum to 0, not to 1.
"""

import numpy as np

from ..graph.graph import Graph, Node
from ..network.zones import FEATURES, LEVELS, Level, sampled_name, zones_name


def reduce_before_sampling(graph: Graph) -> None:
    """Apply the reduction of every pyramid level to the encoder's feature."""
    for feature, level in zip(FEATURES, LEVELS, strict=True):
        _move_reduction(graph, feature, level)
    graph.sort()
    graph.prune()


def _move_reduction(graph: Graph, feature: str, level: Level) -> None:
    convolution = graph.node(level.reduction)
    kernel, bias = convolution.inputs[1:]
    reduced = f"{level.reduction}/feature"
    for reader in graph.consumers(feature):
        if reader.name.startswith(sampled_name(feature)):
            reader.inputs = [reduced if name == feature else name for name in reader.inputs]
    graph.nodes.append(
        Node("Conv", [feature, kernel], [reduced], reduced, dict(convolution.attributes))
    )
    channels = graph.constants[kernel].shape[0]
    _set_channels(graph, zones_name(level), channels)
    spread = graph.constant(f"{level.reduction}/bias4", graph.constants[bias].reshape(1, -1, 1, 1))
    convolution.operator, convolution.attributes = "Add", {}
    convolution.inputs = [convolution.inputs[0], spread]


def _set_channels(graph: Graph, reshape: str, channels: int) -> None:
    name = graph.node(reshape).inputs[1]
    shape = graph.constants[name].copy()
    shape[1] = channels
    graph.constants[name] = shape.astype(np.int64)
