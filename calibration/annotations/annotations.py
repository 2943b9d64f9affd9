"""Radiologists' zone scores, read from CSV files whose form is told by their columns.

======================  ===========================================================================
`PUBLIC`                ``filename``, and for each reader X ``X-A`` to ``X-F`` and ``X-Global``:
                        ``public-annotations.csv`` of the BrixIA project with its readers S and J.
`METADATA`              ``filename``, ``BrixiaScore`` (six digits A to F; leading zeros may be lost)
                        and ``BrixiaScoreGlobal``; ``Subject``, ``Modality``, ``Sex``,
                        ``AgeAtStudyDateFiveYear`` and ``ConsensusTestset`` where they stand:
                        ``metadata_global_v1.csv`` and ``_v2``.
`CONSENSUS`             ``filename``, ``MeanA`` to ``MeanF`` and ``ModeA`` to ``ModeF`` of several
                        readers: ``metadata_consensus_v1.csv``.
`GENERIC`               ``filename`` and ``A`` to ``F``, one row for each image and reader; optional
                        ``global``, ``reader``, ``patient``, ``modality``, ``projection``, ``sex``,
                        ``age`` (years) and ``consensus`` (0 or 1).
======================  ===========================================================================

Columns are separated by commas, semicolons or tabs. Other columns are passed over.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...runtime.errors import AnnotationsError
from .forms import FORMS, Form, RadiologistScores, Row, RowError

_FIRST_ROW = 2  # as a spreadsheet counts: the header is row 1
_NAMED_ROWS = 5


@dataclass(frozen=True)
class Annotation:
    """What is known of one radiograph.

    Attributes
    ----------
    file
        Its name, as the annotations give it.
    readings
        By reader.
    patient
        What tells one patient from another; it must leave the program in no form.
    attributes
        ``modality``, ``projection``, ``sex``, ``age group``, ``consensus test set``: those given.
    """

    file: str
    readings: Mapping[str, RadiologistScores]
    patient: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class AnnotationTable:
    """An annotations file.

    Attributes
    ----------
    form
        `PUBLIC`, `METADATA`, `CONSENSUS` or `GENERIC`.
    readers
        In the order in which they appear.
    annotations
        One for each file that has a usable row, in the file's order.
    rows
        How many rows the file has, the header not counted.
    rejected
        Rows, or a reader's part of one, that are not used; one sentence with its reason each.
    warnings
        Rows that are used in spite of a doubt.
    """

    form: str
    readers: tuple[str, ...]
    annotations: tuple[Annotation, ...]
    rows: int
    rejected: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def scores_of_first_reader(self) -> dict[str, NDArray[np.int64]]:
        """Scores int64 ``[6]`` by file name, of the first reader alone.

        Raises
        ------
        AnnotationsError
            A row had to be rejected: here nobody would be told of it.
        """
        if self.rejected:
            raise AnnotationsError(_summary("annotations have rows that cannot be used", self))
        reader = self.readers[0]
        return {
            entry.file: entry.readings[reader].scores
            for entry in self.annotations
            if reader in entry.readings
        }


def read_annotations(path: Path) -> AnnotationTable:
    """Read an annotations file in any of the forms above.

    A row that cannot be used is named with its reason in the table and passed over.

    Raises
    ------
    AnnotationsError
        The file cannot be read, its columns are none of the forms, or it has no usable row.
    """
    columns, rows = _read_rows(path)
    form = next((form for form in FORMS if form.fits(columns)), None)
    if form is None:
        allowed = "; ".join(f"{form.name}: {form.columns}" for form in FORMS)
        raise AnnotationsError(
            f"annotations {path} have the columns {', '.join(columns)}; allowed are {allowed}"
        )
    collected = _Collected(form, columns)
    for number, row in enumerate(rows, _FIRST_ROW):
        collected.add(number, row)
    table = collected.table(len(rows))
    if not table.annotations:
        raise AnnotationsError(_summary(f"annotations {path} have no usable row", table))
    return table


def _summary(what: str, table: AnnotationTable) -> str:
    some = "; ".join(table.rejected[:_NAMED_ROWS])
    more = len(table.rejected) - _NAMED_ROWS
    return f"{what}: {some}{f'; and {more} more' if more > 0 else ''}"


def _read_rows(path: Path) -> tuple[Sequence[str], list[Row]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        header = text.partition("\n")[0]
        separator = max(",;\t", key=header.count)
        reader = csv.DictReader(
            text.splitlines(keepends=True), delimiter=separator, restkey="", restval=""
        )
        columns = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        rows = [_strip(row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AnnotationsError(
            f"annotations {path} cannot be read: {error}; give a CSV file in UTF-8"
        ) from error
    if not rows:
        raise AnnotationsError(f"annotations {path} hold no row; give a CSV with annotations")
    return columns, rows


def _strip(row: Mapping[str, str | list[str]]) -> Row:
    """Surplus cells, which `csv` gives as a list, belong to no column."""
    return {name: value.strip() for name, value in row.items() if isinstance(value, str)}


class _Collected:
    """What the rows gave so far; see `AnnotationTable`."""

    def __init__(self, form: Form, columns: Sequence[str]) -> None:
        self._form = form
        self._columns = columns
        self._readings: dict[str, dict[str, RadiologistScores]] = {}
        self._patients: dict[str, str | None] = {}
        self._attributes: dict[str, dict[str, str]] = {}
        self._readers: dict[str, None] = {}
        self._rejected: list[str] = []
        self._warnings: list[str] = []

    def add(self, number: int, row: Row) -> None:
        file = row.get("filename", "")
        where = f"row {number} ({file})" if file else f"row {number}"
        readers = tuple(self._form.readers(self._columns, row))
        if not (file and readers):
            self._rejected.append(f"{where}: has no {'scores' if file else 'filename'}")
            return
        for reader in readers:
            try:
                self._take(file, reader, row, where)
            except RowError as error:
                self._rejected.append(f"{where}: {error}")

    def _take(self, file: str, reader: str, row: Row, where: str) -> None:
        reading = self._form.reading(row, reader)
        if reader in self._readings.get(file, {}):
            raise RowError(f"an earlier row has reader {reader}'s scores of this file; it is used")
        self._readers.setdefault(reader)
        self._readings.setdefault(file, {})[reader] = reading
        if not self._patients.get(file):
            self._patients[file] = self._form.patient(row)
        self._attributes.setdefault(file, {}).update(self._form.attributes(row))
        self._warnings.extend(
            f"{where}: {doubt}" for doubt in self._form.doubts(row, reader, reading)
        )

    def table(self, rows: int) -> AnnotationTable:
        annotations = tuple(
            Annotation(file, readings, self._patients[file], self._attributes[file])
            for file, readings in self._readings.items()
        )
        return AnnotationTable(
            self._form.name,
            tuple(self._readers),
            annotations,
            rows,
            tuple(self._rejected),
            tuple(self._warnings),
        )
