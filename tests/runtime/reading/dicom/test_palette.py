"""Palettes: grey ones are read, coloured ones refused, segments expanded within their bounds."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from brixia_edge.runtime.errors import UnreadableImage, UnsupportedImage
from brixia_edge.runtime.reading.dicom.reader import radiograph_from_dicom
from numpy.typing import NDArray
from pydicom.filereader import read_partial
from pydicom.pixels.processing import apply_color_lut

DicomMaker = Callable[..., bytes]

RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8)
COLOURS = ("Red", "Green", "Blue")


def tables(
    *channels: NDArray[np.unsignedinteger], first: int = 0, bits: int = 16
) -> dict[str, object]:
    elements: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, channel in zip(COLOURS, channels, strict=True):
        name = f"{colour}PaletteColorLookupTable"
        elements[f"{name}Descriptor"] = [channel.size % 2**16, first, bits]
        elements[f"{name}Data"] = channel.tobytes()
    return elements


def segments(words: list[int], count: int) -> dict[str, object]:
    elements: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in COLOURS:
        name = f"{colour}PaletteColorLookupTable"
        elements[f"{name}Descriptor"] = [count, 0, 16]
        elements[f"Segmented{name}Data"] = np.array(words, np.uint16).tobytes()
    return elements


@pytest.mark.parametrize(
    ("table", "bits", "white"),
    [
        (np.arange(256, dtype=np.uint16) * 257, 16, 65535),
        (np.arange(256, dtype=np.uint8)[::-1].copy(), 8, 255),
        (np.arange(256, dtype=np.uint16)[::-1].copy(), 8, 255),
    ],
)
def test_grey_palette_is_looked_up(
    make_dicom: DicomMaker, table: NDArray[np.unsignedinteger], bits: int, white: int
) -> None:
    # Neither a window nor a polarity is for palettes (PS3.3 C.11.2).
    content = make_dicom(
        RAMP, **tables(table, table, table, bits=bits), WindowCenter=5, WindowWidth=2
    )
    shown = radiograph_from_dicom(content).pixels
    np.testing.assert_allclose(shown, table[RAMP] / white, atol=1e-12)


def test_values_beyond_the_palette_take_its_ends(make_dicom: DicomMaker) -> None:
    table = np.array([1000, 20000, 60000], np.uint16)
    shown = radiograph_from_dicom(make_dicom(RAMP, **tables(table, table, table, first=30))).pixels
    expected = table[np.clip(RAMP.astype(int) - 30, 0, 2)] / 65535
    np.testing.assert_allclose(shown, expected, atol=1e-12)


def test_coloured_palette_is_refused(make_dicom: DicomMaker) -> None:
    ramp = np.arange(256, dtype=np.uint16) * 257
    with pytest.raises(UnsupportedImage, match="colour"):
        radiograph_from_dicom(make_dicom(RAMP, **tables(ramp, ramp, ramp[::-1].copy())))


def test_colours_that_no_pixel_has_do_not_matter(make_dicom: DicomMaker) -> None:
    ramp = np.arange(256, dtype=np.uint16) * 257
    red = np.where(np.arange(256) < 64, ramp, 65535).astype(np.uint16)
    shown = radiograph_from_dicom(make_dicom(RAMP, **tables(red, ramp, ramp))).pixels
    np.testing.assert_allclose(shown, RAMP / 255, atol=1e-12)


def test_segmented_palette_is_that_of_pydicom(make_dicom: DicomMaker) -> None:
    words = [0, 4, 100, 300, 200, 500]  # four entries as they are
    words += [1, 20, 40_000]  # a line of 20 more
    words += [0, 2, 65_000, 100]
    words += [2, 2, 0, 0]  # the first two segments again
    content = make_dicom(RAMP, **segments(words, 50))
    expected = np.asarray(apply_color_lut(RAMP, read_partial(BytesIO(content))))[..., 0] / 65535
    shown = radiograph_from_dicom(content).pixels
    np.testing.assert_allclose(shown, expected, atol=1.5 / 65535)


@pytest.mark.parametrize(
    "words",
    [
        [0, 9, 1],
        [3, 1, 1],
        [1],
        [2, 1, 0, 0],
        [0, 1, 7, 2, 1, 6, 0],
        [0, 1, 7, 2, 65535, 60000, 60000],
    ],
)
def test_damaged_segments_are_told(make_dicom: DicomMaker, words: list[int]) -> None:
    with pytest.raises(UnreadableImage, match="SegmentedRedPaletteColorLookupTableData"):
        radiograph_from_dicom(make_dicom(RAMP, **segments(words, 256)))


def test_segments_never_grow_beyond_the_palette(make_dicom: DicomMaker) -> None:
    bomb = [0, 1, 7, 1, 65535, 9, *[2, 65535, 0, 0] * 10_000]
    shown = radiograph_from_dicom(make_dicom(RAMP, **segments(bomb, 256))).pixels
    assert shown.max() < 1e-3


@pytest.mark.parametrize(
    "without", ["RedPaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData"]
)
def test_missing_table_is_told(make_dicom: DicomMaker, without: str) -> None:
    ramp = np.arange(256, dtype=np.uint16) * 257
    with pytest.raises(UnreadableImage, match=without.removesuffix("Data")):
        radiograph_from_dicom(make_dicom(RAMP, **tables(ramp, ramp, ramp), without=[without]))
