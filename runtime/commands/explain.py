"""`brixia-edge explain`."""

from pathlib import Path

import click

from ..bundles.bundle import Bundle
from ..cli import UNSCORED
from ..errors import UnsupportedImage
from ..explanation.evidence import EVIDENCE
from ..explanation.explainer import METHODS, NEEDED_OUTPUTS, explain_result
from ..explanation.explanation import Explanation
from ..explanation.files import WRITERS
from ..reports.output_names import output_stem
from ..reports.plain_text import printable
from ..results import RESEARCH_USE, ScoredRadiograph, UnscoredFile
from ..scorer import Scorer
from .inputs import find, reading_mode, tell_failures
from .options import (
    backend_option,
    bundle_option,
    isolate_option,
    keep_names_option,
    output_option,
    paths_argument,
    threads_option,
)
from .progress import show_progress


@click.command()
@paths_argument
@output_option("The folder to write into.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default=EVIDENCE,
    show_default=True,
    help="evidence: one pass through the network; occlusion: about 180.",
)
@click.option(
    "--format",
    "forms",
    type=click.Choice(list(WRITERS)),
    multiple=True,
    default=("png",),
    show_default=True,
    help="png: a picture; npz: the maps as arrays. Give it twice for both.",
)
@bundle_option()
@backend_option
@threads_option
@isolate_option
@keep_names_option
def explain(
    paths: tuple[str, ...],
    output: Path,
    method: str,
    forms: tuple[str, ...],
    bundle: Path | None,
    backend: str,
    threads: int | None,
    isolate: bool | None,
    keep_names: bool,
) -> int:
    """Show what in a radiograph speaks for the score of each zone.

    Takes DICOM, PNG or JPEG files, folders of them, or - for a list. Prints each file that it
    writes on standard output, everything else on standard error. Exit status as `score`.

    RESEARCH USE ONLY - not for diagnostic use.
    """
    inputs = find(paths)
    failures = list(inputs.failures)
    _make_folder(output)
    reading = reading_mode(isolate, paths, inputs.files)
    with Scorer(Bundle.open(bundle), backend, threads, NEEDED_OUTPUTS, reading) as scorer:
        for result in scorer.score_many(inputs.files):
            explained = _explained(scorer, result, method)
            if isinstance(explained, UnscoredFile):
                failures.append(explained)
                continue
            stem = f"{output_stem(explained.result, keep_names)}-{method}"
            for form in forms:
                _write(explained, output / f"{stem}.{form}", form)
    tell_failures(failures)
    click.echo(RESEARCH_USE, err=True)
    return UNSCORED if failures else 0


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{folder}: {error.strerror}", param_hint="--output") from error


def _explained(
    scorer: Scorer, result: ScoredRadiograph | UnscoredFile, method: str
) -> Explanation | UnscoredFile:
    if isinstance(result, UnscoredFile):
        return result
    try:
        return explain_result(scorer, result, method, show_progress)
    except UnsupportedImage as error:
        return UnscoredFile(result.file, error)


def _write(explanation: Explanation, path: Path, form: str) -> None:
    try:
        WRITERS[form](explanation, path)
    except OSError as error:
        raise click.FileError(str(path), f"cannot be written: {error.strerror}") from error
    click.echo(printable(str(path)))
