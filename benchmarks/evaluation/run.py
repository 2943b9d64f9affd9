"""An evaluation from its files to its report: what `brixia-edge evaluate` does."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...runtime.bundles.bundle import Bundle
from ...runtime.commands.inputs import reading_mode, tell_skipped
from ...runtime.commands.progress import show_results
from ...runtime.commands.statuses import UNSCORED
from ...runtime.commands.terminal import show, tell
from ...runtime.commands.writing import OutputRule, make_folder
from ...runtime.files import locked, write_together
from ...runtime.sources.isolated import ReadingMode
from ..options import open_bundles
from ..tables import text_table
from .evaluate import Sources, evaluate, gather_sources, run_bundles
from .options import EvaluationFiles, EvaluationOptions
from .report.page.case_pictures import CaseView, view_cases
from .report.report import check_folder, report_files
from .report.sections import sections
from .results import Evaluation

_TOLD_AT_MOST = 5


def run_evaluation(files: EvaluationFiles, options: EvaluationOptions, isolate: bool | None) -> int:
    """Evaluate, and write the report; what is going on is told on standard error.

    Parameters
    ----------
    files
        What to read and write.
    options
        How to run; how files are read is chosen here.
    isolate
        As `runtime.commands.inputs.reading_mode`.

    Returns
    -------
    The exit status.

    Raises
    ------
    BrixiaEdgeError
        Something cannot be used at all; nothing is written.
    """
    output = files.output
    opened = open_bundles(files.bundles)
    sources = gather_sources(files.images, files.annotations)
    used = [path for bundle in opened for path in bundle.paths]
    read = [*files.annotations, *sources.inputs.files, *used]
    check_folder(output, OutputRule(read, files.overwrite))
    make_folder(output.parent, "--output")
    _tell_sources(sources)
    reading = reading_mode(isolate, [str(files.images)], sources.inputs.files)
    options = replace(options, reading=reading)
    with locked(output):
        runs = run_bundles(sources, opened, options, show_results)
        tell("Computing figures and their intervals")
        evaluation = evaluate(sources, runs, options)
        _tell_unscored(evaluation)
        views = _views(evaluation, opened, files.images, reading)
        contents = report_files(evaluation, views)
        make_folder(output, "--output")
        write_together(output, contents, files.overwrite)
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
