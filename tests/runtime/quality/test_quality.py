"""Quality: what is plausible passes in silence, what is not is named with its value."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from brixia_edge.runtime.quality.chest_template import Placement, PlacementMeasures
from brixia_edge.runtime.quality.measures import (
    AlignmentMeasures,
    QualityMeasures,
    measure_alignment,
    measure_quality,
)
from brixia_edge.runtime.quality.quality import LIMITS, Range, assess_quality, judge
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.results import Prediction
from drawn_chest import draw_chest
from numpy.typing import NDArray

MakeRadiograph = Callable[..., Radiograph]
Mask = NDArray[np.float32]

GOOD = QualityMeasures(
    lung_share=0.38,
    alignment=AlignmentMeasures(False, 0.8, 0.05, 0.95, 0.91, 0.01, -0.03),
    placement=PlacementMeasures(0.93, Placement(mirrored=True), -4.4),
    grey_levels=240,
    extreme_share=0.01,
    commonest_share=0.02,
    aspect_ratio=1.13,
    shorter_side=1200,
)


def _warnings(
    radiograph: Radiograph, mask: Mask, alignment: object = ((1, 0, 0), (0, 1, 0))
) -> tuple[str, ...]:
    image = draw_chest()[0][None, None]
    probabilities = np.full((6, 4), 0.25, np.float32)
    prediction = Prediction(probabilities, mask, np.array(alignment, np.float32))
    return assess_quality(radiograph, image, prediction).warnings


@pytest.fixture
def lung_mask() -> Mask:
    """The lungs of the drawn chest, which is the network's input in these tests."""
    return draw_chest()[1]


def _turned(degrees: float, mirror: float = 1.0) -> list[list[float]]:
    turn = np.radians(degrees)
    return [
        [mirror * np.cos(turn), -np.sin(turn), 0.0],
        [mirror * np.sin(turn), np.cos(turn), 0.0],
    ]


def test_a_plausible_radiograph_has_no_warning(
    make_radiograph: MakeRadiograph, lung_mask: Mask
) -> None:
    assert _warnings(make_radiograph(), lung_mask) == ()


def test_warnings_of_the_file_come_first(make_radiograph: MakeRadiograph, lung_mask: Mask) -> None:
    radiograph = make_radiograph((100, 640), warnings=["From the file."])
    warnings = _warnings(radiograph, lung_mask)
    assert warnings[0] == "From the file."
    assert len(warnings) == 3


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "No lungs were found: they cover 0.0%"), (0.1, "cover 10.0%"), (0.8, "cover 80.0%")],
)
def test_lungs(make_radiograph: MakeRadiograph, share: float, words: str) -> None:
    mask = np.zeros((512, 512), np.float32)
    mask.ravel()[: round(share * mask.size)] = 0.9
    warning = _warnings(make_radiograph(), mask)[0]
    assert words in warning
    assert "15" in warning


@pytest.mark.parametrize(
    ("alignment", "words"),
    [
        (_turned(11.2), "rotation is 11.20 degrees; -6 to 6 is plausible"),
        (_turned(-9.0), "rotation is -9.00 degrees"),
        (_turned(180.0), "rotation is 180.00 degrees"),
        (_turned(1.0, mirror=-1.0), "mirrored"),
        ([[1, 0.2, 0], [0, 1, 0]], "shear is 11.31 degrees"),
        ([[0.3, 0, 0], [0, 1, 0]], "horizontal scale is 0.30"),
        ([[1, 0, 0], [0, 1.4, 0]], "vertical scale is 1.40"),
        ([[1, 0, -0.4], [0, 1, 0]], "horizontal shift is -0.40"),
        ([[1, 0, 0], [0, 1, 0.4]], "vertical shift is 0.40"),
    ],
)
def test_alignment(
    make_radiograph: MakeRadiograph, lung_mask: Mask, alignment: object, words: str
) -> None:
    (warning,) = _warnings(make_radiograph(), lung_mask, alignment)
    assert words in warning


def test_alignment_says_nothing_where_no_lungs_were_found(make_radiograph: MakeRadiograph) -> None:
    nothing = np.zeros((512, 512), np.float32)
    (warning,) = _warnings(make_radiograph(), nothing, _turned(40.0))
    assert "No lungs" in warning


@pytest.mark.parametrize(
    ("best", "words"),
    [
        (
            Placement(mirrored=True),
            "looks mirrored, the heart on its left, so left and right may be",
        ),
        (
            Placement(quarter_turns=2),
            "looks upside down, the lungs' narrow ends below: turned by 180",
        ),
        (Placement(False, 2, True), "looks upside down"),
        (Placement(quarter_turns=1), "lie on the side, one lung above the other: turned by 90"),
        (Placement(False, 3, True), "lie on the side"),
        (
            Placement(negative=True),
            "polarity looks inverted, with air bright and bone dark: as a neg",
        ),
        (Placement(True, 1, True), "polarity looks inverted"),
    ],
)
def test_an_image_that_would_fit_better_otherwise(best: Placement, words: str) -> None:
    placement = PlacementMeasures(0.9, best, 3.25)
    (warning,) = judge(replace(GOOD, placement=placement))
    assert words in warning
    assert "better by 3.2 in log odds; up to 0.5 is plausible." in warning


def test_lungs_that_do_not_lie_side_by_side() -> None:
    placement = PlacementMeasures(0.31, Placement(mirrored=True), -2.0)
    (warning,) = judge(replace(GOOD, placement=placement))
    assert "likeness to a chest's is 0.31; at least 0.45 is plausible." in warning


def test_lungs_of_an_implausible_size_are_told_how_they_lie_too() -> None:
    placement = PlacementMeasures(0.5, Placement(quarter_turns=2), 6.0)
    size, lying = judge(replace(GOOD, lung_share=0.1, placement=placement))
    assert "cover 10.0%" in size
    assert "upside down" in lying


@pytest.mark.parametrize("value", [0.0, 0.37, 1.0])
def test_a_constant_image_is_empty(
    make_radiograph: MakeRadiograph, lung_mask: Mask, value: float
) -> None:
    warnings = _warnings(make_radiograph(pixels=np.full((500, 500), value)), lung_mask)
    assert any("1 of 256 grey levels" in warning for warning in warnings)


def test_a_few_bright_pixels_do_not_fill_an_image(
    make_radiograph: MakeRadiograph, lung_mask: Mask
) -> None:
    pixels = np.zeros((500, 500))
    pixels[200:300, 200:300] = np.linspace(0.1, 0.9, 10_000).reshape(100, 100)
    (warning,) = _warnings(make_radiograph(pixels=pixels), lung_mask)
    assert "96% of it is black or white; up to 60% is plausible" in warning


@pytest.mark.parametrize(("rows", "columns"), [(2000, 600), (600, 2000)])
def test_a_strip_is_no_frontal_chest(
    make_radiograph: MakeRadiograph, lung_mask: Mask, rows: int, columns: int
) -> None:
    (warning,) = _warnings(make_radiograph((rows, columns)), lung_mask)
    assert f"{columns / rows:.2f} times as wide as high; 0.7 to 1.6 is plausible" in warning


def test_a_thumbnail_is_too_small(make_radiograph: MakeRadiograph, lung_mask: Mask) -> None:
    (warning,) = _warnings(make_radiograph((90, 100)), lung_mask)
    assert "shorter side has 90 pixels; at least 200" in warning


def test_an_image_prepared_to_one_level_is_empty() -> None:
    (warning,) = judge(replace(GOOD, commonest_share=0.9))
    assert "90% of it has one grey level" in warning


def test_measures_that_are_no_numbers_are_not_plausible() -> None:
    assert judge(replace(GOOD, lung_share=float("nan")))
    assert judge(replace(GOOD, alignment=measure_alignment(np.full((2, 3), np.nan, np.float32))))
    assert judge(replace(GOOD, alignment=measure_alignment(np.zeros((2, 3), np.float32))))
    assert judge(replace(GOOD, placement=PlacementMeasures(0.9, Placement(), float("nan"))))
    assert judge(replace(GOOD, placement=PlacementMeasures(float("nan"), Placement(), -1.0)))


def test_limits_are_inclusive_and_can_be_replaced() -> None:
    assert judge(GOOD) == ()
    assert judge(replace(GOOD, lung_share=LIMITS.lung_share.lowest)) == ()
    assert len(judge(GOOD, replace(LIMITS, lung_share=Range(0.5, 0.6)))) == 1


def test_an_alignment_is_taken_apart_as_it_was_put_together() -> None:
    turn, shear = np.radians(7.0), np.tan(np.radians(2.0))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = rotation @ np.diag([0.9, 0.8]) @ np.array([[1.0, 0.8 / 0.9 * shear], [0.0, 1.0]])
    matrix = np.column_stack([linear, [0.1, -0.2]]).astype(np.float32)
    measured = measure_alignment(matrix)
    assert measured.rotation == pytest.approx(7.0, abs=1e-4)
    assert measured.shear == pytest.approx(2.0, abs=1e-4)
    assert measured.horizontal_scale == pytest.approx(0.9, abs=1e-6)
    assert measured.vertical_scale == pytest.approx(0.8, abs=1e-6)
    assert (measured.horizontal_shift, measured.vertical_shift) == pytest.approx((0.1, -0.2))


def test_a_large_image_is_sampled_all_over(make_radiograph: MakeRadiograph) -> None:
    ramp = np.tile(np.linspace(0.0, 1.0, 2048), (2048, 1))
    prediction = Prediction(
        np.full((6, 4), 0.25, np.float32),
        np.zeros((512, 512), np.float32),
        np.eye(2, 3, dtype=np.float32),
    )
    image = np.zeros((1, 1, 512, 512), np.float32)
    measured = measure_quality(make_radiograph(pixels=ramp), image, prediction)
    assert measured.grey_levels >= 250
    assert measured.commonest_share == 1.0
    assert measured.extreme_share == pytest.approx(0.04, abs=0.005)
