"""A zone's region in a report lies where the network looked, in DICOM's coordinates."""

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.contract import COLUMN_BANDS, ROW_BANDS
from brixia_edge.runtime.reports.dicom.zone_region import zone_region
from brixia_edge.runtime.scores import Zone
from numpy.typing import NDArray

ROWS, COLUMNS = 1024, 2048
UPRIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SHIFTED = ((0.8, 0.0, 0.1), (0.0, 0.7, -0.05))
TURNED = ((0.8, -0.3, 0.0), (0.25, 0.8, 0.0))
FAR_OUT = ((1.3, 0.4, 0.5), (-0.3, 1.2, -0.6))


def region(zone: Zone, alignment: object) -> NDArray[np.float64]:
    found = zone_region(zone, np.array(alignment, np.float32), ROWS, COLUMNS)
    assert found is not None
    return found


def was_read_for(zone: Zone, column: float, row: float, alignment: object) -> bool:
    """Whether the network read a point of the image for a zone, by the way back."""
    # The input's pixel centres lie half a pixel in, as the image's do.
    inside = np.array([column / COLUMNS * 512, row / ROWS * 512]) - 0.5
    matrix = np.array(alignment)
    centred = np.linalg.solve(matrix[:, :2], inside / 256 - 1 - matrix[:, 2])
    x, y = (centred + 1) / 2
    (top, bottom), (left, right) = ROW_BANDS[zone.level], COLUMN_BANDS[zone.lung]
    return bool(left <= x <= right and top <= y <= bottom)


@pytest.mark.parametrize("alignment", [UPRIGHT, SHIFTED, TURNED, FAR_OUT])
@pytest.mark.parametrize("zone", Zone)
def test_it_holds_the_points_that_were_read_for_the_zone(zone: Zone, alignment: object) -> None:
    random = np.random.default_rng(3)
    corners = zone_region(zone, np.array(alignment, np.float32), ROWS, COLUMNS)
    points = random.uniform((0, 0), (COLUMNS, ROWS), (2000, 2))
    read = [was_read_for(zone, column, row, alignment) for column, row in points]
    if corners is None:
        assert not any(read)
        return
    # Points as near to an edge as what is rounded away tell nothing.
    distances = [_distance(corners, column, row) for column, row in points]
    assert any(read)
    assert [distance > 0 for distance in distances if abs(distance) > 0.05] == [
        each for each, distance in zip(read, distances, strict=True) if abs(distance) > 0.05
    ]


def _distance(corners: NDArray[np.float64], column: float, row: float) -> float:
    polygon = corners[:-1].astype(np.float32)
    return cv2.pointPolygonTest(polygon, (column, row), measureDist=True)


@pytest.mark.parametrize("alignment", [UPRIGHT, SHIFTED, TURNED, FAR_OUT])
def test_it_is_closed_and_within_the_image(alignment: object) -> None:
    for zone in Zone:
        corners = zone_region(zone, np.array(alignment, np.float32), ROWS, COLUMNS)
        if corners is not None:
            np.testing.assert_array_equal(corners[0], corners[-1])
            assert 4 <= len(corners) <= 9
            assert (corners >= 0).all()
            assert (corners <= [COLUMNS, ROWS]).all()


def test_the_first_pixels_corner_is_nought_and_its_centre_a_half() -> None:
    # Aligned (0, 0) is the centre of the input's first pixel: two wide and one high here, halved.
    first = region(Zone.A, UPRIGHT)[0]
    np.testing.assert_allclose(first, [2.0, 1.0])
    # Aligned (1, 1) is half a pixel beyond the input's last one, so that the image ends before.
    assert [COLUMNS, ROWS] in region(Zone.F, UPRIGHT).tolist()


def test_a_zone_beside_the_image_has_none() -> None:
    beside = np.array(((1.0, 0.0, 5.0), (0.0, 1.0, 0.0)), np.float32)
    assert all(zone_region(zone, beside, ROWS, COLUMNS) is None for zone in Zone)


def test_a_mirrored_alignment_gives_the_mirrored_region() -> None:
    mirrored = region(Zone.A, ((-0.8, 0.0, 0.0), (0.0, 0.8, 0.0)))
    plain = region(Zone.A, ((0.8, 0.0, 0.0), (0.0, 0.8, 0.0)))
    # About the column of the input's centre, index 256.
    np.testing.assert_allclose(mirrored[:, 0] - 1026.0, 1026.0 - plain[:, 0])
    np.testing.assert_allclose(mirrored[:, 1], plain[:, 1])
