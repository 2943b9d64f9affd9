"""Rows of comma-separated values, for spreadsheets and data frames."""

import csv
from collections.abc import Iterable
from typing import TextIO

from ..plain_text import encodable, printable, spreadsheet_text


class CsvRows:
    """Writes rows; every text is quoted, so that commas, quotes and line breaks survive.

    Parameters
    ----------
    stream
        Where the rows go; a file is to be opened with ``newline=""``. On a terminal line breaks
        are escaped, too.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        # Minimal quoting leaves a lone carriage return bare before Python 3.13.
        self._rows = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")

    def write(self, cells: Iterable[str | float]) -> None:
        """Write one row; numbers stand unquoted."""
        self._rows.writerow([self._cell(cell) for cell in cells])

    def _cell(self, cell: str | float) -> str | float:
        if not isinstance(cell, str):
            return cell
        text = spreadsheet_text(cell)
        return encodable(printable(text) if self._stream.isatty() else text, self._stream)
