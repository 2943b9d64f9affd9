"""Both recipes against independent implementations, and at their edges."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.errors import BundleError
from brixia_edge.runtime.preparation.clahe import equalize_adaptive
from brixia_edge.runtime.preparation.preprocess import PreprocessSpec, preprocess
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.reading.read import read_radiograph
from numpy.typing import NDArray

TOLERANCE = 1 / 4096
Image = NDArray[np.float64]


def radiograph(pixels: Image) -> Radiograph:
    shades, codes = np.unique(pixels, return_inverse=True)
    return Radiograph(codes.astype(np.uint32), shades, "PNG")


def chest_like(rows: int, columns: int, seed: int) -> Image:
    """Two dark lobes on a bright ground, with noise: a histogram with peaks and a tail."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    lungs = np.exp(-(((abs(x) - 0.4) / 0.25) ** 2) - (y / 0.6) ** 2)
    image = 0.75 - 0.5 * lungs + 0.05 * random.standard_normal((rows, columns))
    image[: rows // 10] = 0
    return np.clip(image, 0, 0.9)


def plain_equalize(pixels: Image) -> Image:
    """Recipe (a), one grey level at a time."""
    resized = cv2.resize(pixels, (512, 512))
    levels = [int(4095 * value) for value in np.asarray(resized).ravel().tolist()]
    counts = [0] * 4096
    for level in levels:
        counts[level] += 1
    last = max(level for level in range(4096) if counts[level])
    step = (sum(counts) - counts[last]) // 4096
    if step:
        table, total = [0], 0
        for count in counts[:-1]:
            total += count
            table.append(min((total + step // 2) // step, 4096))
        levels = [table[level] for level in levels]
    return np.array(levels, np.float64).reshape(512, 512) / max(levels)


def skimage_clahe(pixels: Image) -> Image:
    """Recipe (b) by scikit-image, in the precision that NumPy 1 gave the original."""
    exposure = pytest.importorskip("skimage.exposure")
    filters = pytest.importorskip("skimage.filters")
    resized = np.asarray(cv2.resize(pixels, (512, 512)), np.float32)
    equalized = exposure.equalize_adapthist(resized / resized.max(), clip_limit=0.01)
    median: NDArray[np.float32] = filters.median(equalized, np.ones((3, 3))).astype(np.float32)
    lower, upper = (float(np.percentile(median, share)) for share in (2, 98))
    return np.asarray((np.clip(median, lower, upper) - lower) / (upper - lower), np.float64)


REFERENCES = {"equalize": plain_equalize, "clahe": skimage_clahe}


@pytest.mark.parametrize("recipe", REFERENCES)
@pytest.mark.parametrize("shape", [(512, 512), (700, 433), (90, 130)])
def test_recipe_equals_an_independent_implementation(recipe: str, shape: tuple[int, int]) -> None:
    pixels = chest_like(*shape, seed=shape[0])
    prepared = preprocess(radiograph(pixels), PreprocessSpec(recipe))
    assert prepared.shape == (1, 1, 512, 512)
    assert prepared.dtype == np.float32
    assert np.abs(prepared[0, 0] - REFERENCES[recipe](pixels)).max() <= TOLERANCE


@pytest.mark.parametrize("recipe", REFERENCES)
def test_recipe_equals_the_reference_on_real_images(
    recipe: str, shared: Callable[[str], Path]
) -> None:
    for path in sorted(shared("cohen/images").iterdir())[::25]:
        image = read_radiograph(path)
        prepared = preprocess(image, PreprocessSpec(recipe))
        assert np.abs(prepared[0, 0] - REFERENCES[recipe](image.pixels)).max() <= TOLERANCE, path


@pytest.mark.parametrize("recipe", REFERENCES)
@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_image_without_contrast_gives_no_nan(recipe: str, grey: float) -> None:
    prepared = preprocess(radiograph(np.full((20, 30), grey)), PreprocessSpec(recipe))
    assert np.isfinite(prepared).all()
    assert np.ptp(prepared) == 0


def test_equalize_leaves_nearly_constant_image_as_it_is() -> None:
    pixels = np.full((512, 512), 0.5)
    pixels[:5, :5] = 0.25
    prepared = preprocess(radiograph(pixels), PreprocessSpec("equalize"))[0, 0]
    assert prepared[0, 0] == pytest.approx(1023 / 2047)


def test_clahe_of_nearly_constant_image_gives_no_nan() -> None:
    pixels = np.zeros((512, 512))
    pixels[100, 100] = 1
    assert np.isfinite(preprocess(radiograph(pixels), PreprocessSpec("clahe"))).all()


@pytest.mark.parametrize("shape", [(512, 512), (500, 333), (17, 40)])
@pytest.mark.parametrize("clip_limit", [0.01, 0.003])
def test_adaptive_equalization_equals_scikit_image(
    shape: tuple[int, int], clip_limit: float
) -> None:
    exposure = pytest.importorskip("skimage.exposure")
    image = chest_like(*shape, seed=3).astype(np.float32)
    expected = exposure.equalize_adapthist(image, clip_limit=clip_limit)
    assert np.abs(equalize_adaptive(image, clip_limit) - expected).max() < 1e-6


def test_contrast_below_16_bits_gives_no_nan() -> None:
    pixels = np.full((64, 64), 0.5)
    pixels[10, 10] += 1e-6
    assert not preprocess(radiograph(pixels), PreprocessSpec("clahe")).any()


def test_spec_survives_its_dictionary() -> None:
    spec = PreprocessSpec("clahe")
    assert PreprocessSpec.from_dict(spec.to_dict()) == spec


def test_digest_tells_recipes_apart_and_stays() -> None:
    assert PreprocessSpec("equalize").digest != PreprocessSpec("clahe").digest
    # Bundles on disk hold this digest: a change of the canonical form would orphan them.
    assert PreprocessSpec("equalize").digest == (
        "ef81825d448c52ecc906808d4b3e0c06a47652eff317f9d63fb51f7c53bce709"
    )


@pytest.mark.parametrize(
    "values",
    [
        {"recipe": "gamma", "size": 512},
        {"size": 512},
        {"recipe": "clahe", "size": "512"},
        {"recipe": "clahe", "size": True},
        {"recipe": "clahe", "size": 0},
        {"recipe": "clahe", "size": 256},
        {"recipe": "clahe", "size": 513},
        {"recipe": "clahe", "size": 512, "crop": 1},
    ],
)
def test_spec_that_this_version_does_not_know_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(BundleError, match=r"equalize, clahe|size"):
        PreprocessSpec.from_dict(values)
