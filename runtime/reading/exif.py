"""How a PNG or JPEG file is to be turned before it is looked at: Orientation of Exif (2.3, 4.6.4).

Cameras and scanners leave the pixels as they came and write a number beside them. Every viewer
turns by it, and so did the original BS-Net through OpenCV; here it is done in one place, so that it
is the same with any version of OpenCV, and can be told.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .image_headers import jpeg_segments, png_chunks

_APP1 = 0xE1
_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112
_ENTRY = 12
"""Bytes of an entry of a TIFF directory: tag, type, count, value."""

Pixels = NDArray[np.integer]


@dataclass(frozen=True)
class Turn:
    """What one of the eight orientations asks for.

    Attributes
    ----------
    told
        In words.
    apply
        Turns pixels ``[rows, columns]``.
    """

    told: str
    apply: Callable[[Pixels], Pixels]


TURNS = {
    2: Turn("mirrored, left for right", lambda pixels: pixels[:, ::-1]),
    3: Turn("turned by 180 degrees", lambda pixels: pixels[::-1, ::-1]),
    4: Turn("mirrored, top for bottom", lambda pixels: pixels[::-1]),
    5: Turn("turned by 90 degrees clockwise and mirrored", lambda pixels: pixels.T),
    6: Turn("turned by 90 degrees clockwise", lambda pixels: pixels.T[:, ::-1]),
    7: Turn("turned by 90 degrees anticlockwise and mirrored", lambda pixels: pixels[::-1, ::-1].T),
    8: Turn("turned by 90 degrees anticlockwise", lambda pixels: pixels.T[::-1]),
}
"""By the orientation; 1, and any number that does not exist, asks for nothing."""


def read_turn(content: bytes) -> Turn | None:
    """Tell how a file asks to be turned, or None where it does not.

    Parameters
    ----------
    content
        A whole PNG or JPEG file.
    """
    blocks = _png_blocks(content) if content.startswith(b"\x89PNG") else _jpeg_blocks(content)
    block = next(blocks, b"")
    return TURNS.get(_orientation(block))


def _png_blocks(content: bytes) -> Iterator[bytes]:
    for kind, start, end in png_chunks(content):
        if kind == b"eXIf":
            yield content[start + 8 : end - 4]


def _jpeg_blocks(content: bytes) -> Iterator[bytes]:
    for marker, start, end in jpeg_segments(content):
        if marker == _APP1 and content.startswith(_EXIF, start):
            yield content[start + len(_EXIF) : end]


def _orientation(block: bytes) -> int:
    """Look the number up in the first directory of a TIFF structure; 1 where it is not there."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2], "")
    if not order or len(block) < 8:
        return 1
    start = int(struct.unpack(f"{order}I", block[4:8])[0])
    head = block[start : start + 2]
    count = int(struct.unpack(f"{order}H", head)[0]) if len(head) == 2 else 0
    for place in range(start + 2, min(start + 2 + count * _ENTRY, len(block) - _ENTRY + 1), _ENTRY):
        tag, value = struct.unpack(f"{order}H6xH2x", block[place : place + _ENTRY])
        if tag == _ORIENTATION:
            return int(value)
    return 1
