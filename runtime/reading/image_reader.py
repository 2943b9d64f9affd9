"""PNG and JPEG files become a `Radiograph`, grey as the original BS-Net decoded them.

The original reads with ``cv2.imread(..., IMREAD_GRAYSCALE)`` and divides by 255 in double
precision; this gives the same numbers for every 8-bit file. 16-bit PNG files, which the original
cut to 8 bits, keep theirs.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..authorship import is_own_chunk, is_own_comment, refuse_own
from ..errors import UnreadableImage, UnsupportedImage
from ..radiograph import Codes, Radiograph
from .colour import coloured_share, refuse_coloured
from .decoder_remarks import decoder_remarks
from .exif import read_turn
from .image_headers import (
    COMMENT,
    DeclaredImage,
    check_jpeg_whole,
    check_png_whole,
    jpeg_segments,
    png_chunks,
    read_jpeg_header,
    read_png_header,
)
from .limits import check_size
from .options import AS_STORED, ReadingOptions

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ALLOWED_BITS = {"PNG": (1, 2, 4, 8, 16), "JPEG": (8,)}

# ANYDEPTH keeps 16 bits; for 8 bits it is the very decode of the original, not turned yet.
_GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION

_NO_MEMORY = -4
"""OpenCV's code for an allocation that failed (``cv::Error::StsNoMem``)."""


def radiograph_from_image(content: bytes, options: ReadingOptions = AS_STORED) -> Radiograph:
    """Decode a PNG or JPEG file to a grey `Radiograph`.

    Parameters
    ----------
    content
        The whole file, which begins with the signature of PNG or JPEG.
    options
        Its `window` must be None.

    Returns
    -------
    Radiograph
        The grey levels, each with a shade of it divided by 255 (65535 for 16 bits).

    Raises
    ------
    UnreadableImage
        The file is truncated, damaged, or of a kind no decoder here takes.
    UnsupportedImage
        It is a colour image, or one that this software drew, or a window is asked for, which these
        formats do not have.
    ImageTooLarge
        It declares more than `MAXIMUM_PIXELS`; nothing was decoded.
    """
    kind = "PNG" if content.startswith(_PNG_SIGNATURE) else "JPEG"
    if options.window is not None:
        raise UnsupportedImage(
            f"is a {kind} file, which has no window {options.window}; leave the choice out"
        )
    declared = read_png_header(content) if kind == "PNG" else read_jpeg_header(content)
    check_size(declared.rows, declared.columns)
    _check_bits(kind, declared)
    (check_png_whole if kind == "PNG" else check_jpeg_whole)(content)
    if (_is_own_png if kind == "PNG" else _is_own_jpeg)(content):
        refuse_own()
    if declared.channels > 1:
        _refuse_colour(kind, content)
    with decoder_remarks() as remarks:
        grey = _decode(kind, content, _GREY)
    turn = read_turn(content)
    grey = grey if turn is None else np.ascontiguousarray(turn.apply(grey))
    bits = grey.dtype.itemsize * 8
    white = 2**bits - 1
    turned = (f"{turn.told}, as its EXIF orientation asks",) if turn else ()
    steps = (f"decoded as {bits}-bit grey", *turned, f"divided by {white}")
    shades = np.arange(white + 1, dtype=np.float64) / white
    warnings = _doubts(remarks.damage)
    return Radiograph(cast(Codes, grey), shades, kind, steps=steps, warnings=warnings)


def _is_own_png(content: bytes) -> bool:
    return any(
        is_own_chunk(kind, content[start + 8 : end - 4])
        for kind, start, end in png_chunks(content)
        if kind != b"IDAT"
    )


def _is_own_jpeg(content: bytes) -> bool:
    return any(
        is_own_comment(content[start:end])
        for marker, start, end in jpeg_segments(content)
        if marker == COMMENT
    )


def _doubts(damage: str) -> tuple[str, ...]:
    if not damage:
        return ()
    return (f"The file is damaged ({damage}): part of the image is not what was stored.",)


def _refuse_colour(kind: str, content: bytes) -> None:
    # Reduced to an eighth, a JPEG decodes in a tenth of the time.
    with decoder_remarks():
        colours = _decode(kind, content, cv2.IMREAD_REDUCED_COLOR_8)
    refuse_coloured(f"the {kind} image", coloured_share(colours))


def _check_bits(kind: str, declared: DeclaredImage) -> None:
    allowed = _ALLOWED_BITS[kind]
    if declared.bits not in allowed:
        raise UnreadableImage(
            f"is a {kind} file of {declared.bits} bits a sample; {', '.join(map(str, allowed))} "
            "are allowed. Give it as a 16-bit PNG or as DICOM"
        )


def _decode(kind: str, content: bytes, flags: int) -> NDArray[np.integer]:
    image: NDArray[np.integer] | None
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)  # pyright: ignore[reportAssignmentType] - None on failure
    except cv2.error as error:
        if error.code == _NO_MEMORY:
            raise MemoryError from error
        image = None  # what OpenCV 4 raises where OpenCV 5 returns None
    if image is None:
        raise UnreadableImage(
            f"is a {kind} file that cannot be decoded: it is damaged or of a rare variant. "
            "Save it again as an ordinary PNG"
        )
    return image
