"""A header without its pixels: the same distrust, and no more of the file than its first MiB."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from brixia_edge.runtime.errors import UnreadableImage
from brixia_edge.runtime.reading.dicom.file import inflated_parts, parse_beginning
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

LARGE = np.random.default_rng(1).integers(0, 2**16, (2000, 2000), dtype=np.uint16)


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_a_value_is_read_and_the_pixels_are_not(
    make_dicom: Callable[..., bytes], syntax: str
) -> None:
    stream = BytesIO(make_dicom(LARGE, syntax=syntax, PatientID="aB 1"))
    header = parse_beginning(stream)
    assert header.written("PatientID") == ("aB 1",)
    assert "Rows" in header
    assert "PixelData" not in header
    assert stream.tell() == 2**20


def test_a_file_without_pixels_is_read_to_its_end(make_dicom: Callable[..., bytes]) -> None:
    content = make_dicom(without=["PixelData"])
    assert "HighBit" in parse_beginning(BytesIO(content))


def test_what_the_limit_cuts_in_two_is_missing_and_not_half(
    make_dicom: Callable[..., bytes],
) -> None:
    whole = make_dicom()
    element = whole.index(b"\x10\x00\x20\x00LO")
    filling = b"\x09\x00\x10\x10UN\0\0"
    found = set[tuple[str, ...]]()
    for cut in range(-4, 30, 2):
        length = 2**20 - element - 12 - cut
        filled = filling + length.to_bytes(4, "little") + bytes(length)
        content = whole[:element] + filled + whole[element:]
        found.add(parse_beginning(BytesIO(content)).written("PatientID"))
    assert found == {(), ("SECRET-17",)}


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"MZ" + bytes(126) + b"DICM", b"\x7fELF" + bytes(124) + b"DICM"]
)
def test_what_is_no_image_or_a_program_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableImage):
        parse_beginning(BytesIO(content))


def test_bytes_that_are_not_deflated_are_refused() -> None:
    with pytest.raises(UnreadableImage, match="deflated dataset"):
        b"".join(inflated_parts(b"\xff" * 100))
