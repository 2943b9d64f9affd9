"""PNG and JPEG files become a `Radiograph`, grey as the original BS-Net decoded them.

The original reads with ``cv2.imread(..., IMREAD_GRAYSCALE)`` and divides by 255 in double
precision; this gives the same numbers for every 8-bit file. 16-bit PNG files, which the original
cut to 8 bits, keep theirs.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .decoder_remarks import decoder_remarks
from .errors import UnreadableImage, UnsupportedImage
from .image_headers import (
    DeclaredImage,
    check_jpeg_whole,
    check_png_whole,
    check_size,
    read_jpeg_header,
    read_png_header,
)
from .radiograph import AS_STORED, Codes, Radiograph, ReadingOptions

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ALLOWED_BITS = {"PNG": (1, 2, 4, 8, 16), "JPEG": (8,)}

_NO_MEMORY = -4
"""OpenCV's code for an allocation that failed (``cv::Error::StsNoMem``)."""

COLOURED_SPREAD = 24
"""A pixel counts as coloured when its channels lie further apart than this, on a scale of 255."""

MAXIMUM_COLOURED_SHARE = 0.05
"""A radiograph may have this share of coloured pixels, for annotations.

Of 138 radiographs collected from the web, stored as RGB, tinted and annotated in colour, the
highest share was 0.013 (a whole image's tint reached a spread of 7). Photographs had 0.42 to 0.95,
a colour Doppler ultrasound image 0.06, a photograph of the night sky 0.053.
"""


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
        It is a colour image, or a window is asked for, which these formats do not have.
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
    if declared.channels > 1:
        _refuse_colour(kind, content)
    # ANYDEPTH keeps 16 bits; for 8 bits it is the very decode of the original.
    with decoder_remarks() as remarks:
        grey = _decode(kind, content, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
    bits = grey.dtype.itemsize * 8
    white = 2**bits - 1
    steps = (f"decoded as {bits}-bit grey", f"divided by {white}")
    shades = np.arange(white + 1, dtype=np.float64) / white
    warnings = _doubts(remarks.damage)
    return Radiograph(cast(Codes, grey), shades, kind, steps=steps, warnings=warnings)


def coloured_share(colours: NDArray[np.integer]) -> float:
    """Tell which share of pixels is coloured rather than grey.

    Parameters
    ----------
    colours
        uint8 ``[rows, columns, 3]``, in any order of the channels.

    Returns
    -------
    float
        The share, 0 to 1, of pixels whose channels differ by more than `COLOURED_SPREAD`.
    """
    spread = colours.max(axis=2).astype(np.int32) - colours.min(axis=2)
    return np.count_nonzero(spread > COLOURED_SPREAD) / spread.size


def refuse_coloured(what: str, share: float) -> None:
    """Refuse an image with too many coloured pixels.

    Raises
    ------
    UnsupportedImage
        `share` is above `MAXIMUM_COLOURED_SHARE`.
    """
    if share > MAXIMUM_COLOURED_SHARE:
        raise UnsupportedImage(
            f"{what} is in colour: {share:.0%} of its pixels are coloured, at most "
            f"{MAXIMUM_COLOURED_SHARE:.0%} are allowed for annotations. Give a grey radiograph"
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
