"""Placement: a chest is known as it lies, and each way of spoiling it is told apart."""

import numpy as np
import pytest
from brixia_edge.runtime.quality.chest_template import (
    PLACEMENTS,
    SIZE,
    ChestTemplate,
    Placement,
    chest_patch,
    measure_placement,
    reduce_image,
    shipped_template,
)
from drawn_chest import Array, draw_chest

NAMED = {
    "mirrored": Placement(mirrored=True),
    "turned by 90 degrees anticlockwise": Placement(quarter_turns=1),
    "turned by 180 degrees": Placement(quarter_turns=2),
    "turned by 90 degrees clockwise": Placement(quarter_turns=3),
    "mirrored and turned by 180 degrees": Placement(quarter_turns=2, mirrored=True),
    "as a negative": Placement(negative=True),
}


def laid(image: Array, placement: Placement) -> Array:
    """Lay a whole image as `Placement.lay` lays a patch; its mask is laid without a negative."""
    mirrored = image[:, ::-1] if placement.mirrored else image
    turned = np.ascontiguousarray(np.rot90(mirrored, placement.quarter_turns))
    return 1 - turned if placement.negative else turned


@pytest.mark.parametrize(("shift", "size"), [((0, 0), 1.0), ((30, 15), 0.8), ((-20, 0), 1.1)])
def test_an_upright_chest_fits_best_as_it_is(shift: tuple[int, int], size: float) -> None:
    measured = measure_placement(*draw_chest(shift, size), shipped_template())
    assert measured.advantage < -1.0
    assert measured.likeness > 0.7


@pytest.mark.parametrize("words", NAMED)
def test_what_would_set_an_image_right_is_found_and_named(words: str) -> None:
    undo = NAMED[words]
    image, mask = draw_chest()
    # All of these but the quarter turns undo themselves.
    spoilt = Placement(undo.negative, -undo.quarter_turns % 4, undo.mirrored)
    shape = Placement(False, spoilt.quarter_turns, spoilt.mirrored)
    measured = measure_placement(laid(image, spoilt), laid(mask, shape), shipped_template())
    assert measured.best == undo
    assert measured.advantage > 1.0
    assert str(measured.best) == words


def test_a_spoilt_image_fits_as_much_better_as_the_upright_one_fits_worse() -> None:
    image, mask = draw_chest()
    upright = measure_placement(image, mask, shipped_template())
    mirrored = measure_placement(image[:, ::-1], mask[:, ::-1], shipped_template())
    assert upright.best == mirrored.best == Placement(mirrored=True)
    assert mirrored.advantage == pytest.approx(-upright.advantage, abs=0.01)


@pytest.mark.parametrize("undo", PLACEMENTS, ids=str)
def test_a_patch_turns_with_its_image(undo: Placement) -> None:
    image, mask = draw_chest()
    shape = Placement(False, undo.quarter_turns, undo.mirrored)
    of_laid = chest_patch(reduce_image(laid(image, undo)), reduce_image(laid(mask, shape)))
    laid_patch = undo.lay(chest_patch(reduce_image(image), reduce_image(mask)))
    np.testing.assert_allclose(of_laid, laid_patch, atol=2e-3)


def test_the_surroundings_of_the_lungs_do_not_matter() -> None:
    small, reference = draw_chest(size=0.6), draw_chest(size=0.9)
    patches = [
        chest_patch(reduce_image(image), reduce_image(mask)) for image, mask in (small, reference)
    ]
    assert np.corrcoef(patches[0].ravel(), patches[1].ravel())[0, 1] > 0.95


def test_lungs_unlike_a_chests_have_little_likeness() -> None:
    image, mask = draw_chest()
    mask[:, :256] = 0.0
    one_lung = measure_placement(image, mask, shipped_template())
    noise = np.random.default_rng(1).random((512, 512)).astype(np.float32)
    nothing = measure_placement(noise, noise, shipped_template())
    assert one_lung.likeness < 0.45
    assert abs(nothing.likeness) < 0.45


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_without_lungs_nothing_is_measured(value: float) -> None:
    image, _ = draw_chest()
    measured = measure_placement(image, np.full_like(image, value), shipped_template())
    assert np.isnan([measured.likeness, measured.advantage]).all()


def test_fits_are_those_of_the_laid_patches() -> None:
    rng = np.random.default_rng(2)
    patch, weights = rng.normal(size=(2, 2, SIZE, SIZE)).astype(np.float32)
    fits = ChestTemplate(weights, weights[1]).fits(patch)
    assert len(fits) == 16
    assert fits[0] == pytest.approx((patch * weights).sum(), rel=1e-5)
    flipped = patch[:, ::-1]  # upside down: mirrored, then turned by 180 degrees
    expected = (flipped * weights).sum()
    assert fits[PLACEMENTS.index(Placement(False, 2, True))] == pytest.approx(expected, rel=1e-4)
