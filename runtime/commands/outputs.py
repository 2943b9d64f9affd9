"""The files that commands write about each radiograph, beside the report."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click

from ..errors import BrixiaEdgeError, CannotRun
from ..files import why
from ..reports.material import Material
from ..reports.output_names import output_stem, stem_pattern
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
        Where the function is that takes a `Material` and the path to write to, and returns what
        of the radiograph's header is not in the file as it was.
    """

    suffix: str
    module: str
    writer: str

    def load(self) -> Callable[[Material, Path], tuple[str, ...]]:
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


@dataclass(frozen=True)
class Written:
    """The files written about one radiograph.

    Attributes
    ----------
    paths
        Where they are.
    remarks
        What of the radiograph's header is not in them as it was, one sentence each.
    """

    paths: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()


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

    def write(self, result: ScoredRadiograph | UnscoredFile) -> Written:
        """Write all files about one result; none about a file without score.

        One that cannot be made of this radiograph is told on standard error, and the rest written.
        So is what of its header is not in them as it was.

        Raises
        ------
        click.FileError
            One of them cannot be written.
        """
        if isinstance(result, UnscoredFile) or not self._writers:
            return Written()
        stem = output_stem(result, self._keep_names)
        each = list(self._write(Material(result), stem))
        # Each kind of file tells the same of one header.
        remarks = tuple(dict.fromkeys(remark for written in each for remark in written.remarks))
        for remark in remarks:
            tell(f"{result.file}: {remark}")
        return Written(tuple(path for written in each for path in written.paths), remarks)

    def complete(self, file: Path, written: Iterable[str]) -> bool:
        """Whether an earlier run has written all that is asked for about a radiograph.

        Parameters
        ----------
        file
            The radiograph's.
        written
            Paths that the earlier run tells of.
        """
        found = {path.name: path for path in map(Path, written) if os.path.isfile(path)}
        return all(writer.among(found, file, self._keep_names) for writer in self._writers)

    def _write(self, material: Material, stem: str) -> Iterator[Written]:
        for writer in self._writers:
            try:
                yield writer.write(material, stem, self._rule)
            except CannotRun:
                raise
            except BrixiaEdgeError as error:
                self.refused += 1
                tell(f"{material.result.file}: {writer.option}: {error}")


@dataclass(frozen=True)
class _Writer:
    option: str
    folder: Path
    function: Callable[[Material, Path], tuple[str, ...]]

    def among(self, found: Mapping[str, Path], file: Path, keep_names: bool) -> bool:
        """Whether its file about a radiograph is among those of an earlier run, by name."""
        name = stem_pattern(file, keep_names) + re.escape(OUTPUTS[self.option].suffix)
        return any(
            re.fullmatch(name, each) and os.path.samefile(path.parent, self.folder)
            for each, path in found.items()
        )

    def write(self, material: Material, stem: str, rule: OutputRule) -> Written:
        path = self.folder / f"{stem}{OUTPUTS[self.option].suffix}"
        rule.check(path)
        try:
            remarks = self.function(material, path)
        except OSError as error:
            raise click.FileError(str(path), f"cannot be written: {why(error)}") from error
        return Written((path,), remarks)
