"""What can be measured on a radiograph and its prediction that tells whether to trust a score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import LUNG_THRESHOLD
from ..radiograph import Radiograph
from ..results import Prediction
from .chest_template import PlacementMeasures, measure_placement, shipped_template

_SAMPLE_PIXELS = 65_536  # grey levels are judged on about so many; more cost time and tell no more
_EXTREME = 0.02  # as near to black or white no structure shows
_BRIGHTEST_LEVEL = 255  # the finest step that a screen, and so the eye, tells apart


@dataclass(frozen=True)
class AlignmentMeasures:
    """The alignment taken apart: mirror, then shear, scale, rotation, shift.

    Attributes
    ----------
    mirrored
        Whether the map turns left into right.
    rotation
        Degrees by which the aligned image lies turned in the input, clockwise.
    shear
        Degrees by which the aligned frame's corners differ from right angles.
    horizontal_scale, vertical_scale
        Size of the aligned frame; 1.0 is the whole input.
    horizontal_shift, vertical_shift
        Place of the aligned frame's centre; 0.0 is the input's centre, 1.0 its edge.
    """

    mirrored: bool
    rotation: float
    shear: float
    horizontal_scale: float
    vertical_scale: float
    horizontal_shift: float
    vertical_shift: float


@dataclass(frozen=True)
class QualityMeasures:
    """What is known about one radiograph before it is judged.

    Attributes
    ----------
    lung_share
        Share of the input that the network takes for lung, 0.0 to 1.0.
    alignment
        How the network turned the image upright.
    placement
        How the image lies: upright and positive, or not.
    grey_levels
        How many of 256 grey levels occur.
    extreme_share
        Share of pixels that are all but black or white, 0.0 to 1.0.
    commonest_share
        Share of the network's input that has one and the same value, 0.0 to 1.0.
    aspect_ratio
        Columns by rows.
    shorter_side
        Pixels.
    """

    lung_share: float
    alignment: AlignmentMeasures
    placement: PlacementMeasures
    grey_levels: int
    extreme_share: float
    commonest_share: float
    aspect_ratio: float
    shorter_side: int


def measure_quality(
    radiograph: Radiograph, image: NDArray[np.float32], prediction: Prediction
) -> QualityMeasures:
    """Measure; nothing is judged here.

    Parameters
    ----------
    radiograph
        As read from the file.
    image
        float32 ``[1, 1, 512, 512]``, the network's input.
    prediction
        The network's outputs for it.
    """
    rows, columns = radiograph.rows, radiograph.columns
    sample = _sample_of(radiograph)
    return QualityMeasures(
        lung_share=lung_share(prediction.lung_mask),
        alignment=measure_alignment(prediction.alignment),
        placement=measure_placement(image[0, 0], prediction.lung_mask, shipped_template()),
        grey_levels=len(np.unique(np.round(sample * _BRIGHTEST_LEVEL))),
        extreme_share=float(np.mean((sample < _EXTREME) | (sample > 1.0 - _EXTREME))),
        commonest_share=_commonest_share(image),
        aspect_ratio=columns / rows,
        shorter_side=min(rows, columns),
    )


def measure_alignment(alignment: NDArray[np.float32]) -> AlignmentMeasures:
    """Take an affine map apart.

    Parameters
    ----------
    alignment
        float32 ``[2, 3]``, as `Prediction.alignment`. A map that squeezes the image to a line
        gives a shear or scales that are 0, 90 or not a number, none of them plausible.
    """
    (xx, xy, shift_x), (yx, yy, shift_y) = alignment.astype(np.float64)
    horizontal = float(np.hypot(xx, yx))
    area = float(xx * yy - xy * yx)
    return AlignmentMeasures(
        mirrored=area < 0,
        rotation=float(np.degrees(np.arctan2(yx, xx))),
        shear=float(np.degrees(np.arctan2(xx * xy + yx * yy, abs(area)))),
        horizontal_scale=horizontal,
        vertical_scale=abs(area) / horizontal if horizontal else 0.0,
        horizontal_shift=float(shift_x),
        vertical_shift=float(shift_y),
    )


def brightness(radiograph: Radiograph) -> float:
    """Mean shade of all pixels, 0.0 (black) to 1.0 (white)."""
    # Not by `pixels`, which the radiograph would keep: eight bytes for each.
    return float(radiograph.sample(1).mean())


def lung_share(lung_mask: NDArray[np.float32]) -> float:
    """Share of the network's input that it takes for lung, 0.0 to 1.0."""
    return float(np.mean(lung_mask > LUNG_THRESHOLD))


def _sample_of(radiograph: Radiograph) -> NDArray[np.float64]:
    """Give about 65,536 pixels, evenly spread, of a radiograph of any size."""
    return radiograph.sample(max(1, int(np.sqrt(radiograph.codes.size / _SAMPLE_PIXELS))))


def _commonest_share(image: NDArray[np.float32]) -> float:
    counts = np.unique(image, return_counts=True)[1]
    return float(counts.max() / image.size)
