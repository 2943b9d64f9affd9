"""`brixia-edge benchmark scaling`."""

from dataclasses import asdict
from pathlib import Path

import click

from ...runtime.bundles.bundle import Bundle
from ...runtime.commands.options import backend_option, bundle_option, format_option
from ...runtime.commands.terminal import show, show_json, tell
from ..latency.sample_image import sample_image
from ..tables import text_table
from .files import measure_files
from .tables import files_table, load_table
from .workers import SECONDS, ScalingRow, loads, measure_load


@click.command()
@bundle_option()
@backend_option
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=SECONDS, show_default=True, help="Of each row."
)
@click.option(
    "--files",
    "counts",
    type=click.IntRange(1),
    multiple=True,
    help="Score so many generated files with a network that costs nothing; give it several times.",
)
@format_option(("text", "json"))
def scaling(
    bundle: Path | None, backend: str, seconds: float, counts: tuple[int, ...], form: str
) -> None:
    """Measure images per second and memory against batch, threads and processes.

    With --files: what each further file costs `brixia-edge score`, instead. A hundred thousand
    files take about 0.8 GB of disk and some minutes.
    """
    if counts:
        files = measure_files(sorted(counts), tell)
        _show([asdict(row) for row in files], files_table(files, text_table), form)
        return
    opened = Bundle.open(bundle)
    rows: list[ScalingRow] = []
    with sample_image() as image:
        for load in loads(opened):
            tell(f"measuring {load}")
            rows.append(measure_load(opened, backend, image.path, load, seconds))
    _show([asdict(row) for row in rows], load_table(rows, text_table), form)


def _show(objects: list[dict[str, object]], lines: list[str], form: str) -> None:
    if form == "json":
        show_json(objects)
    else:
        show(lines)
