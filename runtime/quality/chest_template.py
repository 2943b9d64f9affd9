"""How an image lies: upright and positive, or turned, mirrored, a negative; no chest at all.

The image and the network's lung mask, cut out round the lungs and shrunk to 12 x 12 pixels, are
compared with one linear template. The same is done for each of the 16 ways in which the picture can
be laid (four quarter turns, mirrored or not, positive or negative). A frontal chest radiograph fits
best as it lies: lungs dark and side by side, narrow above, the heart low on the image's right.

The template's 288 weights are in ``chest_template.json``. `brixia_edge.calibration.chest_template`
made them, makes them again from any folder of upright radiographs, and measures them by
cross-validation. They are about what a mask shows, which any well-trained BS-Net gives, but were
measured with the research weights alone. A heart on the right (dextrocardia) looks mirrored.
"""

import json
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 12
"""Rows and columns of a patch."""

REDUCED = 128
"""Rows and columns to which image and mask are shrunk before anything is measured on them."""

_REACH = 2.0  # standard deviations of the lungs' pixels; 1.73 would just hold a rectangle
_CONTRAST = 0.3  # what a patch's greys are scaled to, so that image and mask weigh alike
_NEGATIVE = np.array([-1, 1], np.float32)[:, None, None]
_FILE = Path(__file__).with_name("chest_template.json")

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Placement:
    """One way of laying a picture: mirrored left for right, then turned, then made a negative."""

    negative: bool = False
    quarter_turns: int = 0
    mirrored: bool = False

    def lay(self, patch: Array) -> Array:
        """Lay patches ``[..., 2, SIZE, SIZE]`` so; turns are anticlockwise."""
        mirrored = patch[..., ::-1] if self.mirrored else patch
        turned = np.rot90(mirrored, self.quarter_turns, axes=(-2, -1))
        return turned * _NEGATIVE if self.negative else turned

    def __str__(self) -> str:
        turns = {1: "turned by 90 degrees anticlockwise", 2: "turned by 180 degrees"}
        turns[3] = "turned by 90 degrees clockwise"
        words = (
            "as a negative" if self.negative else "",
            "mirrored" if self.mirrored else "",
            turns.get(self.quarter_turns, ""),
        )
        return " and ".join(filter(None, words)) or "as it is"


PLACEMENTS = tuple(Placement(*each) for each in product((False, True), range(4), (False, True)))
"""All 16, the image as it is first."""


@dataclass(frozen=True)
class ChestTemplate:
    """What an upright frontal chest radiograph looks like in a patch.

    Attributes
    ----------
    weights
        float32 ``[2, SIZE, SIZE]``, of the image and of the lung mask.
    lungs
        float32 ``[SIZE, SIZE]``: the mean lung mask, 0.0 to 1.0.
    """

    weights: Array
    lungs: Array

    def fits(self, patches: Array) -> NDArray[np.float64]:
        """How well patches ``[..., 2, SIZE, SIZE]`` fit in each placement, ``[..., 16]``.

        Differences are log odds: exp(fits) divided by their sum is the share of each placement.
        """
        laid = np.stack([placement.lay(patches) for placement in PLACEMENTS], axis=-4)
        return np.einsum("...cij,cij->...", laid.astype(np.float64), self.weights)


@dataclass(frozen=True)
class PlacementMeasures:
    """How an image lies, as far as image and mask tell.

    Attributes
    ----------
    likeness
        Correlation of the lung mask with a chest's mean one, -1.0 to 1.0.
    best
        The other placement in which the image fits a chest best.
    advantage
        By how much it fits better there than as it is, in log odds; below 0 it fits worse.
    """

    likeness: float
    best: Placement
    advantage: float


@cache
def shipped_template() -> ChestTemplate:
    """Give the template that comes with the package."""
    stored = json.loads(_FILE.read_text(encoding="utf-8"))
    return ChestTemplate(np.array(stored["weights"], np.float32), np.array(stored["lungs"], "f4"))


def measure_placement(image: Array, mask: Array, template: ChestTemplate) -> PlacementMeasures:
    """Measure how an image lies.

    Parameters
    ----------
    image, mask
        float32, square: the network's input and its lung mask, 0.0 to 1.0. Without any lung
        (nor a number) in the mask all measures are not a number.
    template
        What to compare with.
    """
    if not float(mask.sum()) > 0.0:
        return PlacementMeasures(float("nan"), PLACEMENTS[0], float("nan"))
    patch = chest_patch(reduce_image(image), reduce_image(mask))
    fits = template.fits(patch)
    best = 1 + int(np.argmax(fits[1:]))
    return PlacementMeasures(
        likeness=_correlation(patch[1], template.lungs),
        best=PLACEMENTS[best],
        advantage=float(fits[best] - fits[0]),
    )


def reduce_image(image: Array) -> Array:
    """Shrink a square image to `REDUCED` rows and columns."""
    size = (REDUCED, REDUCED)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


def chest_patch(image: Array, mask: Array, jitter: tuple[float, ...] = (0, 0, 0, 0, 0)) -> Array:
    """Cut out the surroundings of the lungs: their centre, two standard deviations to each side.

    Parameters
    ----------
    image, mask
        float32 ``[REDUCED, REDUCED]``; the mask holds some lung.
    jitter
        Shift to the right and down and growth in width and height, in parts of the patch, and a
        turn in radians: to make several patches of one image.

    Returns
    -------
    NDArray[np.float32]
        ``[2, SIZE, SIZE]``: the image with mean 0 and its contrast made even, and the mask.
    """
    centre_x, reach_x = _spread(mask.sum(axis=0, dtype=np.float64))
    centre_y, reach_y = _spread(mask.sum(axis=1, dtype=np.float64))
    right, down, wider, higher, turn = jitter
    step = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    across, along = np.meshgrid(step, step)
    x = across * np.cos(turn) - along * np.sin(turn)
    y = across * np.sin(turn) + along * np.cos(turn)
    columns = (centre_x + reach_x * (right + x * (1 + wider))).astype(np.float32)
    rows = (centre_y + reach_y * (down + y * (1 + higher))).astype(np.float32)
    blur = (reach_x / SIZE, reach_y / SIZE)
    return np.stack(
        [_evened(_sampled(image, columns, rows, blur)), _sampled(mask, columns, rows, blur)]
    )


def _spread(profile: NDArray[np.float64]) -> tuple[float, float]:
    """Give the centre of a profile, and how far a patch reaches to each side, in pixels."""
    places = np.arange(len(profile))
    weights = profile / profile.sum()
    centre = float(weights @ places)
    return centre, _REACH * max(float(weights @ (places - centre) ** 2), 1.0) ** 0.5


def _sampled(image: Array, columns: Array, rows: Array, blur: tuple[float, float]) -> Array:
    smooth = cv2.GaussianBlur(image, (0, 0), sigmaX=blur[0], sigmaY=blur[1])
    sampled = cv2.remap(smooth, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)


def _evened(patch: Array) -> Array:
    return _CONTRAST * (patch - patch.mean()) / (patch.std() + 1e-3)


def _correlation(one: Array, other: Array) -> float:
    first, second = one - one.mean(), other - other.mean()
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size else 0.0
