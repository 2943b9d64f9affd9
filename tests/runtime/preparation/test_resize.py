"""The sparing resize gives OpenCV's numbers, to the last bit."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.preparation.resize import resized_shades
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.reading.read import read_radiograph


def noise(rows: int, columns: int, kind: type[np.unsignedinteger] = np.uint16) -> Radiograph:
    """Every pixel differs from its neighbours, so that none is taken for another."""
    random = np.random.default_rng(rows * 10_007 + columns)
    codes = random.integers(0, np.iinfo(kind).max, (rows, columns), kind, endpoint=True)
    return Radiograph(codes, random.random(int(np.iinfo(kind).max) + 1), "PNG")


def expected(radiograph: Radiograph, size: int) -> np.ndarray:
    pixels = radiograph.shades[radiograph.codes]
    return np.asarray(cv2.resize(pixels, (size, size), interpolation=cv2.INTER_LINEAR))


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        *((1, 1), (1, 2), (2, 1), (1, 3000), (3000, 1), (3, 2000), (17, 40)),
        *((511, 513), (512, 512), (513, 511), (600, 640), (1023, 1025)),
        *((1024, 1024), (1024, 2048), (1536, 1024), (2048, 2048), (2022, 2022), (2049, 3001)),
        *((90, 20_011), (3072, 2560), (4280, 3520)),
    ],
)
def test_every_number_is_that_of_opencv(rows: int, columns: int) -> None:
    radiograph = noise(rows, columns)
    np.testing.assert_array_equal(resized_shades(radiograph, 512), expected(radiograph, 512))


def test_random_shapes_and_sizes() -> None:
    random = np.random.default_rng(5)
    for _ in range(40):
        rows, columns, size = (int(value) for value in random.integers((1, 1, 32), 1600))
        radiograph = noise(rows, columns, np.uint8)
        given = resized_shades(radiograph, size)
        np.testing.assert_array_equal(given, expected(radiograph, size), f"{rows} {columns} {size}")


def test_of_a_large_radiograph_few_shades_are_looked_up() -> None:
    radiograph = noise(4000, 5000)
    resized_shades(radiograph, 512)
    assert "pixels" not in vars(radiograph)


def test_real_radiographs(shared: Callable[[str], Path]) -> None:
    for path in sorted(shared("cohen/images").iterdir())[::20]:
        radiograph = read_radiograph(path)
        np.testing.assert_array_equal(resized_shades(radiograph, 512), expected(radiograph, 512))
