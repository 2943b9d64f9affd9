"""The overlay: one picture that shows what was scored, where, and how far to trust it.

The radiograph lies between two strips, so that no writing hides it: above, the
score and what speaks against it; below, the research-use line and the model.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract import LUNG_THRESHOLD
from ..files import write_file
from ..radiograph import Radiograph
from ..results import RESEARCH_USE, Prediction, ScoredRadiograph
from ..scores import Zone, ZoneScore
from .drawing import (
    BLACK,
    WHITE,
    Colour,
    TextStyle,
    as_png,
    dashes,
    draw_badge,
    draw_line,
    text_strip,
)
from .material import Material
from .zone_geometry import aligned_to_input, input_to_picture, zone_corners, zone_outline

SMALLEST_LONG_SIDE = 1024
"""A smaller radiograph is enlarged, so that the writing does not cover it; pixels."""

LARGEST_LONG_SIDE = 1400
"""A larger one is reduced, to fit a screen; pixels."""

_SMALLEST_WIDTH = 640  # below it the strips' writing would be wrapped to ribbons
_SPECK = 0.002  # share of the picture; smaller islands and holes clutter it and tell nothing

# Okabe and Ito's colours, told apart by colour-blind readers; brighter is not worse, so the
# digit always stands beside the colour.
SCORE_COLOURS: tuple[Colour, ...] = (
    (233, 180, 86),
    (66, 228, 240),
    (0, 159, 230),
    (0, 94, 213),
)
"""The colours of the scores 0 to 3 in every picture."""

_LUNG_COLOUR: Colour = (170, 220, 120)
_WARNING_COLOUR: Colour = (66, 228, 240)
_SMALL_PRINT_COLOUR: Colour = (190, 190, 190)

_KEY = (
    "Boxes: where the network looked for each zone; they overlap, the middle zones are dashed. "
    "Green: the lungs as it found them."
)
_DIGEST_LENGTH = 12  # of the weights; enough to tell models apart


def write_overlay(material: Material, path: Path) -> tuple[str, ...]:
    """Save a result's overlay as PNG; `output_names` has names that tell nothing.

    Parameters
    ----------
    material
        The result to draw.
    path
        Where to save it, in a folder that exists.

    Returns
    -------
    tuple[str, ...]
        Nothing: a picture holds no header.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    write_file(path, as_png(material.part(overlay_picture)), overwrite=True)
    return ()


def overlay_picture(result: ScoredRadiograph) -> NDArray[np.uint8]:
    """Draw the radiograph with lungs, zones and scores, between two strips of writing.

    No patient data are drawn, and no file name.

    Parameters
    ----------
    result
        What to draw.

    Returns
    -------
    NDArray[np.uint8]
        uint8 ``[rows, columns, 3]``, BGR. The radiograph's longer side has
        `SMALLEST_LONG_SIDE` to `LARGEST_LONG_SIDE` pixels, its shape is kept.
    """
    long_side = max(result.radiograph.rows, result.radiograph.columns)
    shown = min(max(long_side, SMALLEST_LONG_SIDE), LARGEST_LONG_SIDE)
    picture = radiograph_picture(result.radiograph, shown)
    letter_height = max(picture.shape) // 62
    draw_lungs(picture, result.prediction.lung_mask)
    draw_zones(picture, result)
    picture = _widened(picture)
    header = header_strip(result, picture.shape[1], letter_height)
    footer = footer_strip(result, picture.shape[1], letter_height, _KEY)
    return np.concatenate([header, picture, footer])


def radiograph_picture(radiograph: Radiograph, long_side: int) -> NDArray[np.uint8]:
    """Give the radiograph as uint8 ``[rows, columns, 3]``, the longer of them `long_side`."""
    rows, columns = radiograph.rows, radiograph.columns
    scale = long_side / max(rows, columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    grey = np.asarray(cv2.resize(radiograph.on_screen(), size, interpolation=method))
    return np.asarray(cv2.cvtColor(grey.astype(np.uint8, copy=False), cv2.COLOR_GRAY2BGR), np.uint8)


def draw_lungs(picture: NDArray[np.uint8], lung_mask: NDArray[np.float32]) -> None:
    """Draw the border of the lungs onto a picture of the whole radiograph, in place."""
    size = (picture.shape[1], picture.shape[0])
    enlarged = cv2.resize(lung_mask, size, interpolation=cv2.INTER_LINEAR)
    # A blur about as wide as a pixel of the mask takes the stairs away and leaves the border.
    smooth = cv2.GaussianBlur(enlarged, (0, 0), max(size) / lung_mask.shape[0])
    lungs = (smooth > LUNG_THRESHOLD).astype(np.uint8)
    for contour in cv2.findContours(lungs, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]:
        if cv2.contourArea(contour) > _SPECK * lungs.size:
            closed = np.concatenate([contour[:, 0], contour[:1, 0]]).astype(np.float64)
            draw_line(picture, closed, _LUNG_COLOUR, _line_width(picture))


def draw_zones(picture: NDArray[np.uint8], result: ScoredRadiograph) -> None:
    """Draw the zones' boxes and scores onto a picture of the whole radiograph, in place."""
    for item in result.score.zones:
        _draw_outline(picture, item, result.prediction)
    for item in result.score.zones:
        centre = _badge_place(item.zone, result.prediction, picture)
        label = (item.zone.value, str(item.score))
        height = max(picture.shape) // 28
        draw_badge(picture, centre, label, SCORE_COLOURS[item.score], height)


def _draw_outline(picture: NDArray[np.uint8], item: ZoneScore, prediction: Prediction) -> None:
    rows, columns = picture.shape[:2]
    width = _line_width(picture)
    corners = zone_outline(item.zone, prediction.alignment, rows, columns)
    # Neighbours share an edge: each keeps to its own side of it, so that both colours show.
    inset = width * (3.0 if item.zone.level == "middle" else 1.0)
    corners = corners + np.sign(corners.mean(axis=0) - corners) * inset
    closed = np.concatenate([corners, corners[:1]])
    dashed = item.zone.level == "middle"
    for piece in dashes(closed, 6.0 * width) if dashed else [closed]:
        draw_line(picture, piece, SCORE_COLOURS[item.score], width)


def _badge_place(
    zone: Zone, prediction: Prediction, picture: NDArray[np.uint8]
) -> NDArray[np.float64]:
    centre = zone_corners(zone).mean(axis=0, keepdims=True)
    inside = aligned_to_input(centre, prediction.alignment)
    return input_to_picture(inside, picture.shape[0], picture.shape[1])[0]


def _line_width(picture: NDArray[np.uint8]) -> int:
    return max(2, round(max(picture.shape) / 700))


def _widened(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    missing = max(0, _SMALLEST_WIDTH - picture.shape[1])
    sides = ((0, 0), (missing // 2, missing - missing // 2), (0, 0))
    return np.pad(picture, sides, constant_values=BLACK[0])


def header_strip(result: ScoredRadiograph, width: int, letter_height: int) -> NDArray[np.uint8]:
    """Write the score and what speaks against it."""
    score = result.score
    title = f"Brixia score {score.global_score} of 18   (expected {score.expected_global:.1f})"
    warnings = [
        (f"UNRELIABLE: {text}", TextStyle(letter_height, _WARNING_COLOUR))
        for text in result.quality.warnings
    ]
    title_style = TextStyle(letter_height * 3 // 2)
    return text_strip([(title, title_style), *warnings], width, margin=letter_height)


def footer_strip(
    result: ScoredRadiograph, width: int, letter_height: int, key: str
) -> NDArray[np.uint8]:
    """Write the research-use line, the model, and the key to the picture."""
    model = result.model
    identity = f"{model.name}, {model.kind}, sha256 {model.sha256[:_DIGEST_LENGTH]}"
    small = TextStyle(letter_height * 3 // 4, _SMALL_PRINT_COLOUR)
    lines = [(RESEARCH_USE, TextStyle(letter_height, WHITE)), (f"Model: {identity}", small)]
    return text_strip([*lines, (key, small)], width, margin=letter_height)
