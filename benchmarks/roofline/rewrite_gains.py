"""What each rewrite saves: multiply-accumulates, nodes and time, against the plain graph.

Run it on a trained network::

    python -m brixia_edge.benchmarks.roofline.rewrite_gains bscore-model.h5
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from onnx import ModelProto, shape_inference

from ...export.graph.graph import Graph
from ...export.graph.onnx_model import to_onnx
from ...export.network.network import build_network
from ...export.network.weights import load_weights
from ...export.parity.measured import median_milliseconds
from ...export.parity.parity import synthetic_radiographs
from ...export.rewrites import FLOAT_REWRITES, REWRITES
from ...runtime.cli import run_alone
from ...runtime.commands.options import PATH
from ...runtime.commands.terminal import show

ROUNDS = 11
COUNTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


@dataclass(frozen=True)
class RewriteGain:
    """The network after one more rewrite.

    Attributes
    ----------
    rewrite
        The rewrite's name, ``plain`` for none.
    gmac
        10^9 multiply-accumulates for one image.
    nodes
        Nodes of the graph.
    milliseconds
        Median time of one image on ONNX Runtime.
    """

    rewrite: str
    gmac: float
    nodes: int
    milliseconds: float


def measure_rewrites(plain: Graph, rounds: int = ROUNDS) -> list[RewriteGain]:
    """Apply the rewrites one after the other and time all stages in turns, in one run."""
    graphs = dict(_stages(plain))
    models = {name: to_onnx(graph) for name, graph in graphs.items()}
    image = synthetic_radiographs(1)[0]
    serialized = {name: model.SerializeToString() for name, model in models.items()}
    times = median_milliseconds(serialized, image, rounds)
    return [
        RewriteGain(name, count_macs(models[name]) / 1e9, len(graph.nodes), times[name])
        for name, graph in graphs.items()
    ]


def count_macs(model: ModelProto, operators: Collection[str] = COUNTED) -> int:
    """Multiply-accumulates of one image in convolutions and matrix products."""
    shapes = _shapes(model)
    return sum(
        _macs(node.op_type, shapes[node.input[0]], shapes[node.input[1]], shapes[node.output[0]])
        for node in model.graph.node
        if node.op_type in operators
    )


def _stages(plain: Graph) -> Iterator[tuple[str, Graph]]:
    graph = plain.copy()
    yield "plain", graph.copy()
    for name, apply in {**REWRITES, **FLOAT_REWRITES}.items():
        apply(graph)
        yield name, graph.copy()


def _shapes(model: ModelProto) -> dict[str, list[int]]:
    fixed = ModelProto()
    fixed.CopyFrom(model)
    for value in (*fixed.graph.input, *fixed.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    inferred = shape_inference.infer_shapes(fixed, data_prop=True).graph
    shapes = {tensor.name: list(tensor.dims) for tensor in inferred.initializer}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        shapes[value.name] = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    return shapes


def _macs(operator: str, source: list[int], other: list[int], output: list[int]) -> int:
    if operator == "Conv":
        return int(np.prod(output)) * int(np.prod(other[1:]))
    if operator == "ConvTranspose":
        return int(np.prod(source)) * int(np.prod(other[1:]))
    return int(np.prod(output)) * source[-1]


@click.command()
@click.argument("weights", type=PATH)
def command(weights: Path) -> None:
    """Show what each rewrite of the network of WEIGHTS (Keras HDF5) gains."""
    gains = measure_rewrites(build_network(load_weights(weights)))
    lines = [f"{'rewrite':<32}{'GMAC':>8}{'nodes':>8}{'ms':>9}{'speedup':>9}"]
    lines += [
        f"{gain.rewrite:<32}{gain.gmac:>8.2f}{gain.nodes:>8}{gain.milliseconds:>9.1f}"
        f"{gains[0].milliseconds / gain.milliseconds:>9.3f}"
        for gain in gains
    ]
    show(lines)


if __name__ == "__main__":
    run_alone(command, "python -m brixia_edge.benchmarks.roofline.rewrite_gains")
