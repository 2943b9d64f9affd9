"""The network that the golden files were made with."""

from pathlib import Path

import numpy as np
import pytest
from brixia_edge.export.graph.graph import Graph
from brixia_edge.export.network.network import build_network
from brixia_edge.export.network.weights import WeightStore
from make_models import BORDER_BIAS
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.float32]]


@pytest.fixture(scope="session")
def seeded_weights(seeded_tensors: Tensors) -> WeightStore:
    return WeightStore(seeded_tensors)


@pytest.fixture(scope="session")
def seeded_network(seeded_weights: WeightStore) -> Graph:
    return build_network(seeded_weights)


@pytest.fixture
def border_weights(seeded_tensors: Tensors) -> WeightStore:
    bias = np.array(BORDER_BIAS, np.float32)
    return WeightStore(seeded_tensors | {"stn/locnet_alignment/bias": bias})


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    return Path(__file__).parents[1] / "golden"
