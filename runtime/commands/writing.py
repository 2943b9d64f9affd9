"""The one rule for what commands write: never onto what they read, nor over what is to be kept."""

import os
import sys
from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

import click

from ..errors import OutputRefused
from ..files import appended, check_target, rest_of, staged
from .terminal import tell


class OutputRule:
    """Says whether a command may write a file.

    Parameters
    ----------
    inputs
        The files that the command reads. They are looked at when a file to write exists.
    overwrite
        Whether files that exist may be replaced; an input never.
    """

    def __init__(self, inputs: Iterable[Path], overwrite: bool = False) -> None:
        self._inputs = inputs
        self.overwrite = overwrite

    def check(self, path: Path) -> None:
        """Refuse a file that may not be written.

        Raises
        ------
        OutputRefused
            It is an input, under this name or another, or exists and is to be kept, or lies in no
            folder that may be written into.
        """
        found = _identity(path)
        if found is not None and found in self._identities:
            raise OutputRefused(
                f"{path} is one of the files that are read and would be lost; give another file"
            )
        check_target(path, self.overwrite)
        if path.is_file() or not path.exists():
            _check_folder(path)

    def check_folder(self, folder: Path) -> None:
        """Refuse a folder that is to be replaced as a whole while an input lies in it, or is it.

        Raises
        ------
        OutputRefused
            One does; the message names it.
        """
        place = Path(os.path.realpath(folder))
        for path in map(Path, map(os.path.realpath, self._inputs)):
            if place in (path, *path.parents):
                raise OutputRefused(
                    f"{folder} is read ({path}) and would be lost; give another folder"
                )

    @cached_property
    def _identities(self) -> frozenset[tuple[int, int] | None]:
        return frozenset(map(_identity, self._inputs))


def _check_folder(path: Path) -> None:
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise OutputRefused(f"{path} cannot be written: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputRefused(
            f"{path} cannot be written: {folder} may not be written into; give another folder"
        )


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode, which all links to a file share; None for what is not there."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def output_file(path: Path, rule: OutputRule) -> AbstractContextManager[BinaryIO]:
    """Open a file as `files.staged` does: before the work, whose end it is to hold.

    Raises
    ------
    OutputRefused, OSError
        As from `OutputRule.check` and `files.staged`.
    """
    rule.check(path)
    return staged(path, rule.overwrite)


def optional_output(path: Path | None, rule: OutputRule) -> AbstractContextManager[BinaryIO | None]:
    """Open a file that was asked for as `output_file` does, or give None."""
    return nullcontext() if path is None else output_file(path, rule)


def make_folder(folder: Path, option: str) -> Path:
    """Make the folder that an option names, where there is none.

    Raises
    ------
    click.BadParameter
        It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{folder}: {error.strerror}", param_hint=option) from error
    return folder


@contextmanager
def result_stream(
    path: Path | None, rule: OutputRule, resume: bool = False, keep: bool = False
) -> Generator[TextIO]:
    """Open the output that results are added to as they come.

    A new output gets its name when it is whole. A run that goes on adds to the output itself, or to
    what the run that was cut short left of it.

    Parameters
    ----------
    path
        The output; None is standard output.
    rule
        Whether it may be written.
    resume
        Add to what is there.
    keep
        Keep what was written when the run is cut short, so that another can go on with it.

    Raises
    ------
    OutputRefused, OSError
        As from `OutputRule.check`, `files.staged` and `files.appended`.
    """
    if path is None:
        yield sys.stdout
        return
    rule.check(path)
    try:
        with appended(path) if resume else staged(path, rule.overwrite, keep) as file:
            # Detached, not closed, at the end: only a file that is open can be brought to the disk.
            stream = TextIOWrapper(file, encoding="utf-8", newline="")
            try:
                yield stream
            finally:
                stream.detach()
    except BaseException:
        if keep and rest_of(path):
            tell(f"the results so far are kept; --resume goes on with {path}")
        raise
