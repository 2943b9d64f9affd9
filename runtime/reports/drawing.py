"""Drawing on BGR pictures: lines with a dark edge, badges, and strips of wrapped text.

OpenCV's fonts hold ASCII alone; any other character is drawn as a question mark.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ..authorship import signed_png

Colour = tuple[int, int, int]
"""Blue, green, red, each 0 to 255: OpenCV's order."""

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)

STRIP_GROUND: Colour = (56, 44, 34)
"""Ground of strips of writing; it differs from black air."""

_FONT = cv2.FONT_HERSHEY_DUPLEX
_SUBPIXEL_BITS = 4
_FARTHEST = 30_000.0  # pixels; keeps fixed-point coordinates of a wild alignment within int32


@dataclass(frozen=True)
class TextStyle:
    """How a paragraph is set: height of a capital letter in pixels, and colour."""

    height: int
    colour: Colour = WHITE


def draw_line(
    picture: NDArray[np.uint8], points: NDArray[np.float64], colour: Colour, width: int
) -> None:
    """Draw an open line with a dark edge, so that it shows on white bone and on black air.

    Parameters
    ----------
    picture
        uint8 ``[rows, columns, 3]``, BGR; drawn on in place.
    points
        float64 ``[n, 2]``, (x, y) in pixels; parts outside the picture are left out.
    colour
        Colour of the line.
    width
        Width of the line, pixels.
    """
    near = np.clip(points, -_FARTHEST, _FARTHEST)
    fixed = [np.round(near * 2**_SUBPIXEL_BITS).astype(np.int32)]
    for shade, thickness in ((BLACK, width + 2), (colour, width)):
        cv2.polylines(picture, fixed, False, shade, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def dashes(points: NDArray[np.float64], length: float) -> list[NDArray[np.float64]]:
    """Cut a line into dashes; each of its edges begins and ends with one.

    Parameters
    ----------
    points
        float64 ``[n, 2]``, (x, y) in pixels.
    length
        About how long a dash and a gap are, pixels.

    Returns
    -------
    list[NDArray[np.float64]]
        The dashes, float64 ``[2, 2]`` each.
    """
    pieces: list[NDArray[np.float64]] = []
    for start, end in pairwise(points):
        # An odd number of stretches: dash, gap, ..., dash. An edge far outside needs no more.
        gaps = int(min(np.hypot(*(end - start)) / (2 * length), _FARTHEST / length))
        stops = start + (end - start) * np.linspace(0.0, 1.0, 2 * gaps + 2)[:, np.newaxis]
        pieces.extend(stops[index : index + 2] for index in range(0, len(stops), 2))
    return pieces


def draw_badge(
    picture: NDArray[np.uint8],
    centre: NDArray[np.float64],
    label: tuple[str, str],
    colour: Colour,
    height: int,
) -> None:
    """Draw a name, white on black, and beside it a value, black on a colour.

    Parameters
    ----------
    picture
        uint8 ``[rows, columns, 3]``, BGR; drawn on in place.
    centre
        float64 ``[2]``: (x, y) of the badge's centre. A badge that would leave the picture is
        moved inside.
    label
        The name and the value, a character or two each.
    colour
        Ground of the value.
    height
        Height of the badge, pixels.
    """
    half = np.array([height * 0.8, height * 0.5])
    limit = np.array(picture.shape[1::-1], np.float64) - 1.0 - half
    middle = np.maximum(half, np.minimum(centre, limit))
    left, top = (int(value) for value in np.round(middle - half))
    right, bottom = (int(value) for value in np.round(middle + half))
    split = (left + right) // 2
    cv2.rectangle(picture, (left, top), (split, bottom), BLACK, cv2.FILLED)
    cv2.rectangle(picture, (split, top), (right, bottom), colour, cv2.FILLED)
    cv2.rectangle(picture, (left, top), (right, bottom), BLACK, max(1, height // 20), cv2.LINE_AA)
    _centred(picture, label[0], ((left + split) // 2, (top + bottom) // 2), height // 2, WHITE)
    _centred(picture, label[1], ((split + right) // 2, (top + bottom) // 2), height // 2, BLACK)


def text_strip(
    paragraphs: list[tuple[str, TextStyle]], width: int, margin: int
) -> NDArray[np.uint8]:
    """Set paragraphs below each other on a strip as high as they need.

    Parameters
    ----------
    paragraphs
        Text and style of each; a long one is wrapped at words, a long word is cut.
    width
        Width of the strip, pixels.
    margin
        Space on the left, on the right, and below the last line, pixels.

    Returns
    -------
    NDArray[np.uint8]
        uint8 ``[rows, width, 3]``, BGR, a ground that differs from black air.
    """
    lines = [
        (line, style)
        for text, style in paragraphs
        for line in _wrapped(text, style.height, width - 2 * margin)
    ]
    rows = sum(_leading(style) for _, style in lines) + margin
    strip = np.full((rows, width, 3), STRIP_GROUND, np.uint8)
    baseline = 0
    for line, style in lines:
        baseline += _leading(style)
        _write(strip, line, (margin, baseline), style)
    return strip


def as_png(picture: NDArray[np.uint8]) -> bytes:
    """Encode a picture as a PNG file that names this software, so that it is never scored.

    Parameters
    ----------
    picture
        uint8 ``[rows, columns, 3]``, BGR.
    """
    return signed_png(cv2.imencode(".png", picture)[1].tobytes())


def _leading(style: TextStyle) -> int:
    return style.height * 2


@cache  # a picture asks for the same size hundreds of times
def _scale(height: int) -> float:
    # Measured, not assumed: the fonts of OpenCV 4 and 5 differ in size.
    return height / (cv2.getTextSize("H", _FONT, 10.0, 1)[0][1] / 10.0)


def _width(text: str, height: int) -> int:
    return cv2.getTextSize(text, _FONT, _scale(height), _stroke(height))[0][0]


def _stroke(height: int) -> int:
    return max(1, height // 14)


def _write(
    picture: NDArray[np.uint8], text: str, origin: tuple[int, int], style: TextStyle
) -> None:
    scale, stroke = _scale(style.height), _stroke(style.height)
    cv2.putText(picture, text, origin, _FONT, scale, style.colour, stroke, cv2.LINE_AA)


def _centred(
    picture: NDArray[np.uint8], text: str, middle: tuple[int, int], height: int, colour: Colour
) -> None:
    origin = (middle[0] - _width(text, height) // 2, middle[1] + height // 2)
    _write(picture, text, origin, TextStyle(height, colour))


def _wrapped(text: str, height: int, width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.encode("ascii", "replace").decode("ascii").split():
        longer = f"{line} {word}".strip()
        if _width(longer, height) <= width:
            line = longer
            continue
        lines += [line] if line else []
        *whole, line = _cut(word, height, width)
        lines += whole
    return [*lines, line]


def _cut(word: str, height: int, width: int) -> list[str]:
    pieces = [""]
    for character in word:
        if pieces[-1] and _width(pieces[-1] + character, height) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
