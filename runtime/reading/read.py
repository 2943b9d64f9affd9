"""A file becomes a `Radiograph`: by its content, whatever its name says."""

import os
from pathlib import Path

from ..errors import ImageTooLarge, UnreadableImage
from ..radiograph import Radiograph
from .limits import MAXIMUM_BYTES
from .options import AS_STORED, ReadingOptions


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
    from .dicom.reader import radiograph_from_dicom

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
