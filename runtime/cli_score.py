"""`brixia-edge score`."""

import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from .backends import AUTO, backend_names
from .bundle import Bundle
from .cli import UNSCORED
from .cli_resume import output_to_resume, unscored
from .inputs import Inputs, find_inputs
from .reports import REPORTS, Report
from .reports.plain_text import printable
from .results import ScoredRadiograph, UnscoredFile
from .scorer import Scorer

Result = ScoredRadiograph | UnscoredFile
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--bundle", type=_PATH, help="The bundle's directory; default: the shipped one.")
@click.option("--backend", type=click.Choice(backend_names()), default=AUTO, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="CPU threads; default: all cores.")
@click.option(
    "--format", "form", type=click.Choice(list(REPORTS)), default="text", show_default=True
)
@click.option("-o", "--output", type=_PATH, help="Write to a file instead of standard output.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the JSON lines in --output: score only the files that have no score there.",
)
@click.option("--overlay", type=_PATH, help="Write a picture of each score into this folder.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a score's quality is doubtful, too.")
def score(
    paths: tuple[str, ...],
    bundle: Path | None,
    backend: str,
    threads: int | None,
    form: str,
    output: Path | None,
    resume: bool,
    overlay: Path | None,
    strict: bool,
) -> int:
    """Score radiographs: DICOM, PNG or JPEG files, folders of them, or - for a list.

    Scores go to standard output, everything else to standard error. Exit status: 0 all scored,
    1 some input could not be scored, 2 wrong usage, 3 the bundle or backend cannot run.

    RESEARCH USE ONLY - not for diagnostic use.
    """
    _check_paths(paths, output)
    resumed = output_to_resume(resume, form, output)
    inputs = find_inputs(paths, sys.stdin.buffer)
    if inputs.skipped:
        click.echo(f"{inputs.skipped} files are no DICOM, PNG or JPEG and were skipped", err=True)
    draw = overlay_writer(overlay)
    # The output last: a bundle that cannot run must not cost the results of an earlier run.
    opened = Bundle.open(bundle)
    inputs = inputs if resumed is None else unscored(inputs, resumed, opened)
    with Scorer(opened, backend, threads) as scorer, _stream(output, resume) as stream:
        results = with_progress(_results(scorer, inputs), len(inputs.files), stream)
        return _report(results, REPORTS[form](stream), draw, strict)


def _check_paths(paths: tuple[str, ...], output: Path | None) -> None:
    """Refuse an empty path, and an output that would overwrite an input."""
    if "" in paths:
        raise click.BadParameter("a path is empty; was a variable not set?", param_hint="PATH")
    if output is not None and os.path.realpath(output) in map(os.path.realpath, paths):
        raise click.BadParameter(f"{output} is one of the images to score", param_hint="--output")


def _report(
    results: Iterable[Result], report: Report, draw: Callable[[Result], None], strict: bool
) -> int:
    """Write every result; returns the exit status."""
    status = 0
    for result in results:
        report.add(result)
        draw(result)
        if isinstance(result, UnscoredFile):
            click.echo(printable(f"{result.file}: {result.error}"), err=True)
            status = UNSCORED
        elif strict and not result.quality.ok:
            status = UNSCORED
    return status


def _results(scorer: Scorer, inputs: Inputs) -> Iterator[Result]:
    yield from scorer.score_many(inputs.files)
    yield from inputs.failures


def overlay_writer(folder: Path | None) -> Callable[[Result], None]:
    """A function that writes a result's picture into `folder`, or does nothing without one."""
    if folder is None:
        return lambda result: None
    from .reports.overlay import write_overlay

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{folder}: {error.strerror}", param_hint="--overlay") from error

    def write(result: Result) -> None:
        if isinstance(result, ScoredRadiograph):
            try:
                write_overlay(result, folder)
            except OSError as error:
                raise click.FileError(
                    str(folder), f"no overlay can be written: {error.strerror}"
                ) from error

    return write


@contextmanager
def _stream(output: Path | None, append: bool = False) -> Generator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        stream = output.open("a" if append else "w", encoding="utf-8", newline="")
    except OSError as error:
        raise click.BadParameter(f"{output}: {error.strerror}", param_hint="--output") from error
    with stream:
        yield stream


def with_progress(results: Iterable[Result], count: int, stream: TextIO) -> Iterator[Result]:
    """Show a progress bar on standard error while results pass, if it is a terminal.

    With one image there is none; with results on the same terminal the bar makes room for each.
    """
    if count < 2 or not sys.stderr.isatty():
        yield from results
        return
    with click.progressbar(length=count, label="Scoring", file=sys.stderr) as bar:
        for result in results:
            if stream.isatty():
                click.echo("\r\x1b[K", nl=False, err=True)
            yield result
            bar.update(1)
