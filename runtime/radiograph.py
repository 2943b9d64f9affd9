"""What goes in: a file becomes a `Radiograph`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import ImageTooLarge, UnreadableImage

MAXIMUM_PIXELS = 100_000_000
"""Files that declare more pixels are refused unread; a large detector has about 20 million."""


MAXIMUM_BYTES = 8 * MAXIMUM_PIXELS
"""Longer files are refused: three 16-bit samples a pixel and a generous header fit into these."""


@dataclass(frozen=True)
class Radiograph:
    """One radiograph as a reader would see it on a screen.

    Attributes
    ----------
    pixels
        float64 ``[rows, columns]``, 0.0 (black) to 1.0 (white). Bone is bright: the polarity of
        MONOCHROME1 files has been turned. Double precision keeps the preparation equal to the
        original's to the last bit.
    format
        ``DICOM``, ``PNG`` or ``JPEG``.
    sop_instance_uid
        The DICOM SOP Instance UID (PS3.3 C.12.1), or None for other files.
    steps
        What was done from stored values to `pixels`, one sentence each, in order.
    warnings
        What was doubtful about the file, one sentence each; they make a score unreliable.
    """

    pixels: NDArray[np.float64]
    format: str
    sop_instance_uid: str | None = None
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_radiograph(path: str | Path) -> Radiograph:
    """Read a DICOM, PNG or JPEG file, told apart by content and not by suffix.

    Raises
    ------
    UnreadableImage
        The file is absent, empty, truncated, or none of these formats.
    UnsupportedImage
        It is one, but not a single-frame grey radiograph.
    ImageTooLarge
        It declares more than `MAXIMUM_PIXELS`, or is longer than `MAXIMUM_BYTES`.
    """
    return parse_radiograph(read_content(path))


def parse_radiograph(content: bytes) -> Radiograph:
    """Decode a file that was read, told apart by content.

    Raises
    ------
    UnreadableImage, UnsupportedImage, ImageTooLarge
        As from `read_radiograph`.
    """
    # Imported here: each reader brings a heavy library that the other does without.
    if content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        from .image_reader import radiograph_from_image

        return radiograph_from_image(content)
    from .dicom_reader import radiograph_from_dicom

    return radiograph_from_dicom(content)


def read_content(path: str | Path) -> bytes:
    """Read a file whole.

    Raises
    ------
    UnreadableImage
        It is absent, empty or no file.
    ImageTooLarge
        It is longer than `MAXIMUM_BYTES`.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except IsADirectoryError as error:
        raise UnreadableImage("is a directory; give a DICOM, PNG or JPEG file") from error
    except OSError as error:
        raise UnreadableImage(f"cannot be opened: {error.strerror}") from error
    except ValueError as error:
        raise UnreadableImage("is no possible path: it holds a zero byte") from error
    if len(content) > MAXIMUM_BYTES:
        raise ImageTooLarge(
            f"is longer than {MAXIMUM_BYTES} bytes, the most that are read. "
            "Give a smaller copy of the radiograph"
        )
    if not content:
        raise UnreadableImage("is empty (0 bytes); copy it again from its source")
    return content
