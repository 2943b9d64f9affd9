"""`brixia-edge score`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from ..bundles.bundle import Bundle
from ..reading.inputs import Inputs
from ..reading.options import ReadingOptions
from ..reports import REPORTS, Report
from ..results import ScoredRadiograph, UnscoredFile
from ..scorer import Scorer
from .drift import drift_option, watch_drift
from .inputs import find, reading_mode
from .options import (
    PATH,
    backend_option,
    bundle_option,
    format_option,
    isolate_option,
    keep_names_option,
    output_option,
    overwrite_option,
    paths_argument,
    threads_option,
)
from .outputs import OutputFolders
from .progress import show_results
from .resume import output_to_resume, unscored
from .statuses import UNSCORED
from .terminal import tell
from .writing import OutputRule, result_stream

Result = ScoredRadiograph | UnscoredFile


@click.command()
@paths_argument
@bundle_option()
@backend_option
@threads_option
@format_option(REPORTS)
@output_option("Write to a file instead of standard output.", required=False)
@isolate_option
@click.option("--window", type=int, help="Show each DICOM file in this one of its windows, from 1.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the JSON lines in --output: score only the files that have no score there.",
)
@click.option("--overlay", type=PATH, help="Write a picture of each score into this folder.")
@click.option("--sr", type=PATH, help="Write a DICOM structured report of each into this folder.")
@click.option(
    "--secondary-capture",
    type=PATH,
    help="Write the picture of each score as a DICOM Secondary Capture into this folder.",
)
@keep_names_option
@overwrite_option("files that exist")
@drift_option
@click.option("--strict", is_flag=True, help="Exit with 1 when a score's quality is doubtful, too.")
def score(
    paths: tuple[str, ...],
    bundle: Path | None,
    backend: str,
    threads: int | None,
    form: str,
    output: Path | None,
    resume: bool,
    isolate: bool | None,
    window: int | None,
    overlay: Path | None,
    sr: Path | None,
    secondary_capture: Path | None,
    keep_names: bool,
    overwrite: bool,
    drift: bool | None,
    strict: bool,
) -> int:
    """Score radiographs: DICOM, PNG or JPEG files, folders of them, or - for a list.

    Scores go to standard output, everything else to standard error. Exit status: 0 all scored,
    1 some input could not be scored, 2 wrong usage, 3 the bundle or backend cannot run.

    RESEARCH USE ONLY - not for diagnostic use.
    """
    resumed = output_to_resume(resume, form, output)
    inputs = find(paths)
    opened = Bundle.open(bundle)
    # What was written about a radiograph whose line is missing is of the run that is gone on with.
    rule = OutputRule([*inputs.files, *opened.paths], overwrite or resume)
    folders = {"--overlay": overlay, "--sr": sr, "--secondary-capture": secondary_capture}
    outputs = OutputFolders(folders, rule, keep_names)
    with result_stream(output, rule, resume, keep=form == "json") as stream:
        reading = reading_mode(isolate, paths, inputs.files, ReadingOptions(window))
        with Scorer(opened, backend, threads, reading=reading) as scorer:
            if resumed is not None:
                inputs = unscored(inputs, resumed, scorer, outputs)
            results = show_results("Scoring", _results(scorer, inputs), len(inputs.files))
            results = watch_drift(results, scorer.bundle, drift)
            return _report(results, REPORTS[form](stream), outputs, strict)


def _report(results: Iterable[Result], report: Report, outputs: OutputFolders, strict: bool) -> int:
    """Write every result; returns the exit status."""
    status = 0
    for result in results:
        written = outputs.write(result)
        report.add(result, written.paths, written.remarks)
        if isinstance(result, UnscoredFile):
            tell(f"{result.file}: {result.error}")
            status = UNSCORED
        elif strict and not result.quality.ok:
            status = UNSCORED
    return UNSCORED if outputs.refused else status


def _results(scorer: Scorer, inputs: Inputs) -> Iterator[Result]:
    yield from scorer.score_many(inputs.files)
    yield from inputs.failures
