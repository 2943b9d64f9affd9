"""Raters made up for tests, and the real ones where they are at hand."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.benchmarks.evaluation.results import EXPECTED, READER, SCORE
from brixia_edge.benchmarks.evaluation.statistics.raters import Pair, Rater
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]


@pytest.fixture
def probabilities() -> Probabilities:
    """float64 ``[60, 6, 4]``: a network that is neither sure nor always right."""
    logits = np.random.default_rng(3).standard_normal((60, 6, 4)) * 1.5
    exponents = np.exp(logits)
    return exponents / exponents.sum(axis=2, keepdims=True)


@pytest.fixture
def truth(probabilities: Probabilities) -> NDArray[np.int64]:
    """int64 ``[60, 6]``: a radiologist whom the network resembles."""
    generator = np.random.default_rng(4)
    off = generator.choice([-1, 0, 0, 1], probabilities.shape[:2])
    return np.clip(probabilities.argmax(axis=2) + off, 0, 3)


@pytest.fixture
def reader(truth: NDArray[np.int64]) -> Rater:
    """That radiologist, who has scored every image."""
    return Rater("S", READER, truth.astype(np.float64), truth, np.ones(len(truth), np.bool_))


@pytest.fixture
def pairs(probabilities: Probabilities, reader: Rater) -> Mapping[str, Pair]:
    """The network, read in both ways, beside the radiologist."""
    scores = probabilities.argmax(axis=2)
    everywhere = np.ones(len(scores), np.bool_)
    raters = (
        Rater("fp32", SCORE, scores.astype(np.float64), scores, everywhere, probabilities),
        Rater("fp32", EXPECTED, probabilities @ np.arange(4), None, everywhere, probabilities),
    )
    return {rater.kind: Pair.of(rater, reader) for rater in raters}


@pytest.fixture(scope="session")
def reference_probabilities(
    shared: Callable[[str], Path],
) -> Mapping[str, NDArray[np.float32]]:
    """float32 ``[6, 4]`` by file name: what the original network gave for the shared images."""
    with shared("bsnet-cohen/reference.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["filename"]: np.array(
                [[float(row[f"{zone}{score}"]) for score in range(4)] for zone in "ABCDEF"],
                np.float32,
            )
            for row in csv.DictReader(file)
        }
