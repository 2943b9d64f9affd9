"""Finding the files that a command is to read, and telling what it passes over."""

import sys
from collections.abc import Iterable, Sequence

import click

from ..errors import UnreadableImage
from ..reading.inputs import Inputs, find_inputs
from ..reports.plain_text import printable
from ..results import UnscoredFile


def find(paths: Sequence[str]) -> Inputs:
    """Find files as `find_inputs` does, and tell on standard error how many are skipped.

    Raises
    ------
    click.BadParameter
        A path is empty, as that of a variable which was not set.
    """
    if "" in paths:
        raise click.BadParameter("a path is empty; was a variable not set?", param_hint="PATH")
    inputs = find_inputs(paths, sys.stdin.buffer)
    tell_skipped(inputs)
    return inputs


def find_some(paths: Sequence[str]) -> Inputs:
    """Find files as `find` does, and tell at once what cannot be searched.

    Raises
    ------
    click.BadParameter
        As from `find`.
    UnreadableImage
        There is no file.
    """
    inputs = find(paths)
    tell_failures(inputs.failures)
    if not inputs.files:
        raise UnreadableImage(
            "no DICOM, PNG or JPEG file was found; give a folder of chest radiographs"
        )
    return inputs


def tell_skipped(inputs: Inputs) -> None:
    """Tell on standard error how many files and links were passed over."""
    if inputs.skipped:
        click.echo(f"{inputs.skipped} files are no DICOM, PNG or JPEG and were skipped", err=True)
    if inputs.links:
        click.echo(f"{inputs.links} links lead out of their folder and were skipped", err=True)


def tell_failures(failures: Iterable[UnscoredFile]) -> None:
    """Tell on standard error what cannot be used, and why."""
    for failure in failures:
        click.echo(printable(f"{failure.file}: {failure.error}"), err=True)
