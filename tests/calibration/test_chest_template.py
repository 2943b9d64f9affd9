"""Making a template: it learns how drawn chests lie, from copies whose placement is known."""

import json
from typing import Any

import numpy as np
import pytest
from brixia_edge.calibration import chest_template
from brixia_edge.calibration.chest_template import (
    CHANGES,
    Observation,
    cross_validate,
    make_template,
    rates,
    template_json,
)
from brixia_edge.runtime.quality.chest_template import (
    PLACEMENTS,
    ChestTemplate,
    measure_placement,
    reduce_image,
)
from brixia_edge.runtime.quality.measures import AlignmentMeasures, QualityMeasures
from brixia_edge.runtime.radiograph import Radiograph
from drawn_chest import Array, draw_chest
from numpy.typing import NDArray

Observed = dict[str, list[Observation]]

NOTHING = ChestTemplate(np.zeros((2, 12, 12), np.float32), np.ones((12, 12), np.float32))


@pytest.fixture(scope="module")
def observed() -> Observed:
    """Twelve drawn chests of six patients, each changed in every way."""
    chests = [draw_chest((3 * index - 18, index), 0.8 + 0.02 * index) for index in range(12)]
    return {
        name: [_observation(index, name, *chest) for index, chest in enumerate(chests)]
        for name in CHANGES
    }


def _observation(index: int, name: str, image: Array, mask: Array) -> Observation:
    image, mask = (_changed(name, reduce_image(each)) for each in (image, mask))
    image = 1 - image if CHANGES[name].negative else image
    placement = measure_placement(image, mask, NOTHING)
    upright = AlignmentMeasures(False, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
    measures = QualityMeasures(0.3, upright, placement, 200, 0.1, 0.1, 1.0, 500)
    return Observation(
        f"the case of patient {index // 2}, image {index}.png", image, mask, measures
    )


def _changed(name: str, image: Array) -> Array:
    codes = np.arange(image.size, dtype=np.uint32).reshape(image.shape)
    return image.ravel()[CHANGES[name].turn(codes)]


def test_a_template_tells_chests_it_never_saw(observed: Observed) -> None:
    template = make_template(observed)
    unseen = _observation(0, "as it is", *draw_chest((40, -20), 0.7))
    assert unseen.warnings(template) == ()
    for name in set(CHANGES) - {"as it is"}:
        (warning,) = _observation(0, name, *draw_chest((40, -20), 0.7)).warnings(template)
        assert f": {CHANGES[name].undo}, the image would fit" in warning


def test_cross_validation_holds_back_every_image_of_a_patient(
    observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_by: list[set[str]] = []

    def note(given: Observed) -> ChestTemplate:
        seen_by.append({seen.file for seen in given["as it is"]})
        return NOTHING

    monkeypatch.setattr("brixia_edge.calibration.chest_template.make_template", note)
    cross_validate(observed)
    patients = {f"the case of patient {index}" for index in range(6)}
    for patient in patients:
        counts = {sum(file.startswith(patient) for file in files) for files in seen_by}
        assert counts == {0, 2}


def test_rates_count_the_warned_apart_and_together() -> None:
    table = rates(
        {"as it is": [(), ()], "mirrored": [("a",), ()], "inverted": [("a",), ("b", "c")]}
    )
    assert table.splitlines()[1:] == [
        "as it is               0     2     0.0%",
        "mirrored               1     2    50.0%",
        "inverted               2     2   100.0%",
        "all changed            3     4    75.0%",
    ]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_undone_by_the_placement_that_stands_with_it(name: str) -> None:
    patch = np.random.default_rng(3).normal(size=(2, 12, 12)).astype(np.float32)
    codes = np.arange(144, dtype=np.uint32).reshape(12, 12)
    spoilt = patch.reshape(2, -1)[:, CHANGES[name].turn(codes)]
    spoilt = spoilt * np.array([-1, 1])[:, None, None] if CHANGES[name].negative else spoilt
    np.testing.assert_array_equal(CHANGES[name].undo.lay(spoilt), patch)


def test_an_inverted_radiograph_has_the_opposite_shades() -> None:
    radiograph = Radiograph(np.eye(3, dtype=np.uint8), np.array([0.2, 0.9]), "PNG")
    inverted = CHANGES["inverted"].of(radiograph)
    np.testing.assert_allclose(inverted.pixels, 1 - radiograph.pixels)


def test_a_template_is_written_with_where_it_came_from() -> None:
    stored = json.loads(template_json(NOTHING, 12, "ab" * 32))
    assert (stored["images"], stored["model_sha256"]) == (12, "ab" * 32)
    assert np.array(stored["weights"]).shape == (2, 12, 12)
    assert np.array(stored["lungs"]).shape == (12, 12)


def test_the_fit_is_the_minimum_of_what_it_is_to_minimise() -> None:
    pytest.importorskip("sklearn")
    upright = np.random.default_rng(3).normal(0.2, 1.0, (24, 2, 12, 12)).astype(np.float32)
    weights = chest_template._fit_weights(upright)  # pyright: ignore[reportPrivateUsage]
    scale = float(np.sqrt(np.mean(upright**2)))
    ridge = chest_template._RIDGE  # pyright: ignore[reportPrivateUsage]

    def loss(tried: NDArray[np.floating[Any]]) -> float:
        laid = np.stack([placement.lay(upright / scale) for placement in PLACEMENTS])
        fits = np.einsum("kncij,cij->nk", laid.astype(np.float64), tried)
        shares = fits[:, 0] - np.log(np.exp(fits).sum(axis=1))
        return float(-shares.mean() + ridge / 2 * np.sum(tried**2))

    least = loss(weights.astype(np.float64) * scale)
    rng = np.random.default_rng(4)
    for size in (1e-1, 1e-2):
        for _ in range(20):
            step = rng.normal(0, size, weights.shape)
            assert loss(weights * scale + step) > least
