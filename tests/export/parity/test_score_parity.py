"""What a precision costs in scores, against scikit-learn and plain arithmetic."""

from typing import Any

import numpy as np
import pytest
from brixia_edge.export.parity.score_parity import compare_scores, quadratic_kappa
from numpy.typing import NDArray

metrics: Any = pytest.importorskip("sklearn.metrics")


@pytest.fixture
def reference() -> NDArray[np.float32]:
    logits = np.random.default_rng(0).standard_normal((40, 6, 4)) * 2
    exponents = np.exp(logits)
    return (exponents / exponents.sum(axis=2, keepdims=True)).astype(np.float32)


def test_equal_networks_cost_nothing(reference: NDArray[np.float32]) -> None:
    parity = compare_scores(reference, reference)
    assert parity.zone_agreement == 1
    assert parity.expected_global.maximum == parity.global_score.maximum == 0
    assert parity.accuracy is None


def test_changes_are_counted_by_zone_and_image(reference: NDArray[np.float32]) -> None:
    changed = reference.copy()
    changed[3, 2] = np.roll(changed[3, 2], 1)
    parity = compare_scores(reference, changed)
    before, after = ([float(p @ np.arange(4)) for p in a[3]] for a in (reference, changed))
    assert parity.zone_agreement == pytest.approx(1 - 1 / 240)
    assert parity.expected_global.maximum == pytest.approx(abs(after[2] - before[2]), abs=1e-6)
    assert parity.expected_global.mean == pytest.approx(abs(after[2] - before[2]) / 40, abs=1e-6)
    assert parity.global_score.maximum == abs(
        int(changed[3, 2].argmax()) - int(reference[3, 2].argmax())
    )


def test_accuracy_is_of_the_annotated_images_alone(reference: NDArray[np.float32]) -> None:
    generator = np.random.default_rng(1)
    scores = [generator.integers(0, 4, 6) if index % 2 else None for index in range(40)]
    parity = compare_scores(reference, reference[:, :, ::-1], scores)
    truth = np.stack([entry for entry in scores if entry is not None])
    mine, flipped = reference.argmax(axis=2)[1::2], reference[:, :, ::-1].argmax(axis=2)[1::2]
    assert parity.annotated_images == 20
    assert parity.reference_accuracy is not None
    assert parity.accuracy is not None
    assert parity.reference_accuracy.zone_mae == pytest.approx(
        metrics.mean_absolute_error(truth.ravel(), mine.ravel())
    )
    assert parity.accuracy.global_mae == pytest.approx(
        metrics.mean_absolute_error(truth.sum(axis=1), flipped.sum(axis=1))
    )
    assert parity.accuracy.quadratic_kappa == pytest.approx(
        metrics.cohen_kappa_score(truth.ravel(), flipped.ravel(), weights="quadratic")
    )


def test_kappa_of_raters_who_never_differ_in_what_they_say_is_undefined() -> None:
    same = np.full((5, 6), 2)
    assert np.isnan(quadratic_kappa(same, same))
    assert quadratic_kappa(np.array([0, 1, 2, 3]), np.array([0, 1, 2, 3])) == 1
