"""`brixia-edge export`."""

from pathlib import Path

import click

from ..runtime.bundles.bundle import Bundle
from ..runtime.bundles.parity_report import parity_lines, read_parity
from ..runtime.commands.extras import needing
from ..runtime.commands.options import FILE, PATH, output_option, overwrite_option
from ..runtime.commands.progress import show_progress, tell_duration
from ..runtime.commands.terminal import show, tell
from ..runtime.plain_text import printable
from ..runtime.preparation.preprocess import RECIPES, PreprocessSpec
from .engines.cli_options import engine_options
from .options import STORAGES, ExportOptions
from .precision.options import PrecisionOptions, precision_options
from .reference_histograms import with_reference


@click.command()
@click.argument("weights", type=PATH, metavar="WEIGHTS|BUNDLE")
@output_option("The bundle's directory to write.", required=False)
@click.option("--segmentation", type=PATH, help="Keras file of the segmentation part.")
@click.option("--alignment", type=PATH, help="Keras file of the alignment network.")
@click.option("--name", help="The bundle's name; default: the weights file's.")
@click.option("--licence", help="Licence of the weights, for the manifest.")
@click.option(
    "--recipe",
    type=click.Choice(RECIPES),
    default="equalize",
    show_default=True,
    help="How the training images were prepared.",
)
@click.option("--max-batch", type=click.IntRange(1, 256), default=16, show_default=True)
@click.option(
    "--store-weights",
    type=click.Choice(STORAGES),
    default="float32",
    show_default=True,
    help="float16 halves the file; arithmetic stays float32.",
)
@click.option("--golden", type=FILE, help="The original's outputs (.npz) to compare with.")
@click.option("--model-card", type=FILE, help="A text about the model to put into the bundle.")
@overwrite_option("an existing bundle")
@engine_options
@precision_options
def export(
    weights: Path,
    output: Path,
    segmentation: Path | None,
    alignment: Path | None,
    name: str | None,
    licence: str | None,
    recipe: str,
    max_batch: int,
    store_weights: str,
    golden: Path | None,
    model_card: Path | None,
    overwrite: bool,
    reduced: PrecisionOptions,
) -> Bundle:
    """Turn trained BS-Net weights (Keras HDF5) into a bundle, or add engines to a BUNDLE."""
    with needing("export", "brixia-edge export"):
        from .network.weights import load_weights
        from .precision.duration import export_seconds
        from .precision.lower_precision import export_with_evidence
    defaults = ExportOptions(name=printable(name or weights.stem))
    options = ExportOptions(
        name=defaults.name,
        licence=printable(licence or defaults.licence),
        precision=reduced.precision,
        preprocess=PreprocessSpec(recipe),
        max_batch=max_batch,
        storage=store_weights,
        golden=golden,
        model_card=model_card,
        overwrite=overwrite,
    )
    evidence = reduced.gather()
    tell(f"Reading {weights}")
    store = load_weights(weights, segmentation, alignment)
    if evidence is not None:
        tell_duration(export_seconds(reduced.precision, evidence))
    tell("Building the network and comparing it with its references")
    bundle = export_with_evidence(store, output, options, evidence, show_progress)
    bundle, lacking = with_reference(
        bundle, reduced.where, show_progress, reduced.calibration.reading
    )
    if lacking:
        tell(f"Drift will not be told with this bundle: {lacking}")
    show(parity_lines(read_parity(bundle)))
    tell(f"Wrote {bundle.root} ({bundle.identity.kind})")
    return bundle
