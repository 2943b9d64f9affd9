"""Builders that tests of every room share."""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from brixia_edge.export.graph.graph import Graph
from brixia_edge.export.network.architecture import weight_shapes
from brixia_edge.export.network.network import build_network
from brixia_edge.export.network.weights import WeightStore
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.preparation.preprocess import PreprocessSpec
from brixia_edge.runtime.quality import quality
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.results import (
    ModelIdentity,
    Prediction,
    Quality,
    ScoredRadiograph,
    Timing,
)
from brixia_edge.runtime.scores import BrixiaScore
from gpu_fixtures import bundle_for, install
from make_models import UPRIGHT, seeded, tiny_model, write_keras
from numpy.typing import NDArray

__all__ = ["bundle_for", "install"]
"""Fixtures that are defined elsewhere."""

# Hypothesis, which schemathesis brings, else leaves a folder in the source tree.
os.environ.setdefault(
    "HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir()) / "brixia-edge-hypothesis")
)

SHARED = Path(__file__).parents[2] / "shared"

SCORES = (0, 1, 2, 3, 2, 1)
"""Scores of the zones A to F: nine in sum, and all four grades occur."""


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Give the path of a shared real file, or skip the test where it is absent."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"{path} is absent: the shared real files are not on this machine")
        return path

    return find


@pytest.fixture
def lenient_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take drawn rectangles for a chest, which the frontal chest gate would not."""
    limits = replace(quality.LIMITS, greatest_advantage=np.inf, least_likeness=-np.inf)
    monkeypatch.setattr(quality, "judge", partial(quality.judge, limits=limits))


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
        shades, codes = np.unique(
            np.round(ramp if pixels is None else pixels, 6), return_inverse=True
        )
        return Radiograph(codes.astype(np.uint32), shades, form, uid, (), tuple(warnings))

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


@pytest.fixture(scope="session")
def tiny_manifest() -> Manifest:
    """The manifest of `tiny_bundle`, before its files are known."""
    shapes = {"probabilities": [6, 4], "lung_mask": [1, 512, 512], "alignment": [2, 3]}
    return Manifest(
        name="tiny",
        licence="MIT",
        intended_use="Research use only.",
        variant="a mean and a softmax",
        weights_sha256="ab" * 32,
        precision="fp32",
        preprocess=PreprocessSpec("equalize"),
        inputs={"image": {"dtype": "float32", "shape": ["N", 1, 512, 512]}},
        outputs={
            name: {"dtype": "float32", "shape": ["N", *shape]}
            for name, shape in (shapes | {"zone_evidence": [6, 4, 16, 16]}).items()
        },
        max_batch=4,
        built_with={"onnx": "any"},
    )


@pytest.fixture
def tiny_bundle(tmp_path: Path, tiny_manifest: Manifest) -> Bundle:
    """A bundle with BS-Net's contract that scores by the image's mean brightness.

    The logit of score s is s times the mean; the lung mask is the image turned dark for bright.
    """
    return write_bundle(tmp_path / "tiny-bundle", tiny_manifest, {"model.onnx": tiny_model()})


@pytest.fixture
def tiny_light_bundle(tmp_path: Path, tiny_manifest: Manifest) -> Bundle:
    """`tiny_bundle` as a light network: of the same name and precision, with weights of its own."""
    exact = tiny_manifest.weights_sha256
    manifest = replace(tiny_manifest, weights_sha256="cd" * 32, exact_weights_sha256=exact)
    return write_bundle(tmp_path / "tiny-light", manifest, {"model.onnx": tiny_model()})


@pytest.fixture
def chest_png(tmp_path: Path) -> Path:
    """A grey picture with a bright body and two dark lungs."""
    picture = np.full((400, 420), 200, np.uint8)
    noise = np.random.default_rng(1).integers(0, 40, picture.shape).astype(np.uint8)
    picture[60:340, 60:190] = 70
    picture[60:340, 230:360] = 70
    path = tmp_path / "chest.png"
    path.write_bytes(cv2.imencode(".png", picture + noise)[1].tobytes())
    return path


Tensors = dict[str, NDArray[np.float32]]


@pytest.fixture(scope="session")
def seeded_tensors() -> Tensors:
    """Every weight of BS-Net, made from its name; the golden files were made with these."""
    return {name: seeded(name, shape) for name, shape in weight_shapes().items()}


@pytest.fixture(scope="session")
def seeded_weights(seeded_tensors: Tensors) -> WeightStore:
    return WeightStore(seeded_tensors)


@pytest.fixture(scope="session")
def seeded_network(seeded_weights: WeightStore) -> Graph:
    """The network that the golden files were made with, layer by layer."""
    return build_network(seeded_weights)


@pytest.fixture
def keras_file(tmp_path: Path) -> Callable[..., Path]:
    """Write tensors as a Keras 2 file; see the keyword arguments of `write_keras`."""

    def write(tensors: Tensors, name: str = "bscore-model.h5", **how: Any) -> Path:
        path = tmp_path / name
        write_keras(path, tensors, **how)
        return path

    return write
