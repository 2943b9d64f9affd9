"""`brixia-edge evaluate`."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from ...runtime.bundles.bundle import Bundle
from ...runtime.commands.inputs import reading_mode, tell_skipped
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
from ...runtime.commands.progress import show_results
from ...runtime.commands.statuses import UNSCORED
from ...runtime.commands.terminal import show, tell
from ...runtime.commands.writing import OutputRule, make_folder
from ...runtime.files import locked, write_together
from ...runtime.sources.isolated import ReadingMode
from ..options import open_bundles
from ..tables import text_table
from .evaluate import EvaluationOptions, Sources, evaluate, gather_sources, run_bundles
from .report.page.case_pictures import CaseView, view_cases
from .report.report import check_folder, report_files
from .report.sections import sections
from .results import Evaluation

_DEFAULTS = EvaluationOptions()
_TOLD_AT_MOST = 5


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
    opened = open_bundles(bundles)
    sources = gather_sources(images, annotations)
    used = [path for bundle in opened for path in bundle.paths]
    check_folder(output, OutputRule([*annotations, *sources.inputs.files, *used], overwrite))
    make_folder(output.parent, "--output")
    _tell_sources(sources)
    reading = reading_mode(isolate, [str(images)], sources.inputs.files)
    options = EvaluationOptions(backend, threads, resamples, seed, reading)
    with locked(output):
        runs = run_bundles(sources, opened, options, show_results)
        tell("Computing figures and their intervals")
        evaluation = evaluate(sources, runs, options)
        _tell_unscored(evaluation)
        files = report_files(evaluation, _views(evaluation, opened, images, reading))
        make_folder(output, "--output")
        write_together(output, files, overwrite)
    show(_summary(evaluation))
    tell(f"Wrote {output}")
    return UNSCORED if _lost(evaluation) else 0


def _views(
    evaluation: Evaluation, bundles: Iterable[Bundle], images: Path, reading: ReadingMode
) -> list[CaseView]:
    tell("Drawing the worst and best cases")
    pairs = zip(evaluation.bundles, bundles, strict=True)
    return [
        view
        for evaluated, bundle in pairs
        for view in view_cases(evaluated, bundle, images, reading)
    ]


def _tell_sources(sources: Sources) -> None:
    tell_skipped(sources.inputs)
    for table in sources.tables:
        nobodys = frozenset(table.without_scores)
        for line in (*table.rejected, *table.warnings):
            if line not in nobodys:
                tell(line)
        _sum_up("rows that nobody has scored", table.without_scores)
    matched = sources.matched
    missing = [f"{entry.file}: {entry.reason}" for entry in matched.without_image]
    _sum_up("annotations without image", missing)
    _sum_up("images without annotation", matched.without_annotation)
    tell(
        f"{len(matched.images)} of {len(sources.inputs.files)} images have annotations; "
        f"{len(matched.without_image)} annotations have no image"
    )


def _sum_up(what: str, entries: Sequence[str]) -> None:
    """Tell some of them and how many more there are; the report has all."""
    if entries:
        more = len(entries) - _TOLD_AT_MOST
        rest = f"; and {more} more" if more > 0 else ""
        tell(f"{what} ({len(entries)}): {'; '.join(entries[:_TOLD_AT_MOST])}{rest}")


def _tell_unscored(evaluation: Evaluation) -> None:
    for entry in evaluation.image_set.unscored:
        tell(f"{entry.file}: {entry.message}")


def _lost(evaluation: Evaluation) -> bool:
    """Whether something that was to be used could not be."""
    return bool(evaluation.image_set.unscored) or any(
        table.rejected for table in evaluation.annotations
    )


def _summary(evaluation: Evaluation) -> Iterator[str]:
    for table in sections(evaluation)[0].tables:
        yield table.caption
        yield from (f"  {line}" for line in text_table(table.header, table.rows))
    yield evaluation.notice
