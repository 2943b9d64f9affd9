"""The whole BS-Net as a graph, layer by layer as the original defines it."""

from ..graph.graph import Graph, TensorType
from .alignment import ALIGNMENT, Sampler, add_alignment
from .architecture import CLASSES, HEADS, INPUT_SIZE
from .layers import LayerWriter
from .segmentation import LUNG_MASK, add_decoder, add_encoder
from .weights import WeightStore
from .zones import LEVELS, PROBABILITIES, ZONE_EVIDENCE, add_zones

IMAGE = "image"
"""The input: float32 ``[N, 1, 512, 512]``, 0..1, as `runtime.preprocess` makes it."""

BATCH = "N"


def build_network(weights: WeightStore) -> Graph:
    """Write BS-Net with these weights; nothing is folded or shared yet.

    Returns
    -------
    A graph with the input and the four outputs of the bundle's contract.
    """
    graph = Graph("bs-net", inputs={IMAGE: _type(1, INPUT_SIZE, INPUT_SIZE)})
    layers = LayerWriter(graph, weights)
    add_encoder(layers, IMAGE)
    lung_mask = add_decoder(layers)
    alignment = add_alignment(layers, lung_mask)
    add_zones(layers, Sampler(layers, alignment), lung_mask)
    size = LEVELS[-1].size
    graph.outputs = {
        PROBABILITIES: _type(HEADS, CLASSES),
        LUNG_MASK: _type(1, INPUT_SIZE, INPUT_SIZE),
        ALIGNMENT: _type(2, 3),
        ZONE_EVIDENCE: _type(HEADS, CLASSES, size, size),
    }
    return graph


def _type(*shape: int) -> TensorType:
    return TensorType("float32", (BATCH, *shape))
