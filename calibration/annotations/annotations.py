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

Columns are separated by commas, semicolons or tabs. Other columns are passed over. `cells` tells
how the file may be written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...runtime.errors import AnnotationsError
from .cells import Cells, Row, read_table
from .forms import FORMS, Form, RadiologistScores, RowError, shortened

_NAMED_ROWS = 5
_SEPARATORS = frozenset(",;\t")
_SURPLUS = "has more cells than there are columns; put a cell that holds a separator into quotes"


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
    without_scores
        Those of `rejected` that nobody has scored.
    """

    form: str
    readers: tuple[str, ...]
    annotations: tuple[Annotation, ...]
    rows: int
    rejected: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    without_scores: tuple[str, ...] = ()

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
    table = read_table(path, lambda columns: _form(columns) is not None)
    form = _form(table.columns)
    if form is None:
        allowed = "; ".join(f"{form.name}: {form.columns}" for form in FORMS)
        found = shortened(", ".join(table.columns))
        raise AnnotationsError(
            f"annotations {path} have the columns {found}; allowed are {allowed}"
        )
    collected = _Collected(path, form, table.columns)
    collected.check_quotes(table.header)
    for row in table.rows:
        collected.add(row)
    return collected.table()


def _form(columns: Sequence[str]) -> Form | None:
    return next((form for form in FORMS if form.fits(columns)), None)


def _summary(what: str, table: AnnotationTable) -> str:
    some = "; ".join(table.rejected[:_NAMED_ROWS])
    more = len(table.rejected) - _NAMED_ROWS
    return f"{what}: {some}{f'; and {more} more' if more > 0 else ''}"


def _ends_a_name(filename: str, row: Row) -> bool:
    """Whether a line within a row is the end of the row's own file name, which breaks there.

    A name with a separator in it may be another row whose quote was not closed.
    """
    name = row.cells["filename"]
    _, broken, end = name.rpartition("\n")
    return bool(broken) and filename.rstrip('"') == end and not _SEPARATORS.intersection(name)


class _Collected:
    """What the rows gave so far; see `AnnotationTable`."""

    def __init__(self, path: Path, form: Form, columns: Sequence[str]) -> None:
        self._path = path
        self._form = form
        self._named = form.named_readers(columns)
        self._rows = 0
        self._readings: dict[str, dict[str, RadiologistScores]] = {}
        self._patients: dict[str, str | None] = {}
        self._attributes: dict[str, dict[str, str]] = {}
        self._readers: dict[str, None] = {}
        self._rejected: list[str] = []
        self._without_scores: list[str] = []
        self._warnings: list[str] = []

    def add(self, row: Row) -> None:
        self.check_quotes(row)
        self._rows += 1
        file = row.cells["filename"]
        where = f"row {row.number} ({shortened(file)})" if file else f"row {row.number}"
        readers = tuple(self._form.readers(self._named, row.cells))
        if not (file and readers):
            reason = f"{where}: has no {'scores' if file else 'filename'}"
            self._rejected.append(reason)
            self._without_scores.extend([reason] if file else [])
            return
        if row.surplus:
            self._rejected.append(f"{where}: {_SURPLUS}")
            return
        for reader in readers:
            try:
                self._take(file, reader, row.cells, where)
            except RowError as error:
                self._rejected.append(f"{where}: {error}")

    def check_quotes(self, row: Row) -> None:
        """Refuse a row that holds another one.

        Raises
        ------
        AnnotationsError
            A quote that was not closed has swallowed a row with scores.
        """
        for cells in row.within:
            if self._is_usable(cells) and not _ends_a_name(cells["filename"], row):
                raise AnnotationsError(
                    f"annotations {self._path}, row {row.number}: a cell in quotes goes on over "
                    f"the scores of {shortened(cells['filename'])}; close the quote"
                )

    def _is_usable(self, cells: Cells) -> bool:
        readers = self._form.readers(self._named, cells) if cells["filename"] else ()
        for reader in readers:
            try:
                self._form.reading(cells, reader)
            except RowError:
                continue
            return True
        return False

    def _take(self, file: str, reader: str, row: Cells, where: str) -> None:
        reading = self._form.reading(row, reader)
        if reader in self._readings.get(file, {}):
            raise RowError(
                f"an earlier row has reader {shortened(reader)}'s scores of this file; it is used"
            )
        self._readers.setdefault(reader)
        self._readings.setdefault(file, {})[reader] = reading
        if not self._patients.get(file):
            self._patients[file] = self._form.patient(row)
        self._attributes.setdefault(file, {}).update(self._form.attributes(row))
        self._warnings.extend(
            f"{where}: {doubt}" for doubt in self._form.doubts(row, reader, reading)
        )

    def table(self) -> AnnotationTable:
        """What was collected.

        Raises
        ------
        AnnotationsError
            No row is usable.
        """
        annotations = tuple(
            Annotation(file, readings, self._patients[file], self._attributes[file])
            for file, readings in self._readings.items()
        )
        table = AnnotationTable(
            self._form.name,
            tuple(self._readers),
            annotations,
            self._rows,
            tuple(self._rejected),
            tuple(self._warnings),
            tuple(self._without_scores),
        )
        if not self._rows:
            raise AnnotationsError(
                f"annotations {self._path} hold no row; give a CSV with annotations"
            )
        if not annotations:
            raise AnnotationsError(_summary(f"annotations {self._path} have no usable row", table))
        return table
