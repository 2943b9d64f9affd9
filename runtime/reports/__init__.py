"""What is said about each file: text for people, JSON lines and CSV for programs.

A report is told of one result after the other and writes each at once, so a
run that is cut short keeps what it had. `REPORTS` lists the forms by the name
that the command line takes; pictures are in `overlay`, which brings OpenCV and
is therefore not imported here.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TextIO

from ..results import ScoredRadiograph, UnscoredFile
from .csv_table import CsvReport
from .json_lines import JsonReport
from .text import TextReport


class Report(Protocol):
    """Writes results to a text stream, one at a time."""

    def add(
        self,
        result: ScoredRadiograph | UnscoredFile,
        written: Sequence[Path] = (),
        remarks: Sequence[str] = (),
    ) -> None:
        """Write one result and flush the stream.

        Parameters
        ----------
        result
            What to tell.
        written
            The files that were written about it.
        remarks
            What of the radiograph's header is not in these as it was; JSON has a place for it, and
            the command line tells it in any case.
        """
        ...


REPORTS: Mapping[str, Callable[[TextIO], Report]] = {
    "text": TextReport,
    "json": JsonReport,
    "csv": CsvReport,
}
"""Each form by its name; call it with the stream to write to.

A stream that is a file is best opened with ``encoding="utf-8", newline=""``,
so that file names with line breaks come through CSV unchanged.
"""

__all__ = ["REPORTS", "CsvReport", "JsonReport", "Report", "TextReport"]
