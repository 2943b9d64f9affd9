"""A picture is turned as its Exif orientation asks, as OpenCV turned it, and that is told."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.reading.exif import TURNS, read_turn
from brixia_edge.runtime.reading.image_reader import radiograph_from_image

IMAGE = np.arange(96 * 80, dtype=np.uint32).reshape(96, 80) * 255 // (96 * 80)
JPEG = cv2.imencode(".jpg", IMAGE.astype(np.uint8))[1].tobytes()
PNG = cv2.imencode(".png", (IMAGE * 257).astype(np.uint16))[1].tobytes()


def exif(orientation: int, order: str = ">") -> bytes:
    """A TIFF structure of two entries, the second of which is the orientation."""
    mark = b"MM" if order == ">" else b"II"
    start = mark + struct.pack(f"{order}HIH", 42, 8, 2)
    width = struct.pack(f"{order}HHIHH", 0x0100, 3, 1, 80, 0)
    return start + width + struct.pack(f"{order}HHIHHI", 0x0112, 3, 1, orientation, 0, 0)


def in_jpeg(block: bytes) -> bytes:
    segment = b"Exif\0\0" + block
    return JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + JPEG[2:]


def in_png(block: bytes, place: int = 33) -> bytes:
    chunk = b"eXIf" + block
    checked = struct.pack(">I", len(block)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return PNG[:place] + checked + PNG[place:]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(10))
def test_jpeg_is_turned_as_opencv_turns_it_and_told(orientation: int, order: str) -> None:
    content = in_jpeg(exif(orientation, order))
    expected = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    radiograph = radiograph_from_image(content)
    np.testing.assert_array_equal(radiograph.codes, expected)
    told = [step for step in radiograph.steps if "EXIF" in step]
    assert len(told) == int(orientation in TURNS)
    assert not radiograph.warnings


@pytest.mark.parametrize("place", [33, len(PNG) - 12], ids=["before", "behind the pixels"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_png_is_turned_as_a_jpeg_is(orientation: int, place: int) -> None:
    radiograph = radiograph_from_image(in_png(exif(orientation), place))
    stored = radiograph_from_image(PNG).codes
    turns = {1: 0, 3: 2, 6: -1, 8: 1}
    np.testing.assert_array_equal(radiograph.codes, np.rot90(stored, turns[orientation]))


def test_the_step_says_what_was_done() -> None:
    steps = radiograph_from_image(in_jpeg(exif(6))).steps
    assert steps == (
        "decoded as 8-bit grey",
        "turned by 90 degrees clockwise, as its EXIF orientation asks",
        "divided by 255",
    )


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"MM",
        b"XX" + exif(6)[2:],
        exif(6)[:12],
        exif(6)[:-8],
        b"MM" + struct.pack(">HI", 42, 2**32 - 1),
        b"MM" + struct.pack(">HIH", 42, 8, 65535),
    ],
)
def test_damaged_exif_asks_for_nothing(block: bytes) -> None:
    assert read_turn(in_jpeg(block)) is None
    assert read_turn(in_png(block)) is None
