"""The network as the original defines it, layer by layer, without one rewrite: a plain export.

For comparison with other tools (`benchmarks.peers`); a bundle's ``model.onnx`` is faster::

    python -m brixia_edge.export.network.plain_graph bscore-model.h5 -o plain.onnx
"""

from pathlib import Path

import click

from ...runtime.cli import run_alone
from ...runtime.commands.options import overwrite_option
from ...runtime.commands.terminal import tell
from ...runtime.commands.writing import OutputRule, output_file
from ..graph.onnx_model import to_onnx
from .network import build_network
from .weights import load_weights


def write_plain_graph(weights: Path, output: Path, overwrite: bool = False) -> None:
    """Write the network of a Keras file as float32 ONNX, nothing folded, shared or rewritten.

    Raises
    ------
    WeightsError
        The file is not exactly a BS-Net.
    OutputRefused
        The output exists and is not to be replaced, or is the file that is read.
    OSError
        The output cannot be written.
    """
    with output_file(output, OutputRule([weights], overwrite)) as file:
        file.write(to_onnx(build_network(load_weights(weights))).SerializeToString())


@click.command()
@click.argument("weights", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="ONNX file.")
@overwrite_option("a file that exists")
def command(weights: Path, output: Path, overwrite: bool) -> None:
    """Write trained BS-Net weights (Keras HDF5) as a plain ONNX network."""
    write_plain_graph(weights, output, overwrite)
    tell(f"Wrote {output}")


if __name__ == "__main__":
    run_alone(command, "python -m brixia_edge.export.network.plain_graph")
