"""Radiologists' zone scores for measured images, read from the BrixIA project's CSV form."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..runtime.errors import CalibrationError
from ..runtime.scores import SCORES, Zone

Annotations = dict[str, NDArray[np.int64]]
_COLUMNS = tuple(f"S-{zone.value}" for zone in Zone)


def read_annotations(path: Path) -> Annotations:
    """Read the senior radiologist's scores of ``public-annotations.csv``.

    Returns
    -------
    int64 ``[6]``, zones A to F, by file name.

    Raises
    ------
    CalibrationError
        The file cannot be read, lacks a column, or holds a score other than 0 to 3.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise CalibrationError(f"annotations {path} cannot be read: {error}") from error
    if not rows:
        raise CalibrationError(f"annotations {path} hold no row; give a CSV with annotations")
    columns = set(rows[0])
    if missing := [name for name in ("filename", *_COLUMNS) if name not in columns]:
        raise CalibrationError(
            f"annotations {path} lack the columns {', '.join(missing)}; "
            "give a CSV in the form of public-annotations.csv"
        )
    return {row["filename"]: _scores(row, path) for row in rows}


def _scores(row: dict[str, str], path: Path) -> NDArray[np.int64]:
    values = [row[column] for column in _COLUMNS]
    if any(value not in {str(score) for score in SCORES} for value in values):
        raise CalibrationError(
            f"annotations {path}, {row['filename']}: the scores are {values}; 0 to 3 are allowed"
        )
    return np.array([int(value) for value in values])
