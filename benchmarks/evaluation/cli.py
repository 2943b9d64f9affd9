"""`brixia-edge evaluate`."""

from pathlib import Path

import click

from ...runtime.commands.extras import needing
from ...runtime.commands.options import (
    FOLDER,
    PATH,
    backend_option,
    bundles_option,
    isolate_option,
    output_option,
    overwrite_option,
    threads_option,
)
from .options import EvaluationFiles, EvaluationOptions

_DEFAULTS = EvaluationOptions()


@click.command(name="evaluate")
@click.option("--images", type=FOLDER, required=True, help="The folder of radiographs.")
@click.option(
    "--annotations",
    type=PATH,
    required=True,
    multiple=True,
    help="A CSV with radiologists' scores; several are joined, their readers side by side.",
)
@bundles_option("A bundle's directory; several are compared with the first.")
@backend_option
@threads_option
@isolate_option
@click.option(
    "--resamples",
    type=click.IntRange(100),
    default=_DEFAULTS.resamples,
    show_default=True,
    help="Of the bootstrap.",
)
@click.option("--seed", type=click.IntRange(0), default=_DEFAULTS.seed, show_default=True)
@output_option("The folder of the report.")
@overwrite_option("an earlier report")
def evaluate_command(
    images: Path,
    annotations: tuple[Path, ...],
    bundles: tuple[Path, ...],
    backend: str,
    threads: int | None,
    isolate: bool | None,
    resamples: int,
    seed: int,
    output: Path,
    overwrite: bool,
) -> int:
    """Compare bundles with radiologists' scores, and radiologists with each other.

    Writes report.html, evaluation.json, evaluation.md and scores.csv; a summary goes to standard
    output. Exit status 1 when an image could not be scored or a row of the annotations could not be
    used: each is named with its reason on standard error, the others count.

    RESEARCH USE ONLY - not for diagnostic use.
    """
    with needing("report", "brixia-edge evaluate"):
        from .run import run_evaluation
    files = EvaluationFiles(images, annotations, bundles, output, overwrite)
    return run_evaluation(files, EvaluationOptions(backend, threads, resamples, seed), isolate)
