"""What goes in: a file becomes a `Radiograph`."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import ImageTooLarge, UnreadableImage

MAXIMUM_PIXELS = 100_000_000
"""Files that declare more pixels are refused unread; a large detector has about 20 million."""


MAXIMUM_BYTES = 8 * MAXIMUM_PIXELS
"""Longer files are refused: three 16-bit samples a pixel and a generous header fit into these."""


Codes = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.uint32]
"""What each pixel holds: an index into a table of shades."""


@dataclass(frozen=True)
class Radiograph:
    """One radiograph as a reader would see it on a screen: a code a pixel, and a shade a code.

    The shade of a code is worked out once, not once a pixel, and a pixel's only where it is needed.

    Attributes
    ----------
    codes
        uint8 or uint16 (uint32 where 65,536 do not suffice) ``[rows, columns]``: indices into
        `shades`.
    shades
        float64 ``[number of codes]``, 0.0 (black) to 1.0 (white). Bone is bright: the polarity of
        MONOCHROME1 files has been turned. Double precision keeps the preparation equal to the
        original's to the last bit.
    format
        ``DICOM``, ``PNG`` or ``JPEG``.
    sop_instance_uid
        The DICOM SOP Instance UID (PS3.3 C.12.1), or None for other files.
    steps
        What was done from stored values to shades, one sentence each, in order.
    warnings
        What was doubtful about the file, one sentence each; they make a score unreliable.
    """

    codes: Codes
    shades: NDArray[np.float64]
    format: str
    sop_instance_uid: str | None = None
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Height in pixels."""
        return self.codes.shape[0]

    @property
    def columns(self) -> int:
        """Width in pixels."""
        return self.codes.shape[1]

    @cached_property
    def pixels(self) -> NDArray[np.float64]:
        """The shade of every pixel, float64 ``[rows, columns]``: eight bytes each, kept."""
        return self.shades[self.codes]

    def sample(self, step: int) -> NDArray[np.float64]:
        """The shades of every `step`-th pixel of every `step`-th row, float64."""
        return self.shades[self.codes[::step, ::step]]

    def on_screen(self) -> NDArray[np.uint8]:
        """Every pixel as a screen of 256 grey levels shows it, uint8 ``[rows, columns]``."""
        levels = np.round(self.shades * 255).astype(np.uint8)
        return levels[self.codes]


@dataclass(frozen=True)
class ReadingOptions:
    """What may be chosen about how a file is read.

    Attributes
    ----------
    window
        Which of a DICOM file's windows (PS3.3 C.11.2.1.2) to show it in, from 1. None takes the
        VOI LUT if there is one, else the first window, else the full range.
    """

    window: int | None = None


AS_STORED = ReadingOptions()
"""Everything as the file says first."""


def read_radiograph(path: str | Path, options: ReadingOptions = AS_STORED) -> Radiograph:
    """Read a DICOM, PNG or JPEG file, told apart by content and not by suffix.

    Raises
    ------
    UnreadableImage
        The file is absent, empty, truncated, or none of these formats.
    UnsupportedImage
        It is one, but not a single-frame grey radiograph, or has not the window of `options`.
    ImageTooLarge
        It declares more than `MAXIMUM_PIXELS`, or is longer than `MAXIMUM_BYTES`.
    """
    return parse_radiograph(read_bytes(Path(path)), options)


def parse_radiograph(content: bytes, options: ReadingOptions = AS_STORED) -> Radiograph:
    """Decode a file that was read, told apart by content.

    Raises
    ------
    UnreadableImage, UnsupportedImage, ImageTooLarge
        As from `read_radiograph`.
    """
    # Imported here: each reader brings a heavy library that the other does without.
    if is_ordinary_image(content):
        from .image_reader import radiograph_from_image

        return radiograph_from_image(content, options)
    from .dicom_reader import radiograph_from_dicom

    return radiograph_from_dicom(content, options)


def is_ordinary_image(content: bytes) -> bool:
    """Tell by its signature whether a file is PNG or JPEG; else it can only be DICOM."""
    return content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))


def read_bytes(path: Path) -> bytes:
    """Read a file that may hold a radiograph.

    Raises
    ------
    UnreadableImage
        It cannot be opened, or is empty.
    ImageTooLarge
        It is longer than `MAXIMUM_BYTES`.
    """
    try:
        with path.open("rb") as file:
            # A pipe has no size. `read` reserves as much memory as it is asked for.
            size = os.fstat(file.fileno()).st_size or MAXIMUM_BYTES
            content = file.read(min(size, MAXIMUM_BYTES) + 1)
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
