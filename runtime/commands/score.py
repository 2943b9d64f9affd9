"""`brixia-edge score`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
from .progress import on_terminal, show_results
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
    rule = OutputRule([*inputs.read, *opened.paths], overwrite or resume)
    folders = {"--overlay": overlay, "--sr": sr, "--secondary-capture": secondary_capture}
    outputs = OutputFolders(folders, rule, keep_names)
    with result_stream(output, rule, resume, keep=form == "json") as stream:
        reading = reading_mode(isolate, paths, inputs.files, ReadingOptions(window))
        with Scorer(opened, backend, threads, reading=reading) as scorer:
            if resumed is not None:
                inputs = unscored(inputs, resumed, scorer, outputs)
            results = show_results("Scoring", _results(scorer, inputs), len(inputs.files))
            results = watch_drift(results, scorer.bundle, drift)
            shown = form == "text" and stream.isatty() and on_terminal()
            counted = _report(results, REPORTS[form](stream), outputs, told=shown)
    if counted.total > 1:
        tell(f"{counted.scored} scored, {counted.failed} failed, {counted.doubtful} doubtful")
    failed = counted.failed or outputs.refused or (strict and counted.doubtful)
    return UNSCORED if failed else 0


@dataclass
class _Outcomes:
    """How many files came out how; a doubtful score is a score, too."""

    scored: int = 0
    failed: int = 0
    doubtful: int = 0

    @property
    def total(self) -> int:
        return self.scored + self.failed

    def count(self, result: Result) -> None:
        if isinstance(result, UnscoredFile):
            self.failed += 1
        else:
            self.scored += 1
            self.doubtful += not result.quality.ok


def _report(
    results: Iterable[Result], report: Report, outputs: OutputFolders, told: bool
) -> _Outcomes:
    """Write every result, and say why a file failed unless the report is before the same eyes."""
    outcomes = _Outcomes()
    for result in results:
        written = outputs.write(result)
        report.add(result, written.paths, written.remarks)
        if isinstance(result, UnscoredFile) and not told:
            tell(f"{result.file}: {result.error}")
        outcomes.count(result)
    return outcomes


def _results(scorer: Scorer, inputs: Inputs) -> Iterator[Result]:
    yield from scorer.score_many(inputs.files)
    yield from inputs.failures
