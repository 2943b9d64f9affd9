"""`brixia-edge benchmark agreement`."""

import sys
from pathlib import Path

import click

from ...runtime.backends import AUTO, backend_names
from ...runtime.commands.inputs import find_some, reading_mode
from ...runtime.commands.options import (
    FOLDER,
    bundles_option,
    format_option,
    isolate_option,
    threads_option,
)
from ...runtime.commands.progress import show_progress
from ...runtime.commands.terminal import show, show_json, tell
from ...runtime.reports.csv_rows import CsvRows
from ...runtime.results import RESEARCH_USE
from ..options import open_bundles
from ..tables import text_table
from .contestants import pair
from .measure import ScoreAgreement, measure_agreement
from .summary import COLUMNS, image_rows, summarise_agreement, to_dict
from .tables import agreement_table


@click.command()
@click.argument("folders", nargs=-1, required=True, type=FOLDER, metavar="DIR...")
@bundles_option("Give it several times; the first is the reference.")
@click.option(
    "--backend",
    "backends",
    type=click.Choice(backend_names()),
    multiple=True,
    default=(AUTO,),
    help="Give it several times; default: every backend that can run the bundle.",
)
@threads_option
@isolate_option
@format_option(("text", "csv", "json"))
def agreement(
    folders: tuple[Path, ...],
    bundles: tuple[Path, ...],
    backends: tuple[str, ...],
    threads: int | None,
    isolate: bool | None,
    form: str,
) -> None:
    """Score folders with several bundles and backends in turns: scores and times side by side.

    CSV and JSON hold every image, and JSON the summary as well.
    """
    contestants = pair(open_bundles(bundles), backends)
    paths = list(map(str, folders))
    files = find_some(paths).files
    reading = reading_mode(isolate, paths, files)
    found = measure_agreement(contestants, files, threads, show_progress, reading)
    for file in sorted(set(files) - set(found.files)):
        tell(f"{file}: cannot be read and is left out")
    _FORMS[form](found)


def _write_text(found: ScoreAgreement) -> None:
    show(
        [
            f"{len(found.files)} radiographs; the first row is the reference",
            *agreement_table(summarise_agreement(found), text_table),
            RESEARCH_USE,
        ]
    )


def _write_csv(found: ScoreAgreement) -> None:
    rows = CsvRows(sys.stdout)
    rows.write(COLUMNS)
    for row in image_rows(found):
        rows.write(row)


def _write_json(found: ScoreAgreement) -> None:
    show_json(to_dict(found))


_FORMS = {"text": _write_text, "csv": _write_csv, "json": _write_json}
