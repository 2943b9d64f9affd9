"""`brixia-edge explain`."""

from pathlib import Path

import click

from ..bundles.bundle import Bundle
from ..errors import OutputRefused, UnsupportedImage
from ..explanation.evidence import EVIDENCE
from ..explanation.explainer import METHODS, NEEDED_OUTPUTS, explain_result
from ..explanation.explanation import Explanation
from ..explanation.files import WRITERS
from ..files import why
from ..reports.output_names import output_stem
from ..results import RESEARCH_USE, ScoredRadiograph, UnscoredFile
from ..scorer import Scorer
from .inputs import find, reading_mode, tell_failures
from .options import (
    backend_option,
    bundle_option,
    isolate_option,
    keep_names_option,
    output_option,
    overwrite_option,
    paths_argument,
    threads_option,
)
from .progress import show_progress
from .statuses import UNSCORED
from .terminal import show, tell
from .writing import OutputRule, make_folder


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
@overwrite_option("explanations that exist")
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
    overwrite: bool,
) -> int:
    """Show what in a radiograph speaks for the score of each zone.

    Takes DICOM, PNG or JPEG files, folders of them, or - for a list. Prints each file that it
    writes on standard output, everything else on standard error. Exit status as `score`.

    RESEARCH USE ONLY - not for diagnostic use.
    """
    inputs = find(paths)
    failures = list(inputs.failures)
    make_folder(output, "--output")
    opened = Bundle.open(bundle)
    rule = OutputRule([*inputs.read, *opened.paths], overwrite)
    reading = reading_mode(isolate, paths, inputs.files)
    with Scorer(opened, backend, threads, NEEDED_OUTPUTS, reading) as scorer:
        for result in scorer.score_many(inputs.files):
            explained = _explained(scorer, result, method)
            if isinstance(explained, UnscoredFile):
                failures.append(explained)
                continue
            stem = f"{output_stem(explained.result, keep_names)}-{method}"
            try:
                for form in forms:
                    _write(explained, output / f"{stem}.{form}", form, rule)
            except OutputRefused as error:
                failures.append(UnscoredFile(explained.result.file, error))
    tell_failures(failures)
    tell(RESEARCH_USE)
    return UNSCORED if failures else 0


def _explained(
    scorer: Scorer, result: ScoredRadiograph | UnscoredFile, method: str
) -> Explanation | UnscoredFile:
    if isinstance(result, UnscoredFile):
        return result
    try:
        return explain_result(scorer, result, method, show_progress)
    except UnsupportedImage as error:
        return UnscoredFile(result.file, error)


def _write(explanation: Explanation, path: Path, form: str, rule: OutputRule) -> None:
    rule.check(path)
    try:
        WRITERS[form](explanation, path)
    except OSError as error:
        raise click.FileError(str(path), f"cannot be written: {why(error)}") from error
    show([str(path)])
