"""Shutters hide exactly the pixels outside them, and make them black after polarity."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.reading.dicom.reader import radiograph_from_dicom
from brixia_edge.runtime.reading.dicom.shutter import polygon_mask
from numpy.typing import NDArray

DicomMaker = Callable[..., bytes]

# Bright everywhere, black nowhere: what is black was made so.
BRIGHT = np.full((6, 8), 900, np.uint16) + np.arange(8, dtype=np.uint16)
ELEMENTS = {"BitsStored": 10, "HighBit": 9, "WindowCenter": 512, "WindowWidth": 1024}

RECTANGLE = {
    "ShutterUpperHorizontalEdge": 2,
    "ShutterLowerHorizontalEdge": 5,
    "ShutterLeftVerticalEdge": 3,
    "ShutterRightVerticalEdge": 7,
}


def seen(content: bytes) -> NDArray[np.bool_]:
    return radiograph_from_dicom(content).pixels > 0


def picture(*lines: str) -> NDArray[np.bool_]:
    return np.array([[sign == "#" for sign in line] for line in lines])


def test_rectangle_counts_from_1_and_shows_its_edges(make_dicom: DicomMaker) -> None:
    content = make_dicom(BRIGHT, **ELEMENTS, ShutterShape="RECTANGULAR", **RECTANGLE)
    expected = picture(
        "........",
        "..#####.",
        "..#####.",
        "..#####.",
        "..#####.",
        "........",
    )
    np.testing.assert_array_equal(seen(content), expected)
    (step,) = (step for step in radiograph_from_dicom(content).steps if "shutter" in step)
    assert step == "shutter RECTANGULAR: 58.3% of the pixels made black (PS3.3 C.7.6.11)"


def test_circle(make_dicom: DicomMaker) -> None:
    elements = {"CenterOfCircularShutter": [3, 4], "RadiusOfCircularShutter": 2}
    content = make_dicom(BRIGHT, **ELEMENTS, ShutterShape="CIRCULAR", **elements)
    expected = picture(
        "...#....",
        "..###...",
        ".#####..",
        "..###...",
        "...#....",
        "........",
    )
    np.testing.assert_array_equal(seen(content), expected)


def test_polygon(make_dicom: DicomMaker) -> None:
    vertices = [1, 4, 4, 1, 4, 7]  # row, column, row, column...
    content = make_dicom(
        BRIGHT, **ELEMENTS, ShutterShape="POLYGONAL", VerticesOfThePolygonalShutter=vertices
    )
    expected = picture(
        "...#....",
        "..###...",
        ".#####..",
        "#######.",
        "........",
        "........",
    )
    np.testing.assert_array_equal(seen(content), expected)


def test_what_is_seen_lies_within_every_shape(make_dicom: DicomMaker) -> None:
    content = make_dicom(
        BRIGHT,
        **ELEMENTS,
        **RECTANGLE,
        ShutterShape=["RECTANGULAR", "CIRCULAR"],
        CenterOfCircularShutter=[3, 4],
        RadiusOfCircularShutter=2,
    )
    expected = picture(
        "........",
        "..###...",
        "..####..",
        "..###...",
        "...#....",
        "........",
    )
    np.testing.assert_array_equal(seen(content), expected)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_what_is_hidden_is_black_whatever_the_polarity(
    make_dicom: DicomMaker, photometric: str
) -> None:
    plain = make_dicom(BRIGHT, **ELEMENTS, PhotometricInterpretation=photometric)
    shut = make_dicom(
        BRIGHT,
        **ELEMENTS,
        **RECTANGLE,
        PhotometricInterpretation=photometric,
        ShutterShape="RECTANGULAR",
    )
    expected = radiograph_from_dicom(plain).pixels.copy()
    expected[[0, -1]] = expected[:, :2] = expected[:, 7:] = 0
    np.testing.assert_array_equal(radiograph_from_dicom(shut).pixels, expected)


def test_black_is_found_where_no_code_of_8_bits_is_left_for_it(make_dicom: DicomMaker) -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    window = {"WindowCenter": 128, "WindowWidth": 4096}  # so wide that nothing is black
    content = make_dicom(
        pixels,
        **window,
        **(RECTANGLE | {"ShutterLowerHorizontalEdge": 16, "ShutterRightVerticalEdge": 16}),
        ShutterShape="RECTANGULAR",
    )
    shown = radiograph_from_dicom(content).pixels
    assert (shown[0] == 0).all()
    assert (shown[:, :2] == 0).all()
    plain = radiograph_from_dicom(make_dicom(pixels, **window)).pixels
    np.testing.assert_array_equal(shown[1:, 2:], plain[1:, 2:])


@pytest.mark.parametrize(
    "elements",
    [
        {"ShutterShape": "BITMAP"},
        {"ShutterShape": "RECTANGULAR"},
        {"ShutterShape": "RECTANGULAR", **dict.fromkeys(RECTANGLE, 0)},
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [1, 1]},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 4, 4]},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 4, 4, 9]},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 4, 2147483647, 9, 9]},
    ],
)
def test_shutter_that_cannot_be_used_is_left_out_and_told(
    make_dicom: DicomMaker, elements: dict[str, object]
) -> None:
    radiograph = radiograph_from_dicom(make_dicom(BRIGHT, **ELEMENTS, **elements))
    assert (radiograph.pixels > 0).all()
    assert [text for text in radiograph.warnings if "shutter" in text]


def test_shutters_that_hide_everything_together_are_left_out(make_dicom: DicomMaker) -> None:
    elements = {"CenterOfCircularShutter": [1, 1], "RadiusOfCircularShutter": 0}
    content = make_dicom(
        BRIGHT, **ELEMENTS, **RECTANGLE, **elements, ShutterShape=["RECTANGULAR", "CIRCULAR"]
    )
    radiograph = radiograph_from_dicom(content)
    assert (radiograph.pixels > 0).all()
    assert "the shutters hide the whole image; left out" in radiograph.warnings


@pytest.mark.parametrize("seed", range(20))
def test_polygon_is_that_of_opencv_pixel_by_pixel(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = (int(random.integers(5, 40)), int(random.integers(5, 40)))
    # Some vertices outside; borders that cross each other now and then.
    vertices = random.integers(-8, 48, (int(random.integers(3, 7)), 2)).astype(np.float64)
    if seed < 10:
        vertices = cv2.convexHull(vertices[:, ::-1].astype(np.int32))[:, 0, ::-1].astype(np.float64)
    elif not _simple(vertices):
        vertices = vertices[:3]
    contour = vertices[:, ::-1].astype(np.float32)[:, np.newaxis]
    expected = np.array(
        [
            [
                cv2.pointPolygonTest(contour, (float(x), float(y)), False) >= 0
                for x in range(size[1])
            ]
            for y in range(size[0])
        ]
    )
    np.testing.assert_array_equal(polygon_mask(vertices, size), expected)


def _simple(vertices: NDArray[np.float64]) -> bool:
    """Whether a polygon turns round once in all: only then do all rules for its inside agree."""
    edges = np.roll(vertices, -1, axis=0) - vertices
    angles = np.arctan2(*edges.T)
    turns = (np.roll(angles, -1) - angles + np.pi) % (2 * np.pi) - np.pi
    return abs(abs(turns.sum()) - 2 * np.pi) < 0.1
