"""Write the decoder's transposed convolutions as sub-pixel convolutions (Shi et al. 2016).

A transposed convolution of 4x4 with stride 2 gives each of the four pixels of an
output block a 2x2 kernel of its own. One convolution of 2x2 with four times the
channels computes the four, on (H + 1) x (W + 1) positions, and interleaving them gives
the output with a border of one pixel too many. ONNX Runtime runs convolutions at the
CPU's peak but transposed ones at a third of it, and has none in INT8.

The ReLU moves before the interleaving, where it fuses with the convolution, and the
interleaving is done with the channels last, where it copies long runs.
"""

import numpy as np
from numpy.typing import NDArray

from ...runtime.contract import INPUT_SIZE
from ..graph.graph import Graph, Node
from ..network.architecture import decoder_blocks


def subpixel_upsampling(graph: Graph) -> None:
    """Rewrite every upsampling of the decoder; BatchNormalization must be folded before."""
    for block in decoder_blocks():
        node = graph.node(f"{block.name}_upsample")
        relu = graph.sole_consumer(node.outputs[0])
        if relu is None or relu.operator != "Relu":
            raise ValueError(
                f"{node.name} is not followed by a ReLU alone; fold normalization first"
            )
        _rewrite(graph, node, relu, INPUT_SIZE >> block.stage)
    graph.sort()
    graph.prune()


def subpixel_kernel(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """The convolution's kernel for a transposed convolution's.

    Parameters
    ----------
    kernel
        float32 ``[I, O, 4, 4]``: stride 2, pads 1.

    Returns
    -------
    float32 ``[4 * O, I, 2, 2]``: pads 1. Channel ``(2 s + t) * O + o`` at position (p, q) is
    output channel o at (2 p + s - 1, 2 q + t - 1).
    """
    phases = [
        kernel[:, :, s::2, t::2][:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
        for s in (0, 1)
        for t in (0, 1)
    ]
    return np.ascontiguousarray(np.concatenate(phases))


def _rewrite(graph: Graph, node: Node, relu: Node, size: int) -> None:
    name, output = node.name, relu.outputs[0]
    kernel, bias = (graph.constants[constant] for constant in node.inputs[1:])
    channels = len(bias)
    weights = [
        graph.constant(f"{name}/subpixel_kernel", subpixel_kernel(kernel.astype(np.float32))),
        graph.constant(f"{name}/subpixel_bias", np.tile(bias, 4)),
    ]
    graph.remove(node)
    graph.remove(relu)
    x = graph.add(
        "Conv",
        [node.inputs[0], *weights],
        f"{name}/subpixels",
        kernel_shape=[2, 2],
        strides=[1, 1],
        pads=[1, 1, 1, 1],
    )
    x = graph.add("Relu", [x], f"{name}/relu")
    x = graph.add("Transpose", [x], f"{name}/channels_last", perm=[0, 2, 3, 1])
    x = _interleave(graph, x, name, channels, size)
    graph.add("Transpose", [x], output, perm=[0, 3, 1, 2])


def _interleave(graph: Graph, source: str, name: str, channels: int, size: int) -> str:
    """Bring phases side by side: ``[N, H + 1, W + 1, 4 C]`` to ``[N, 2 H, 2 W, C]``."""
    # A leading 0 keeps the batch's name; with -1 runtimes lose it and fuse less.
    x = graph.reshape(source, f"{name}/rows_of_pairs", [0, size + 1, size + 1, 2, 2 * channels])
    x = graph.add("Transpose", [x], f"{name}/interleaved", perm=[0, 1, 3, 2, 4])
    x = graph.reshape(x, f"{name}/with_border", [0, 2 * size + 2, 2 * size + 2, channels])
    for axis in (1, 2):
        x = graph.slice(x, f"{name}/cropped{axis}", axis, 1, 2 * size + 1)
    return x
