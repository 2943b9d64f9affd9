"""``scores.csv``: one row for each image and rater, for spreadsheets and data frames."""

from collections.abc import Iterator, Mapping
from typing import TextIO

from ....runtime.reports.csv_rows import CsvRows
from ....runtime.scores import SCORES
from ..results import READER, BundleScores, EvaluatedImage, Evaluation
from ..statistics.agreement import ZONES

BUNDLE = "bundle"
"""The kind of a bundle's row, which holds its scores and its expected scores."""

COLUMNS = (
    "file",
    "rater",
    "kind",
    *ZONES,
    "global",
    *(f"expected_{zone}" for zone in ZONES),
    "expected_global",
    *(f"probability_{zone}{score}" for zone in ZONES for score in SCORES),
    "warnings",
    "notice",
)
"""The header. Of a reader's row the columns of expected scores and probabilities are empty."""

_DIGITS = 6


def write_scores(evaluation: Evaluation, stream: TextIO) -> None:
    """Write the table; a file is to be opened with ``newline=""``."""
    rows = CsvRows(stream)
    rows.write(COLUMNS)
    for image in evaluation.images:
        for row in _rows(image):
            cells = {"file": image.file, **row, "notice": evaluation.notice}
            rows.write(cells.get(column, "") for column in COLUMNS)


def _rows(image: EvaluatedImage) -> Iterator[Mapping[str, str | float]]:
    for reader, zones in image.readers.items():
        yield {"rater": reader, "kind": READER, **_cells("", zones)}
    for label, scores in image.bundles.items():
        yield {
            "rater": label,
            "kind": BUNDLE,
            **_cells("", scores.score),
            **_cells("expected_", scores.expected),
            **_probabilities(scores),
            "warnings": " | ".join(scores.warnings),
        }


def _cells(prefix: str, zones: tuple[float, ...]) -> dict[str, float]:
    named = {f"{prefix}{zone}": _short(value) for zone, value in zip(ZONES, zones, strict=True)}
    return {**named, f"{prefix}global": _short(sum(zones))}


def _probabilities(scores: BundleScores) -> dict[str, float]:
    return {
        f"probability_{zone}{score}": _short(value)
        for zone, values in zip(ZONES, scores.probabilities, strict=True)
        for score, value in zip(SCORES, values, strict=True)
    }


def _short(value: float) -> float:
    """Whole numbers stay whole, so that a score reads 2 and not 2.0."""
    return int(value) if value == int(value) else round(value, _DIGITS)
