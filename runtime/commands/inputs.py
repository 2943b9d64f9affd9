"""Finding the files that a command is to read, and telling what it passes over."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from ..authorship import SOFTWARE
from ..errors import UnreadableImage
from ..reading.inputs import Inputs, find_inputs
from ..reading.options import AS_STORED, ReadingOptions
from ..results import UnscoredFile
from ..sources.isolated import ReadingMode
from ..sources.process import ReadingLimits
from ..sources.process_limits import memory_can_be_limited
from .terminal import tell


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


def reading_mode(
    isolate: bool | None,
    paths: Sequence[str],
    files: Sequence[Path],
    options: ReadingOptions = AS_STORED,
) -> ReadingMode:
    """Choose how files are read, and tell on standard error which limits this system lacks.

    Parameters
    ----------
    isolate
        As `isolate_option` gives it; None isolates for folders and several files, which come from
        strangers more often than one that is named.
    paths, files
        What was given, and what was found there.
    options
        What may be chosen about reading.
    """
    isolated = isolate
    if isolated is None:
        isolated = len(files) > 1 or any(map(os.path.isdir, paths))
    if not isolated:
        return ReadingMode(options=options)
    if not memory_can_be_limited():
        tell("this system limits no process's memory; time alone is limited")
    return ReadingMode(ReadingLimits(), options)


def tell_skipped(inputs: Inputs) -> None:
    """Tell on standard error how many files and links were passed over."""
    told = (
        (inputs.skipped, "file is no DICOM, PNG or JPEG", "files are no DICOM, PNG or JPEG"),
        (inputs.results, f"file is a result of {SOFTWARE}", f"files are results of {SOFTWARE}"),
        (inputs.links, "link leads out of its folder", "links lead out of their folder"),
    )
    for count, one, many in told:
        if count:
            tell(f"1 {one} and was skipped" if count == 1 else f"{count} {many} and were skipped")


def tell_failures(failures: Iterable[UnscoredFile]) -> None:
    """Tell on standard error what cannot be used, and why."""
    for failure in failures:
        tell(f"{failure.file}: {failure.error}")
