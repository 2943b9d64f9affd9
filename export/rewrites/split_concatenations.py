"""Convolve the two parts of a concatenation apart and add the results.

A convolution over [upsampled, skips] is the sum of one over the upsampled tensor and
one over the skips. ONNX Runtime keeps skips in its blocked layout and need not copy the
upsampled tensor beside them; the sum is fused into the convolution.
"""

import numpy as np

from ..graph.graph import Graph
from ..network.architecture import DecoderBlock, decoder_blocks


def split_concatenations(graph: Graph) -> None:
    """Split the second convolution of every decoder block that has skips."""
    for block in decoder_blocks():
        if block.skips:
            _split(graph, block)
    graph.sort()
    graph.prune()


def _split(graph: Graph, block: DecoderBlock) -> None:
    convolution = graph.node(f"{block.name}_conv2")
    merged = graph.node_writing(convolution.inputs[0])
    upsampled, *skips = merged.inputs
    graph.remove(merged)
    graph.remove(convolution)
    kernel = graph.constants[convolution.inputs[1]]
    parts = np.split(kernel, [block.filters], axis=1)
    names = [
        graph.constant(f"{convolution.name}/{part}_kernel", np.ascontiguousarray(values))
        for part, values in zip(("upsampled", "skips"), parts, strict=True)
    ]
    if len(skips) > 1:
        skips = [graph.add("Concat", skips, f"{merged.name}/skips", axis=1)]
    attributes = convolution.attributes
    first = graph.add("Conv", [*skips, names[1]], f"{convolution.name}/skips", **attributes)
    last = graph.add(
        "Conv",
        [upsampled, names[0], convolution.inputs[2]],
        f"{convolution.name}/upsampled",
        **attributes,
    )
    graph.add("Add", [last, first], convolution.outputs[0])
