"""A prepared radiograph, or the reason why there is none, as a message between processes."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..errors import BrixiaEdgeError, ImageTooLarge, UnreadableImage, UnsupportedImage
from ..preparation.preprocess import PreprocessSpec
from ..radiograph import MODALITIES, PROJECTIONS, Codes, Radiograph
from ..reading.limits import MAXIMUM_PIXELS
from ..reading.uids import is_uid_like
from .messages import BrokenMessage, Message, members, number, text, texts
from .source import PreparedRadiograph

_ERRORS = {kind.__name__: kind for kind in (UnreadableImage, UnsupportedImage, ImageTooLarge)}
_FORMATS = ("DICOM", "PNG", "JPEG")


def prepared_message(prepared: PreparedRadiograph) -> Message:
    """Put a prepared radiograph into a message."""
    radiograph = prepared.radiograph
    header: dict[str, object] = {
        "format": radiograph.format,
        "sop_instance_uid": radiograph.sop_instance_uid,
        "steps": radiograph.steps,
        "warnings": radiograph.warnings,
        "modality": radiograph.modality,
        "projection": radiograph.projection,
        "read": prepared.read,
        "prepare": prepared.prepare,
    }
    return Message(header, (radiograph.codes, radiograph.shades, prepared.image))


def error_message(error: BrixiaEdgeError) -> Message:
    """Put a reason into a message."""
    return Message({"error": {"type": type(error).__name__, "message": str(error)}})


def prepared_from(message: Message, file: Path, spec: PreprocessSpec) -> PreparedRadiograph:
    """Take a prepared radiograph out of a message, once every part of it was checked.

    Raises
    ------
    UnreadableImage, UnsupportedImage, ImageTooLarge
        The message gives this reason instead.
    BrokenMessage
        The message is neither.
    """
    header = message.header
    if "error" in header:
        raise _error(members(header["error"]))
    if len(message.arrays) != 3:
        raise BrokenMessage("three arrays were expected")
    codes, shades, image = message.arrays
    checked = _shades(shades)
    return PreparedRadiograph(
        file=file,
        radiograph=Radiograph(
            codes=_codes(codes, checked.size),
            shades=checked,
            format=_format(header.get("format")),
            sop_instance_uid=_uid(header.get("sop_instance_uid")),
            steps=texts(header.get("steps")),
            warnings=texts(header.get("warnings")),
            modality=_one_of(MODALITIES, header.get("modality")),
            projection=_one_of(PROJECTIONS, header.get("projection")),
        ),
        image=_image(image, spec.size),
        read=number(header.get("read")),
        prepare=number(header.get("prepare")),
    )


def _error(entry: object) -> BrixiaEdgeError:
    told = members(entry)
    kind = _ERRORS.get(text(told.get("type")))
    if kind is None:
        raise BrokenMessage("an error was expected that reading a file can have")
    return kind(text(told.get("message")))


def _codes(array: NDArray[np.generic], count: int) -> Codes:
    if array.dtype.kind != "u" or array.ndim != 2 or array.size > MAXIMUM_PIXELS:
        raise BrokenMessage("the codes are not those of a radiograph")
    codes = cast(Codes, array)
    if codes.max() >= count:
        raise BrokenMessage("a code has no shade")
    return codes


def _shades(array: NDArray[np.generic]) -> NDArray[np.float64]:
    if array.dtype != np.float64 or array.ndim != 1:
        raise BrokenMessage("the shades are not those of a radiograph")
    shades = cast(NDArray[np.float64], array)
    _check_range(shades)
    return shades


def _image(array: NDArray[np.generic], size: int) -> NDArray[np.float32]:
    if array.dtype != np.float32 or array.shape != (1, 1, size, size):
        raise BrokenMessage("the image is not the network's input")
    image = cast(NDArray[np.float32], array)
    _check_range(image)
    return image


def _check_range(values: NDArray[np.floating]) -> None:
    # Written so that it fails for what is not a number, too.
    if not (values.min() >= 0 and values.max() <= 1):
        raise BrokenMessage("a shade is not between black and white")


def _format(value: object) -> str:
    if value not in _FORMATS:
        raise BrokenMessage("the format is not one that is read")
    return text(value)


def _one_of(allowed: Sequence[str], value: object) -> str | None:
    if value is not None and value not in allowed:
        raise BrokenMessage("what the header tells is not among what is told")
    return None if value is None else text(value)


def _uid(value: object) -> str | None:
    if value is None:
        return None
    if not is_uid_like(text(value)):
        raise BrokenMessage("the SOP Instance UID is none")
    return text(value)
