"""`brixia-edge score --resume`: what of the work is still to be done."""

from dataclasses import replace
from pathlib import Path

import click

from .bundles.bundle import Bundle
from .reading.inputs import Inputs
from .resume import resume_output


def output_to_resume(wanted: bool, form: str, output: Path | None) -> Path | None:
    """The output to go on with, or None where that is not wanted.

    Raises
    ------
    click.UsageError
        It is wanted, and there is nothing to go on with.
    """
    if wanted and (form != "json" or output is None):
        raise click.UsageError("--resume needs --format json and --output FILE")
    return output if wanted else None


def unscored(inputs: Inputs, output: Path, bundle: Bundle) -> Inputs:
    """Leave out the files that the output has a score for, and tell how many they are.

    Raises
    ------
    ResumeError
        The output is none that this run can go on with.
    OSError
        It cannot be read or written.
    """
    progress = resume_output(output, bundle.identity)
    remaining = progress.remaining(inputs.files)
    done = len(inputs.files) - len(remaining)
    click.echo(f"{done} of {len(inputs.files)} files are scored already", err=True)
    if progress.torn:
        click.echo(f"an unfinished line of {progress.torn} bytes was cut away", err=True)
    return replace(inputs, files=remaining)
