"""Run the six zone heads as one: their kernels stacked in grouped convolutions.

Every head reads its own zone, so with the zones' channels side by side each step of
all heads is one convolution of six groups.
"""

from collections.abc import Sequence

import numpy as np

from ...runtime.contract import ZONE_EVIDENCE
from ...runtime.scores import Zone
from ..graph.graph import Graph
from ..network.architecture import CLASSES, HEAD_BLOCKS, HEADS
from ..network.zones import LEVELS, PYRAMID_ZONES, network_head


def stack_heads(graph: Graph) -> None:
    """Replace six heads by one of six groups; BatchNormalization must be folded before."""
    size, channels = LEVELS[-1].size, LEVELS[-1].channels
    pyramid = graph.node(PYRAMID_ZONES).inputs[0]
    x = graph.reshape(pyramid, "heads/features", [-1, HEADS * channels, size, size])
    for block in range(HEAD_BLOCKS):
        x = _stacked(graph, x, f"block{block}/conv", f"heads/block{block}")
        gate = graph.add("Sigmoid", [x], f"heads/block{block}/sigmoid")
        x = graph.add("Mul", [x, gate], f"heads/block{block}/swish")
    x = _stacked(graph, x, "regressor", "heads/regressor")
    graph.remove(graph.node(ZONE_EVIDENCE))
    graph.reshape(x, ZONE_EVIDENCE, [-1, HEADS, CLASSES, size, size])
    graph.sort()
    graph.prune()


def _stacked(graph: Graph, source: str, layer: str, name: str) -> str:
    heads = [graph.node(f"head{network_head(zone)}/{layer}") for zone in Zone]
    weights = [_stack(graph, [head.inputs[index] for head in heads], name) for index in (1, 2)]
    attributes = heads[0].attributes | {"group": HEADS}
    return graph.add("Conv", [source, *weights], name, **attributes)


def _stack(graph: Graph, constants: Sequence[str], name: str) -> str:
    value = np.concatenate([graph.constants[constant] for constant in constants])
    return graph.constant(f"{name}/{'kernel' if value.ndim == 4 else 'bias'}", value)
