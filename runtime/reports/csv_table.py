"""CSV: a header and one row for each file, for spreadsheets and data frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from ..results import RESEARCH_USE, ScoredRadiograph, UnscoredFile
from ..scores import Zone
from .csv_rows import CsvRows

_ZONES = tuple(zone.value for zone in Zone)

COLUMNS = (
    "file",
    "sop_instance_uid",
    *_ZONES,
    "global",
    *(f"expected_{zone}" for zone in _ZONES),
    "expected_global",
    "quality_ok",
    "warnings",
    "model",
    "precision",
    "sha256",
    "variant",
    "error_type",
    "error_message",
    "written",
    "notice",
)
"""The header. A file without a score has the error columns filled, and those of scores empty."""

SEPARATOR = " | "
"""Stands between the sentences of the column ``warnings`` and the paths of ``written``."""

_DIGITS = 6


class CsvReport:
    """Writes comma-separated values; the header is written on creation.

    Every text is quoted, so commas, quotes and line breaks in file names survive; scores stand
    unquoted. Expected scores are rounded to 6 decimals.

    Parameters
    ----------
    stream
        Where the rows go; a file is to be opened with ``newline=""``.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rows = CsvRows(stream)
        self._rows.write(COLUMNS)
        self._stream.flush()

    def add(
        self,
        result: ScoredRadiograph | UnscoredFile,
        written: Sequence[Path] = (),
        remarks: Sequence[str] = (),
    ) -> None:
        """Write one row, with the files that were written about it, and flush."""
        del remarks
        row = {**as_row(result), "written": SEPARATOR.join(map(str, written))}
        self._rows.write(row.get(column, "") for column in COLUMNS)
        self._stream.flush()


def as_row(result: ScoredRadiograph | UnscoredFile) -> Mapping[str, str | float]:
    """Give the cells of a result by column; columns that do not apply are left out.

    Parameters
    ----------
    result
        A scored radiograph, or a file that could not be scored.
    """
    if isinstance(result, UnscoredFile):
        return {
            "file": str(result.file),
            "error_type": type(result.error).__name__,
            "error_message": str(result.error),
        }
    return {
        "file": str(result.file),
        "sop_instance_uid": result.radiograph.sop_instance_uid or "",
        **_score_cells(result),
        "quality_ok": "true" if result.quality.ok else "false",
        "warnings": SEPARATOR.join(result.quality.warnings),
        "model": result.model.name,
        "precision": result.model.precision,
        "sha256": result.model.sha256,
        "variant": result.model.variant,
        "notice": RESEARCH_USE,
    }


def _score_cells(result: ScoredRadiograph) -> dict[str, float]:
    score = result.score
    return {
        **{item.zone.value: item.score for item in score.zones},
        "global": score.global_score,
        **{f"expected_{item.zone.value}": round(item.expected, _DIGITS) for item in score.zones},
        "expected_global": round(score.expected_global, _DIGITS),
    }
