"""From a file to the cells of a table, as spreadsheets of any language write it.

Cells are separated by commas, semicolons or tabs, the text is UTF-8 or UTF-16 with or without a
byte-order mark, rows are filled up with empty cells, and ``sep=;`` may stand above the header. All
of that is read. What would let a cell swallow the rows below it, or move cells into other columns,
is told by the rows, or refused.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...runtime.errors import AnnotationsError
from ...runtime.files import read_file, why
from ...runtime.reading.text_encoding import as_utf8

LARGEST = 16 * 2**20
"""Bytes of a file; the largest of the BrixIA project's has half a million."""

MOST_COLUMNS = 200_000

_SEPARATORS = ",;\t"

_TOLD_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)
"""The line by which Excel says which separator follows."""

_KEPT_AS_TEXT = re.compile(r'="(.*)"')
"""How a spreadsheet is kept from taking leading zeros away."""

_Split = tuple[int, list[str], list[list[str]]]
_NOTHING: _Split = (1, [], [])

Cells = Mapping[str, str]
"""The cells of a row by column, stripped; an empty one is left out, and is "" when asked for."""


class _Strict(csv.excel):
    strict = True
    skipinitialspace = True


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes
    ----------
    number
        As a spreadsheet counts.
    cells
        By column. Where two columns have one name and differ, "1 or 2", which is no score.
    surplus
        Whether something stands beyond the last column.
    within
        What the row's further lines would be as rows of their own: a cell in quotes may go over
        several lines.
    """

    number: int
    cells: Cells
    surplus: bool
    within: Sequence[Cells]


@dataclass(frozen=True)
class Table:
    """A table that is read row by row.

    Attributes
    ----------
    columns
        Their names, stripped.
    header
        The row that they stand in.
    rows
        Those below it that are not empty. They can be taken once.
    """

    columns: Sequence[str]
    header: Row
    rows: Iterator[Row]


def read_table(path: Path, fits: Callable[[Sequence[str]], bool]) -> Table:
    """Read a CSV file.

    Parameters
    ----------
    path
        The file.
    fits
        Whether columns are such as are looked for, which tells what separates them.

    Raises
    ------
    AnnotationsError
        It cannot be read, holds nothing, or, also while rows are taken, breaks the rules of CSV.
    """
    lines = _lines(_text(path))
    first = next((place for place, line in enumerate(lines) if line.strip(" ,;\t\r\n")), None)
    if first is None:
        raise AnnotationsError(f"annotations {path} hold no row; give a CSV with annotations")
    told = _TOLD_SEPARATOR.fullmatch(lines[first].rstrip("\r\n "))
    first += 1 if told else 0
    separator = told[1] if told else _separator(lines[first:], fits)
    split = _split(path, lines[first:], separator, first)
    number, names, within = next(split, _NOTHING)
    if len(names) > MOST_COLUMNS:
        raise AnnotationsError(
            f"annotations {path} have {len(names)} columns; at most {MOST_COLUMNS} are read"
        )
    columns = tuple(map(_cell, names))
    header = _row(columns, number, names, within)
    filled = (each for each in split if any(map(str.strip, each[1])))
    return Table(columns, header, (_row(columns, *each) for each in filled))


def _text(path: Path) -> str:
    try:
        text = as_utf8(read_file(path, LARGEST)).decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is no {error.encoding}"
    except OSError as error:
        reason = why(error)
    else:
        if "\0" not in text:
            return text
        reason = "it holds zero bytes, so it is no text"
    raise AnnotationsError(
        f"annotations {path} cannot be read: {reason}; give a CSV file in UTF-8 or UTF-16"
    )


def _lines(text: str) -> list[str]:
    """Cut at the file's own line ends: other characters that pass for one may stand in a cell."""
    end = "\n" if "\n" in text else "\r"
    return [line + end for line in text.removesuffix(end).split(end)] if text else []


def _separator(lines: Sequence[str], fits: Callable[[Sequence[str]], bool]) -> str:
    for separator in _SEPARATORS:
        try:
            header = next(csv.reader(lines, _Strict, delimiter=separator), None)
        except csv.Error:
            continue
        if header and fits(tuple(map(_cell, header))):
            return separator
    return max(_SEPARATORS, key=lines[0].count)


def _split(path: Path, lines: Sequence[str], separator: str, above: int) -> Iterator[_Split]:
    """Each row's number, its cells, and those of its further lines, whatever their quotes say."""
    reader = csv.reader(lines, _Strict, delimiter=separator)
    number = above
    while True:
        begun, number = reader.line_num, number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise AnnotationsError(f"annotations {path}, row {number}: {_told(error)}") from error
        further = lines[begun + 1 : reader.line_num]
        yield number, cells, [line.replace('"', "").split(separator) for line in further]


def _told(error: csv.Error) -> str:
    """The reason in a table's words; the library's are for programs."""
    text = str(error)
    if "end of data" in text or "field limit" in text:
        return "a quote is opened and not closed; close it, or write two for one within a text"
    if "expected after" in text:
        return (
            "text follows a quote that closes a cell; write two quotes for one within a text, and "
            "close those that were opened above"
        )
    return "a line ends within a cell; put the cell into quotes"


def _row(
    columns: Sequence[str], number: int, cells: Sequence[str], within: Sequence[Sequence[str]]
) -> Row:
    surplus = any(cell.strip() for cell in cells[len(columns) :])
    return Row(
        number, _by_column(columns, cells), surplus, [_by_column(columns, each) for each in within]
    )


class _Filled(dict[str, str]):
    def __missing__(self, column: str) -> str:
        return ""


def _by_column(columns: Sequence[str], cells: Sequence[str]) -> Cells:
    row = _Filled()
    for name, cell in zip(columns, cells, strict=False):
        if text := _cell(cell):
            before = row[name]
            row[name] = f"{before} or {text}" if before not in ("", text) else text
    return row


def _cell(text: str) -> str:
    text = text.strip()
    kept = _KEPT_AS_TEXT.fullmatch(text) if text.startswith("=") else None
    return kept[1].strip() if kept else text
