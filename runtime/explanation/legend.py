"""The legend of a panel: a field for each score with every colour that its maps can have."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..reports.drawing import BLACK, STRIP_GROUND, TextStyle, text_strip
from ..reports.overlay import SCORE_COLOURS
from .tint import tinted

_ROWS = 48
_LABEL = 7  # width of a field's label with its margins, in heights of a letter


def legend_strip(full: float, unit: str, width: int, letter: int) -> NDArray[np.uint8]:
    """Draw the four fields, and say what their colours are.

    Parameters
    ----------
    full
        The strength that full colour stands for.
    unit
        What strengths are, in words.
    width
        Of the strip, pixels. The last field ends at its margin.
    letter
        Height of a letter, pixels; margins are as wide.

    Returns
    -------
    NDArray[np.uint8]
        uint8 ``[rows, width, 3]``, BGR.
    """
    style = TextStyle(letter)
    text = (
        f"Colour over the greys of the radiograph, white bone above and black air below: from 0 on "
        f"the left to {full:.2g} and more on the right. {unit[:1].upper()}{unit[1:]}."
    )
    label = letter * _LABEL
    part = (width - letter) // len(SCORE_COLOURS)
    fields = np.full((_ROWS + letter, width, 3), STRIP_GROUND, np.uint8)
    for score in range(len(SCORE_COLOURS)):
        left = score * part
        caption = text_strip([(f"score {score}", style)], label, letter)
        fields[: len(caption), left : left + label] = caption
        fields[:_ROWS, left + label : left + part] = colour_field(score, _ROWS, part - label)
    return np.concatenate([text_strip([(text, style)], width, letter), fields])


def colour_field(score: int, rows: int, columns: int) -> NDArray[np.uint8]:
    """Draw the colours of one score's map: no strength to full from left to right, over greys.

    Parameters
    ----------
    score
        0 to 3.
    rows, columns
        Of the field; the rows go from white to black.

    Returns
    -------
    NDArray[np.uint8]
        uint8 ``[rows, columns, 3]``, BGR, in a black frame of one pixel.
    """
    greys = np.round(np.linspace(255, 0, rows)).astype(np.uint8)
    picture = np.broadcast_to(greys[:, np.newaxis, np.newaxis], (rows, columns, 3))
    strength = np.broadcast_to(np.linspace(0.0, 1.0, columns), (rows, columns))
    field = tinted(picture, strength, np.full((rows, columns), score))
    cv2.rectangle(field, (0, 0), (columns - 1, rows - 1), BLACK, 1)
    return field
