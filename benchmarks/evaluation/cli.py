"""`brixia-edge evaluate`."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from ...runtime.backends import AUTO, backend_names
from ...runtime.bundles.bundle import Bundle
from ...runtime.cli import UNSCORED
from ...runtime.reports.plain_text import printable
from ..tables import text_table
from .evaluate import EvaluationOptions, Sources, evaluate, gather_sources, run_bundles
from .report.page.case_pictures import CaseView, view_cases
from .report.page.page import write_page
from .report.report import ReportFolderError, check_folder, write_report
from .report.sections import sections
from .results import Evaluation
from .scoring import Result

_PATH = click.Path(path_type=Path)
_DEFAULTS = EvaluationOptions()


@click.command(name="evaluate")
@click.option(
    "--images",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="The folder of radiographs.",
)
@click.option(
    "--annotations",
    type=_PATH,
    required=True,
    multiple=True,
    help="A CSV with radiologists' scores; several are joined, their readers side by side.",
)
@click.option(
    "--bundle",
    "bundles",
    type=_PATH,
    multiple=True,
    help="A bundle's directory; several are compared with the first. Default: the shipped one.",
)
@click.option("--backend", type=click.Choice(backend_names()), default=AUTO, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="CPU threads; default: all cores.")
@click.option(
    "--resamples",
    type=click.IntRange(100),
    default=_DEFAULTS.resamples,
    show_default=True,
    help="Of the bootstrap.",
)
@click.option("--seed", type=click.IntRange(0), default=_DEFAULTS.seed, show_default=True)
@click.option("-o", "--output", type=_PATH, required=True, help="The folder of the report.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier report.")
def evaluate_command(
    images: Path,
    annotations: tuple[Path, ...],
    bundles: tuple[Path, ...],
    backend: str,
    threads: int | None,
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
    _check(output, overwrite)
    options = EvaluationOptions(backend, threads, resamples, seed)
    opened = [Bundle.open(path) for path in bundles] or [Bundle.open()]
    sources = gather_sources(images, annotations)
    _tell_sources(sources)
    runs = run_bundles(sources, opened, options, _progress)
    click.echo("Computing figures and their intervals", err=True)
    evaluation = evaluate(sources, runs, options)
    _tell_unscored(evaluation)
    write_report(evaluation, output)
    write_page(evaluation, _views(evaluation, opened, images), output)
    click.echo("\n".join(_summary(evaluation)))
    click.echo(f"Wrote {output}", err=True)
    return UNSCORED if _lost(evaluation) else 0


def _views(evaluation: Evaluation, bundles: Iterable[Bundle], images: Path) -> list[CaseView]:
    click.echo("Drawing the worst and best cases", err=True)
    pairs = zip(evaluation.bundles, bundles, strict=True)
    return [view for evaluated, bundle in pairs for view in view_cases(evaluated, bundle, images)]


def _check(output: Path, overwrite: bool) -> None:
    try:
        check_folder(output, overwrite)
    except ReportFolderError as error:
        raise click.BadParameter(str(error), param_hint="--output") from error


def _tell_sources(sources: Sources) -> None:
    for table in sources.tables:
        for line in (*table.rejected, *table.warnings):
            click.echo(printable(line), err=True)
    matched = sources.matched
    for entry in matched.without_image:
        click.echo(printable(f"annotation without image: {entry.file}: {entry.reason}"), err=True)
    for name in matched.without_annotation:
        click.echo(printable(f"image without annotation: {name}"), err=True)
    click.echo(
        f"{len(matched.images)} of {len(sources.inputs.files)} images have annotations; "
        f"{len(matched.without_image)} annotations have no image",
        err=True,
    )


def _tell_unscored(evaluation: Evaluation) -> None:
    for entry in evaluation.image_set.unscored:
        click.echo(printable(f"{entry.file}: {entry.message}"), err=True)


def _lost(evaluation: Evaluation) -> bool:
    """Whether something that was to be used could not be."""
    return bool(evaluation.image_set.unscored) or any(
        table.rejected for table in evaluation.annotations
    )


def _progress(label: str, results: Iterable[Result], count: int) -> Iterator[Result]:
    """Show a progress bar on standard error, if it is a terminal and there is more than one."""
    if count < 2 or not sys.stderr.isatty():
        yield from results
        return
    with click.progressbar(length=count, label=label, file=sys.stderr) as bar:
        for result in results:
            yield result
            bar.update(1)


def _summary(evaluation: Evaluation) -> Iterator[str]:
    for table in sections(evaluation)[0].tables:
        yield table.caption
        yield from (f"  {line}" for line in text_table(table.header, table.rows))
    yield evaluation.notice
