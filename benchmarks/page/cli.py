"""Write the measured sections of docs/performance.md.

``python -m brixia_edge.benchmarks.page --weights W.h5 --images DIR --bundle FP32 --bundle INT8
-o docs/performance.md``, on a machine with nothing else to do.
"""

from collections.abc import Sequence
from pathlib import Path

import click

from ...runtime.commands.options import FILE, FOLDER, PATH, bundles_option, output_option
from ...runtime.commands.terminal import tell
from ...runtime.files import write_file
from ..options import open_bundles
from ..scaling.files import COUNTS
from .measured import SECTIONS, PageInputs, measure_sections
from .sections import check_sections, fill_sections, new_page

TITLE = "Performance"


def write_page(inputs: PageInputs, output: Path, names: Sequence[str]) -> None:
    """Measure sections and put them into a page; one that does not exist is begun.

    Raises
    ------
    BenchmarkError
        The page lacks a section; nothing was measured.
    BrixiaEdgeError
        As the parts; the page is left as it was.
    """
    page = output.read_text(encoding="utf-8") if output.exists() else new_page(TITLE, SECTIONS)
    check_sections(page, names)
    filled = fill_sections(page, measure_sections(inputs, names))
    write_file(output, filled.encode(), overwrite=True)


@click.command()
@click.option(
    "--weights",
    type=FILE,
    required=True,
    help="Keras HDF5 that the bundles were exported from.",
)
@click.option("--images", type=FOLDER, required=True, help="Calibration's images and others.")
@bundles_option("Several: the float32 one first, one of them INT8.", required=True)
@click.option(
    "--models",
    type=PATH,
    required=True,
    help="Folder in which the peers' networks are kept; to make them takes minutes.",
)
@click.option(
    "--section",
    "names",
    type=click.Choice(list(SECTIONS)),
    multiple=True,
    help="Only these; default: all.",
)
@click.option("--files", "counts", type=click.IntRange(1), multiple=True, default=COUNTS)
@output_option("The page.")
def command(
    weights: Path,
    images: Path,
    bundles: Sequence[Path],
    models: Path,
    names: Sequence[str],
    counts: Sequence[int],
    output: Path,
) -> None:
    """Measure this machine and write docs/performance.md; what is written by hand stays."""
    opened = tuple(open_bundles(bundles))
    inputs = PageInputs(weights, images, opened, models, tuple(sorted(counts)), tell)
    write_page(inputs, output, names or list(SECTIONS))
