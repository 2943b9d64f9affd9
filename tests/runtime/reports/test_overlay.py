"""Overlay: things are drawn where an independent calculation puts them, and nowhere else."""

import stat
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.reports.drawing import TextStyle, text_strip
from brixia_edge.runtime.reports.material import Material
from brixia_edge.runtime.reports.overlay import overlay_picture, write_overlay
from brixia_edge.runtime.reports.zone_geometry import zone_outline
from brixia_edge.runtime.results import ScoredRadiograph
from brixia_edge.runtime.scores import Zone
from numpy.typing import NDArray

Builder = Callable[..., ScoredRadiograph]
Picture = NDArray[np.uint8]

SHIFTED = ((0.8, 0.0, 0.1), (0.0, 0.7, -0.05))
TURNED = ((0.8, -0.06, 0.0), (0.05, 0.8, 0.0))


@pytest.fixture
def grey(make_radiograph: Callable[..., Radiograph]) -> Radiograph:
    """A square of one grey, drawn at 1024 by 1024."""
    return make_radiograph(pixels=np.full((400, 400), 0.4))


@pytest.fixture
def empty_mask() -> NDArray[np.float32]:
    return np.zeros((512, 512), np.float32)


@pytest.fixture
def lungless(
    make_result: Builder, grey: Radiograph, empty_mask: NDArray[np.float32]
) -> Callable[..., Picture]:
    """The radiograph's part of an overlay, 1024 by 1024, with zones and without lungs."""

    def draw(theta: tuple[tuple[float, ...], ...]) -> Picture:
        result = make_result(radiograph=grey, alignment=theta, mask=empty_mask)
        return _middle(overlay_picture(result), 1024)

    return draw


def _middle(picture: Picture, rows: int) -> Picture:
    """The radiograph's part of the overlay: the strips above and below have another ground."""
    is_strip = (picture[:, 0] == picture[0, 0]).all(axis=1)
    inside = np.flatnonzero(~is_strip)
    assert inside[-1] - inside[0] + 1 == rows
    return picture[inside[0] : inside[-1] + 1]


def _coloured(picture: Picture) -> NDArray[np.bool_]:
    return np.ptp(picture.astype(int), axis=2) > 40


def _reach(flags: NDArray[np.bool_], row: float, column: float) -> float:
    """Distance from a point to the nearest marked pixel."""
    rows, columns = np.nonzero(flags)
    return float(np.hypot(rows - row, columns - column).min())


@pytest.mark.parametrize("theta", [SHIFTED, TURNED])
@pytest.mark.parametrize(
    ("left", "top"),
    [(0.0, 0.0), (0.0, 0.3), (0.0, 0.6), (0.5, 0.0), (0.5, 0.3), (0.5, 0.6)],
    ids="ABCDEF",
)
def test_zones_are_outlined_where_the_network_looked(
    lungless: Callable[..., Picture],
    theta: tuple[tuple[float, ...], ...],
    left: float,
    top: float,
) -> None:
    marks = _coloured(lungless(theta))
    # By hand: a point a fifth along the zone's upper edge, and one on its lower edge.
    for across, down in ((left + 0.1, top), (left + 0.1, top + 0.4)):
        aligned = np.array([2 * across - 1, 2 * down - 1, 1.0])
        column, row = (np.array(theta) @ aligned + 1) / 2 * 1024
        assert _reach(marks, row, column) < 8


def test_nothing_is_drawn_outside_the_aligned_frame(
    lungless: Callable[..., Picture],
) -> None:
    middle = lungless(SHIFTED)
    rows, columns = np.nonzero((middle != middle[0, 0]).any(axis=2))
    # Columns (1 + 0.1 - 0.8) / 2 to (1 + 0.1 + 0.8) / 2, rows (1 - 0.05 - 0.7) / 2 and so on.
    assert (columns.min(), columns.max()) == pytest.approx((0.15 * 1024, 0.95 * 1024), abs=6)
    assert (rows.min(), rows.max()) == pytest.approx((0.125 * 1024, 0.825 * 1024), abs=6)


def test_zone_outline_of_an_oblong_radiograph() -> None:
    corners = zone_outline(Zone.F, np.eye(2, 3, dtype=np.float32), rows=1024, columns=2048)
    # An input pixel's centre lies half a pixel in; two and four of the picture's fill one.
    shift = np.array([1.5, 0.5])
    expected = np.array([(1024, 614.4), (2048, 614.4), (2048, 1024), (1024, 1024)]) + shift
    np.testing.assert_allclose(corners, expected)


def test_lung_contour_lies_on_the_border_of_the_mask(
    make_result: Builder, grey: Radiograph, lung_mask: NDArray[np.float32]
) -> None:
    off_image = ((1.0, 0.0, 9.0), (0.0, 1.0, 9.0))
    picture = overlay_picture(make_result(radiograph=grey, alignment=off_image, mask=lung_mask))
    marks = _coloured(_middle(picture, 1024))
    for row, column in ((500, 160), (500, 440), (500, 580), (500, 860), (200, 300), (800, 700)):
        assert _reach(marks, row, column) <= 2
    assert not marks[220:780, 180:420].any(), "inside the lung"
    assert not marks[:980, :140].any(), "beside the lungs"


def test_specks_of_the_mask_are_left_out(
    make_result: Builder, grey: Radiograph, empty_mask: NDArray[np.float32]
) -> None:
    off_image = ((1.0, 0.0, -9.0), (0.0, 1.0, -9.0))
    empty_mask[300:310, 300:310] = 1.0
    picture = overlay_picture(make_result(radiograph=grey, alignment=off_image, mask=empty_mask))
    assert not _coloured(_middle(picture, 1024))[500:700, 500:700].any()


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((300, 376), (817, 1024)),
        ((1200, 1100), (1200, 1100)),
        ((2800, 1400), (1400, 700)),
        ((1400, 4200), (467, 1400)),
        ((2000, 20), (1400, 14)),
        ((8, 8), (1024, 1024)),
    ],
)
def test_strips_frame_a_radiograph_of_readable_size(
    make_result: Builder,
    make_radiograph: Callable[..., Radiograph],
    size: tuple[int, int],
    shown: tuple[int, int],
) -> None:
    radiograph = make_radiograph(pixels=np.full(size, 0.6))
    picture = overlay_picture(make_result(radiograph=radiograph))
    assert picture.shape[1] == max(640, shown[1])
    assert _middle(picture, shown[0]).shape[0] == shown[0]
    assert picture.dtype == np.uint8


def test_strips_grow_with_the_warnings(make_result: Builder, grey: Radiograph) -> None:
    plain = overlay_picture(make_result(radiograph=grey))
    long = "The lungs found cover 3.0% of the image; 15 to 60 % is plausible. " * 3
    warned = overlay_picture(make_result(radiograph=grey, warnings=[long, "Turned."]))
    assert warned.shape[0] > plain.shape[0] + 80
    np.testing.assert_array_equal(_middle(plain, 1024), _middle(warned, 1024))


def test_strip_keeps_all_words_inside() -> None:
    style = TextStyle(height=16)
    strip = text_strip([("word " * 60 + "x" * 300 + " naïve", style)], width=640, margin=16)
    written = (strip != strip[0, 0]).any(axis=2)
    assert strip.shape[1] == 640
    assert written.any()
    assert not written[:, :12].any()
    assert not written[:, -12:].any()
    assert not written[-2:].any()


@pytest.mark.parametrize(
    "theta", [((1e6, 0, 0), (0, 1e6, 0)), ((1, 0, -50), (0, 1, 40)), ((0, 0, 0), (0, 0, 0))]
)
def test_wild_alignments_are_drawn_all_the_same(
    make_result: Builder, grey: Radiograph, theta: tuple[tuple[float, ...], ...]
) -> None:
    middle = _middle(overlay_picture(make_result(radiograph=grey, alignment=theta)), 1024)
    assert _coloured(middle).any()


def test_the_radiograph_itself_is_not_touched(make_result: Builder, grey: Radiograph) -> None:
    overlay_picture(make_result(radiograph=grey))
    assert (grey.pixels == 0.4).all()


def test_what_is_written_is_the_picture(
    make_result: Builder, grey: Radiograph, tmp_path: Path
) -> None:
    result = make_result(radiograph=grey)
    write_overlay(Material(result), tmp_path / "overlay.png")
    picture = cv2.imread(str(tmp_path / "overlay.png"))
    np.testing.assert_array_equal(picture, overlay_picture(result))


def test_a_folder_that_cannot_be_written_is_an_os_error(
    make_result: Builder, grey: Radiograph, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        write_overlay(Material(make_result(radiograph=grey)), tmp_path / "file" / "overlay.png")
    assert stat.S_ISREG((tmp_path / "file").stat().st_mode)
