"""The golden files, and weights of which one of them was made."""

from pathlib import Path

import numpy as np
import pytest
from brixia_edge.export.network.weights import WeightStore
from make_models import BORDER_BIAS
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.float32]]


@pytest.fixture
def border_weights(seeded_tensors: Tensors) -> WeightStore:
    bias = np.array(BORDER_BIAS, np.float32)
    return WeightStore(seeded_tensors | {"stn/locnet_alignment/bias": bias})


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    return Path(__file__).parents[1] / "golden"
