"""A `Radiograph` becomes the network's input, the way the bundle's `PreprocessSpec` states.

A BS-Net only works on images prepared as those it was trained on. Two recipes are public, both of
the original authors (BrixIA/Brixia-score-COVID-19, ``src/datasets``); both resize first:

``equalize``
    Histogram equalisation over 4096 grey levels (``brixiascore_cohen.py``).
``clahe``
    Contrast-limited adaptive equalisation, a median and a stretch between percentiles
    (``utils.preprocess``, which the original and its reusers apply to the image of 512 x 512).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract import INPUT_SIZE
from ..errors import BundleError
from ..files import digest
from ..radiograph import Radiograph
from .clahe import equalize_adaptive
from .resize import resized_shades

_LEVELS = 4096


@dataclass(frozen=True)
class PreprocessSpec:
    """How a bundle wants its images prepared.

    Attributes
    ----------
    recipe
        ``equalize`` or ``clahe``; see the module.
    size
        Rows and columns of the network's input: `contract.INPUT_SIZE`, as manifests say it.

    Raises
    ------
    BundleError
        The recipe or the size is not one of those allowed.
    """

    recipe: str
    size: int = INPUT_SIZE

    def __post_init__(self) -> None:
        if self.recipe not in _RECIPES:
            allowed = ", ".join(_RECIPES)
            raise BundleError(
                f"the bundle's preprocess recipe is {self.recipe!r}; {allowed} are allowed. "
                "Export the bundle again, or update brixia-edge"
            )
        if self.size != INPUT_SIZE:
            raise BundleError(
                f"the bundle's preprocess size is {self.size!r}; only {INPUT_SIZE} is allowed, "
                "that of a BS-Net's input. Export the bundle again"
            )

    def to_dict(self) -> dict[str, object]:
        """Give the form that a manifest stores."""
        return {"recipe": self.recipe, "size": self.size}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "PreprocessSpec":
        """Read the form that a manifest stores.

        Raises
        ------
        BundleError
            A key is unknown or missing, or a value is not allowed.
        """
        recipe, size = values.get("recipe"), values.get("size", INPUT_SIZE)
        unknown = sorted(set(values) - {"recipe", "size"})
        if unknown or not isinstance(recipe, str) or type(size) is not int:
            raise BundleError(
                f"the bundle's preprocess entry is {dict(values)!r}; it must hold recipe "
                f"({', '.join(_RECIPES)}) and size ({INPUT_SIZE}), and nothing else"
            )
        return cls(recipe, size)

    @property
    def digest(self) -> str:
        """The sha256 of the canonical JSON form, in hexadecimal: equal for equal recipes."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return digest(text.encode())


def preprocess(radiograph: Radiograph, spec: PreprocessSpec) -> NDArray[np.float32]:
    """Prepare one radiograph for the network.

    Returns
    -------
    NDArray[np.float32]
        ``[1, 1, size, size]``, 0 to 1. An image without any contrast gives zeros under
        ``clahe``, and zeros (black) or ones (any other grey) under ``equalize``: never NaN.
    """
    # The original does not keep the aspect ratio, and learnt so.
    prepared = _RECIPES[spec.recipe](resized_shades(radiograph, spec.size))
    return np.ascontiguousarray(prepared, np.float32)[None, None]


def _equalize(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Equalise the histogram as PIL does, on 4096 levels, and divide by the maximum."""
    levels = ((_LEVELS - 1) * image).astype(np.int32)
    histogram = np.bincount(levels.ravel(), minlength=_LEVELS)
    step = int(histogram.sum() - histogram[np.flatnonzero(histogram)[-1]]) // _LEVELS
    if step:
        levels = _equalizing_table(histogram, step)[levels]
    brightest = int(levels.max())
    # The original divides 0 by 0 here; an all-black image stays black instead.
    return levels / max(brightest, 1)


def _equalizing_table(histogram: NDArray[np.intp], step: int) -> NDArray[np.intp]:
    # Not clipped to 4095: the original's table reaches 4096, which its division then absorbs.
    table = (np.cumsum(histogram) + step // 2) // step
    return np.clip(np.concatenate(([0], table[:-1])), 0, _LEVELS)


def _clahe(image: NDArray[np.float64]) -> NDArray[np.float32]:
    """Equalise adaptively, take the 3x3 median, stretch between the 2nd and 98th percentile."""
    if image.max() <= image.min():
        return np.zeros(image.shape, np.float32)
    scaled = image.astype(np.float32) / np.float32(image.max())
    median = np.asarray(cv2.medianBlur(equalize_adaptive(scaled), 3), np.float32)
    lower, upper = np.percentile(median, (2, 98))
    if upper <= lower:
        return np.zeros(image.shape, np.float32)
    return ((np.clip(median, lower, upper) - lower) / (upper - lower)).astype(np.float32)


def preparation_steps(spec: PreprocessSpec) -> tuple[str, ...]:
    """Tell what `preprocess` does, one sentence each, in order."""
    size = f"resized to {spec.size} x {spec.size}, bilinear; the aspect ratio is not kept"
    return (size, *_STEPS[spec.recipe])


_STEPS: Mapping[str, tuple[str, ...]] = {
    "equalize": (
        f"histogram equalised over {_LEVELS} grey levels",
        "divided by its maximum",
    ),
    "clahe": (
        "divided by its maximum",
        "histogram equalised adaptively in 8 x 8 tiles, contrast limited to 0.01",
        "median of 3 x 3 pixels",
        "stretched between the 2nd and the 98th percentile",
    ),
}

_RECIPES: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.floating]]] = {
    "equalize": _equalize,
    "clahe": _clahe,
}

RECIPES = tuple(_RECIPES)
"""The names of the recipes."""
