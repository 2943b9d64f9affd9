"""The panel: the radiograph, its explanation, and each zone's own, side by side.

Maps are drawn from white to the colour of the score that they speak for, as the paper draws
them, and multiplied with the greys of the radiograph, so that what lies below stays visible.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract import LUNG_THRESHOLD
from ..reports.drawing import BLACK, TextStyle, draw_line, text_strip
from ..reports.overlay import (
    SCORE_COLOURS,
    draw_lungs,
    draw_zones,
    footer_strip,
    header_strip,
    radiograph_picture,
)
from ..reports.zone_geometry import zone_outline
from ..scores import Zone
from .explanation import Explanation
from .legend import legend_strip
from .tint import full_colour, tinted

LONG_SIDE = 800
"""Of the radiograph in the panel, pixels."""

_LETTER = 17
_GAP = 8
_ROWS_OF_ZONES = ((Zone.A, Zone.D), (Zone.B, Zone.E), (Zone.C, Zone.F))
"""As they lie on the image: the patient's right lung is on the left."""

_KEYS: Mapping[str, str] = {
    "evidence": (
        "Colour: where the network found what speaks for the score of the zone (its logits before "
        "their mean, laid back on the image; one cell is a sixteenth of a zone)."
    ),
    "occlusion": (
        "Colour: how much the probability of a zone's score drops when this piece of lung is "
        "blanked."
    ),
}
_KEY = (
    " Where zones overlap the middle picture shows the one that the place speaks for most. A map "
    "tells what this network used, not where disease is."
)


def explanation_panel(explanation: Explanation) -> NDArray[np.uint8]:
    """Draw an explanation.

    Returns
    -------
    NDArray[np.uint8]
        uint8 ``[rows, columns, 3]``, BGR. No patient data are drawn, and no file name.
    """
    result = explanation.result
    full = full_colour(explanation)
    plain = radiograph_picture(result.radiograph, LONG_SIDE)
    scored = plain.copy()
    draw_lungs(scored, result.prediction.lung_mask)
    draw_zones(scored, result)
    columns = [
        _titled("Radiograph, lungs and zones as the network found them", scored),
        _titled(_share_in_lungs(explanation), _all_zones(explanation, plain)),
        _titled("Each zone by itself", _zone_grid(explanation, plain)),
    ]
    middle = _beside(columns)
    width = middle.shape[1]
    key = _KEYS[explanation.method] + _KEY
    return np.concatenate(
        [
            header_strip(result, width, _LETTER),
            middle,
            legend_strip(full, explanation.unit, width, _LETTER),
            footer_strip(result, width, _LETTER, key),
        ]
    )


def _share_in_lungs(explanation: Explanation) -> str:
    strength = explanation.combined()[0]
    inside = strength[explanation.result.prediction.lung_mask > LUNG_THRESHOLD].sum()
    share = f", {inside / strength.sum():.0%} of it inside the lungs" if strength.any() else ""
    return f"Explanation by {explanation.method}{share}"


def _all_zones(explanation: Explanation, plain: NDArray[np.uint8]) -> NDArray[np.uint8]:
    strength, zones = explanation.combined()
    scores = np.array(explanation.scores)[zones]
    picture = tinted(plain, strength / full_colour(explanation), scores)
    draw_lungs(picture, explanation.result.prediction.lung_mask)
    return picture


def _zone_grid(explanation: Explanation, plain: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Six zones in three rows, together as high as the radiograph."""
    height = (len(plain) - 2 * _GAP) // 3
    rows = [
        _beside([_zone_cell(explanation, plain, zone, height) for zone in row])
        for row in _ROWS_OF_ZONES
    ]
    return _below(rows)


def _zone_cell(
    explanation: Explanation, plain: NDArray[np.uint8], zone: Zone, height: int
) -> NDArray[np.uint8]:
    """One zone cut out of the radiograph, in a cell of fixed size."""
    item = explanation.result.score[zone]
    own = explanation.zone_maps[tuple(Zone).index(zone)]
    scores = np.full(own.shape, item.score)
    picture = tinted(plain, np.maximum(own, 0) / full_colour(explanation), scores)
    corners = zone_outline(zone, explanation.result.prediction.alignment, *plain.shape[:2])
    closed = np.concatenate([corners, corners[:1]])
    draw_line(picture, closed, SCORE_COLOURS[item.score], 2)
    caption = f"{zone.value} scores {item.score}   p {item.probabilities[item.score]:.2f}"
    strip = text_strip([(caption, TextStyle(_LETTER))], height * 4 // 3, _LETTER)
    return np.concatenate(
        [strip, _fitted(_cut(picture, corners), height - len(strip), len(strip[0]))]
    )


def _cut(picture: NDArray[np.uint8], corners: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The upright rectangle round a zone; the whole picture where the zone lies outside it."""
    limit = np.array(picture.shape[1::-1])
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, limit).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, limit).astype(int)
    inside = picture[top:bottom, left:right]
    return inside if inside.size else picture


def _fitted(picture: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Scale a picture into a black cell, its shape kept."""
    scale = min(rows / picture.shape[0], columns / picture.shape[1])
    size = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
    cell = np.full((rows, columns, 3), BLACK, np.uint8)
    top, left = (rows - size[1]) // 2, (columns - size[0]) // 2
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    cell[top : top + size[1], left : left + size[0]] = scaled
    return cell


def _titled(title: str, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    strip = text_strip([(title, TextStyle(_LETTER))], picture.shape[1], _LETTER)
    return np.concatenate([strip, picture])


def _beside(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Put pictures beside each other, black below the shorter ones."""
    rows = max(len(picture) for picture in pictures)
    padded = [np.pad(p, ((0, rows - len(p)), (0, _GAP), (0, 0))) for p in pictures]
    return np.concatenate(padded, axis=1)[:, :-_GAP]


def _below(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    padded = [np.pad(p, ((0, _GAP), (0, 0), (0, 0))) for p in pictures]
    return np.concatenate(padded)[:-_GAP]
