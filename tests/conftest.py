"""Builders that tests of every room share."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.results import (
    ModelIdentity,
    Prediction,
    Quality,
    ScoredRadiograph,
    Timing,
)
from brixia_edge.runtime.scores import BrixiaScore
from numpy.typing import NDArray

UPRIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
"""The alignment that leaves the image as it is."""

SCORES = (0, 1, 2, 3, 2, 1)
"""Scores of the zones A to F: nine in sum, and all four grades occur."""


@pytest.fixture
def lung_mask() -> NDArray[np.float32]:
    """Two upright rectangles: rows 100 to 399, columns 80 to 219 and 290 to 429."""
    mask = np.zeros((512, 512), np.float32)
    mask[100:400, 80:220] = 1.0
    mask[100:400, 290:430] = 1.0
    return mask


@pytest.fixture
def make_radiograph() -> Callable[..., Radiograph]:
    """Build a radiograph of rows and columns, a smooth ramp of greys, or of other pixels."""

    def make(
        size: tuple[int, int] = (600, 640),
        pixels: NDArray[np.float64] | None = None,
        form: str = "PNG",
        uid: str | None = None,
        warnings: Sequence[str] = (),
    ) -> Radiograph:
        ramp = np.linspace(0.1, 0.9, size[0] * size[1], dtype=np.float64).reshape(size)
        return Radiograph(ramp if pixels is None else pixels, form, uid, (), tuple(warnings))

    return make


@pytest.fixture
def make_result(
    lung_mask: NDArray[np.float32], make_radiograph: Callable[..., Radiograph]
) -> Callable[..., ScoredRadiograph]:
    """Build a scored radiograph; every argument has a default."""

    def make(
        file: Path | str = "chest.png",
        radiograph: Radiograph | None = None,
        alignment: Sequence[Sequence[float]] = UPRIGHT,
        mask: NDArray[np.float32] = lung_mask,
        warnings: Sequence[str] = (),
    ) -> ScoredRadiograph:
        probabilities = np.full((6, 4), 0.1, np.float32)
        probabilities[np.arange(6), SCORES] = 0.7
        return ScoredRadiograph(
            file=Path(file),
            radiograph=radiograph or make_radiograph(),
            prediction=Prediction(probabilities, mask, np.array(alignment, np.float32)),
            score=BrixiaScore.from_probabilities(probabilities),
            quality=Quality(tuple(warnings)),
            model=ModelIdentity("bsnet-test", "fp32", "0123456789abcdef" * 4),
            timing=Timing(read=1.25, prepare=2.5, infer=300.0, total=303.8),
        )

    return make
