"""The whole BS-Net as a graph, layer by layer as the original defines it."""

from ...runtime.contract import IMAGE, INPUT_SIZE, OUTPUTS
from ..graph.graph import Graph, TensorType
from .alignment import Sampler, add_alignment
from .layers import LayerWriter
from .segmentation import add_decoder, add_encoder
from .weights import WeightStore
from .zones import add_zones

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
    graph.outputs = {name: _type(*shape) for name, shape in OUTPUTS.items()}
    return graph


def _type(*shape: int) -> TensorType:
    return TensorType("float32", (BATCH, *shape))
