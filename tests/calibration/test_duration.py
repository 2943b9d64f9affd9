"""What is told about how long the work will take; the times themselves are the machine's."""

import pytest
from brixia_edge.calibration import duration
from brixia_edge.calibration.choosing.survey import MAXIMUM_CANDIDATES
from brixia_edge.calibration.duration import COLLECTING, GMAC, calibration_runs, seconds_an_image
from brixia_edge.runtime.bundles.bundle import Bundle


def test_every_file_is_looked_through_and_the_chosen_are_collected() -> None:
    assert calibration_runs(138, 100) == 138 + 100 * COLLECTING
    assert calibration_runs(20, 100) == 20 + 20 * COLLECTING
    # Of very many files some are drawn.
    assert calibration_runs(10**6, 100) == MAXIMUM_CANDIDATES + 100 * COLLECTING


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything takes a second."""
    seconds = iter(range(100))
    monkeypatch.setattr(duration, "perf_counter", lambda: next(seconds))


def test_a_network_at_hand_is_run_on_a_blank_image(tiny_bundle: Bundle) -> None:
    assert seconds_an_image(tiny_bundle) == 1


def test_a_network_that_is_not_built_is_worked_out_from_a_convolution() -> None:
    # Of 9 x 64 x 64 x 256 x 256 products.
    assert seconds_an_image() == pytest.approx(GMAC / 2.415919104)
