"""The whole way from a real image file to probabilities, against the original network's own.

``reference.csv`` holds what the original network (TensorFlow 2.15) and its own preparation gave.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.runtime.results import ScoredRadiograph
from brixia_edge.runtime.scorer import Scorer

SHARED = Path(__file__).parents[2] / "shared"
SOME = 10
"""Every so-manieth image is scored in the default run; the slow run scores all 138."""

Row = dict[str, str]


def reference_rows() -> list[Row]:
    path = SHARED / "bsnet-cohen" / "reference.csv"
    if not path.exists():
        pytest.skip(f"{path} is absent: the annotated radiographs are not on this machine")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def scored(rows: list[Row]) -> Iterator[tuple[Row, ScoredRadiograph]]:
    with Scorer() as scorer:
        for row in rows:
            yield row, scorer.score(SHARED / "cohen" / "images" / row["filename"])


def check_against_the_original(rows: list[Row]) -> None:
    """The shipped bundle stores float16, so this also shows what the storage costs."""
    for row, result in scored(rows):
        columns = [[float(row[f"{zone}{score}"]) for score in range(4)] for zone in "ABCDEF"]
        reference = np.array(columns)
        actual = result.prediction.probabilities
        assert np.abs(actual - reference).max() <= 2e-3, row["filename"]
        assert [zone.score for zone in result.score.zones] == reference.argmax(axis=1).tolist()
        assert result.score.expected_global == pytest.approx(
            (reference @ np.arange(4)).sum(), abs=0.01
        )
        theta = [float(row[f"t{index}"]) for index in range(6)]
        np.testing.assert_allclose(result.prediction.alignment.ravel(), theta, atol=1e-3)


def test_probabilities_are_those_of_the_original_network() -> None:
    check_against_the_original(reference_rows()[::SOME])


@pytest.mark.slow
def test_all_probabilities_are_those_of_the_original_network() -> None:
    check_against_the_original(reference_rows())
