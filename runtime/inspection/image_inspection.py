"""What becomes of an image on its way to the network, in words and in small pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..preparation.preprocess import PreprocessSpec, preparation_steps, preprocess
from ..radiograph import Codes, Radiograph
from ..reading.dicom.reader import DicomReading, read_dicom
from ..reading.options import AS_STORED, ReadingOptions
from ..reading.read import is_ordinary_image, read_bytes, read_radiograph
from ..reports.drawing import TextStyle, text_strip
from ..results import RESEARCH_USE

_SIDE = 320  # pixels; a strip of six still fits a screen
_GAP = 8
_LETTER = 13
_WHOLE = 100  # from here on, fractions tell nothing
_GROUND = (56, 44, 34)


@dataclass(frozen=True)
class Picture:
    """One small picture of the strip.

    Attributes
    ----------
    name
        What it shows.
    range
        Which values are black and white in it.
    shades
        uint8 ``[rows, columns]``.
    """

    name: str
    range: str
    shades: NDArray[np.uint8]


@dataclass(frozen=True)
class ImageInspection:
    """What was done to one image.

    Attributes
    ----------
    radiograph
        The image as it is shown; its steps lead from the file to it.
    preparation
        What was done from there to the network's input, one sentence each.
    pictures
        The image as stored, then after each stage.
    """

    radiograph: Radiograph
    preparation: tuple[str, ...]
    pictures: tuple[Picture, ...]


def inspect_image(
    path: Path, spec: PreprocessSpec, options: ReadingOptions = AS_STORED
) -> ImageInspection:
    """Read and prepare an image as for a score, and keep what was on the way.

    Raises
    ------
    UnreadableImage, UnsupportedImage, ImageTooLarge
        The image cannot be scored; see `read_radiograph`.
    """
    content = read_bytes(path)
    if is_ordinary_image(content):
        radiograph = read_radiograph(path, options)
        stages = [_shown(radiograph, "as decoded")]
    else:
        reading = read_dicom(content, options)
        radiograph, stages = reading.radiograph, _stage_pictures(reading)
    image = preprocess(radiograph, spec)[0, 0]
    prepared = Picture("network input", "0 to 1", _to_grey(_small(image)))
    return ImageInspection(radiograph, preparation_steps(spec), (*stages, prepared))


def inspection_lines(inspection: ImageInspection) -> Iterator[str]:
    """Tell every step in words, a line each. Nothing in them tells whose image it is."""
    radiograph = inspection.radiograph
    yield f"{radiograph.format}, {radiograph.rows} rows x {radiograph.columns} columns"
    yield "from the file to the radiograph"
    yield from (f"  {step}" for step in radiograph.steps)
    yield "from the radiograph to the network"
    yield from (f"  {step}" for step in inspection.preparation)
    yield "doubts" if radiograph.warnings else "no doubts"
    yield from (f"  {warning}" for warning in radiograph.warnings)
    yield RESEARCH_USE


def inspection_entries(inspection: ImageInspection) -> dict[str, object]:
    """Tell the same as JSON-ready entries."""
    radiograph = inspection.radiograph
    return {
        "format": radiograph.format,
        "rows": radiograph.rows,
        "columns": radiograph.columns,
        "steps": list(radiograph.steps),
        "preparation": list(inspection.preparation),
        "warnings": list(radiograph.warnings),
        "notice": RESEARCH_USE,
    }


def preview_strip(inspection: ImageInspection) -> NDArray[np.uint8]:
    """Set the pictures side by side, each with what it shows below it.

    Returns
    -------
    NDArray[np.uint8]
        uint8 ``[rows, columns, 3]``, BGR. No patient data are drawn, but what is burned into the
        image is in its pictures.
    """
    columns = [_captioned(picture) for picture in inspection.pictures]
    height = max(column.shape[0] for column in columns)
    padded = [_framed(column, height) for column in columns]
    return np.concatenate(padded, axis=1)


def _stage_pictures(reading: DicomReading) -> list[Picture]:
    """Give a picture for each stage that changed something; the shutters' comes last."""
    codes = reading.stored.codes
    told = [reading.stages[0], *(stage for stage in reading.stages[1:] if stage.steps)]
    pictures = [_picture(codes, stage.values, stage.name) for stage in told]
    if any(step.startswith("shutter") for step in reading.radiograph.steps):
        pictures.append(_shown(reading.radiograph, "after the shutter"))
    return pictures


def _shown(radiograph: Radiograph, name: str) -> Picture:
    return _picture(radiograph.codes, radiograph.shades, name)


def _picture(codes: Codes, values: NDArray[np.float64], name: str) -> Picture:
    """Look values up and, unless they are shades already, stretch them to what can be seen."""
    occurring = values[np.bincount(codes.ravel()).nonzero()[0]]
    lowest, highest = float(occurring.min()), float(occurring.max())
    told = f"{_rounded(lowest)} to {_rounded(highest)}"
    if lowest < 0 or highest > 1:
        values = (values - lowest) / max(highest - lowest, 1e-9)
        told = f"{told}, shown black to white"
    # Twice the picture's size suffices; shrinking averages then.
    step = max(1, max(codes.shape) // (2 * _SIDE))
    return Picture(name, told, _to_grey(_small(values[codes[::step, ::step]])))


def _rounded(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"


def _small(image: NDArray[np.floating]) -> NDArray[np.floating]:
    scale = _SIDE / max(image.shape)
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(image, size, interpolation=method), np.float64)


def _to_grey(shades: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.round(np.clip(shades, 0, 1) * 255).astype(np.uint8)


def _captioned(picture: Picture) -> NDArray[np.uint8]:
    width = max(picture.shades.shape[1], _SIDE * 2 // 3)
    sides = width - picture.shades.shape[1]
    grey = np.pad(picture.shades, ((0, 0), (sides // 2, sides - sides // 2)))
    lines = [(picture.name, TextStyle(_LETTER)), (picture.range, TextStyle(_LETTER - 2))]
    caption = text_strip(lines, width, margin=_GAP)
    return np.concatenate([np.repeat(grey[:, :, np.newaxis], 3, axis=2), caption])


def _framed(column: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    rows, columns = height + 2 * _GAP, column.shape[1] + _GAP
    frame = np.full((rows, columns, 3), _GROUND, np.uint8)
    frame[_GAP : _GAP + column.shape[0], : column.shape[1]] = column
    return frame
