"""`brixia-edge benchmark roofline`."""

from dataclasses import asdict
from pathlib import Path

import click

from ...runtime.bundles.bundle import Bundle
from ...runtime.commands.options import bundle_option, format_option, threads_option
from ...runtime.commands.terminal import show, show_json
from ..agreement.radiographs import prepare_radiographs
from ..latency.sample_image import sample_image
from ..tables import text_table
from .measure import ROUNDS, measure_roofline
from .tables import roofline_lines


@click.command()
@bundle_option()
@click.option(
    "--backend",
    type=click.Choice(("onnxruntime", "openvino")),
    default="onnxruntime",
    show_default=True,
)
@threads_option
@click.option("--rounds", type=click.IntRange(1), default=ROUNDS, show_default=True)
@format_option(("text", "json"))
def roofline(
    bundle: Path | None, backend: str, threads: int | None, rounds: int, form: str
) -> None:
    """Count the network's work, and time it, its parts and the machine's peak in turns.

    Needs the package onnx: pip install 'brixia-edge[export]'.
    """
    opened = Bundle.open(bundle)
    with sample_image() as sample:
        image = next(prepare_radiographs([sample.path], opened.manifest.preprocess)).image
    found = measure_roofline(opened, backend, image, threads, rounds)
    if form == "json":
        show_json(asdict(found))
    else:
        show(roofline_lines(found, text_table))
