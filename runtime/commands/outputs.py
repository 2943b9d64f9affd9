"""The files that commands write about each radiograph, beside the report."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click

from ..errors import BrixiaEdgeError, CannotRun
from ..files import why
from ..reports.output_names import output_stem
from ..results import ScoredRadiograph, UnscoredFile
from .terminal import tell
from .writing import OutputRule, make_folder


@dataclass(frozen=True)
class Output:
    """One kind of file, one of them for each scored radiograph.

    Attributes
    ----------
    suffix
        What follows the stem of `reports.output_names` in its name.
    module, writer
        Where the function is that takes a `ScoredRadiograph` and the path to write to.
    """

    suffix: str
    module: str
    writer: str

    def load(self) -> Callable[[ScoredRadiograph, Path], object]:
        """Import the writer: it may bring heavy libraries, so only once it was asked for."""
        return getattr(import_module(f"..reports.{self.module}", __package__), self.writer)


OUTPUTS: Mapping[str, Output] = {
    "--overlay": Output("-overlay.png", "overlay", "write_overlay"),
    "--sr": Output("-sr.dcm", "dicom.structured_report", "write_structured_report"),
    "--secondary-capture": Output(
        "-capture.dcm", "dicom.secondary_capture", "write_secondary_capture"
    ),
}
"""Each kind by the option that takes its folder."""


class OutputFolders:
    """Writes what was asked for about each radiograph.

    Parameters
    ----------
    folders
        Folder for each key of `OUTPUTS`; None where that kind was not asked for.
    rule
        Which files may be written.
    keep_names
        See `output_stem`.

    Raises
    ------
    click.BadParameter
        A folder cannot be made.
    MissingExtra
        A library that the writer needs is not installed.
    """

    def __init__(
        self, folders: Mapping[str, Path | None], rule: OutputRule, keep_names: bool = False
    ) -> None:
        self._rule = rule
        self._keep_names = keep_names
        self._writers = [
            _Writer(option, make_folder(folder, option), OUTPUTS[option].load())
            for option, folder in folders.items()
            if folder is not None
        ]
        self.refused = 0
        """How many files could not be made of their radiographs; each was told."""

    def write(self, result: ScoredRadiograph | UnscoredFile) -> tuple[Path, ...]:
        """Write all files about one result; returns their paths, none for a file without score.

        One that cannot be made of this radiograph is told on standard error, and the rest written.

        Raises
        ------
        click.FileError
            One of them cannot be written.
        """
        if isinstance(result, UnscoredFile) or not self._writers:
            return ()
        stem = output_stem(result, self._keep_names)
        return tuple(self._write(result, stem))

    def _write(self, result: ScoredRadiograph, stem: str) -> Iterator[Path]:
        for writer in self._writers:
            try:
                yield writer.write(result, stem, self._rule)
            except CannotRun:
                raise
            except BrixiaEdgeError as error:
                self.refused += 1
                tell(f"{result.file}: {writer.option}: {error}")


@dataclass(frozen=True)
class _Writer:
    option: str
    folder: Path
    function: Callable[[ScoredRadiograph, Path], object]

    def write(self, result: ScoredRadiograph, stem: str, rule: OutputRule) -> Path:
        path = self.folder / f"{stem}{OUTPUTS[self.option].suffix}"
        rule.check(path)
        try:
            self.function(result, path)
        except OSError as error:
            raise click.FileError(str(path), f"cannot be written: {why(error)}") from error
        return path
