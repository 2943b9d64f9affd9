"""Stages add up to what a user waits for, and are those of the scorer."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.benchmarks.latency.doubts import doubts
from brixia_edge.benchmarks.latency.measurement import Extent, measure, rounds, settle
from brixia_edge.benchmarks.latency.sample_image import (
    BITS,
    COLUMNS,
    ROWS,
    chest_pixels,
    sample_image,
)
from brixia_edge.benchmarks.latency.stages import STAGES, Pipeline, StageClock
from brixia_edge.benchmarks.machine.speed import SpeedProbe
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.scorer import Scorer
from gpu_fixtures import Installer
from pydicom.filereader import read_partial

from ..conftest import FakeClock, PipelineDouble

TIMES = {"read": 2.0, "decode": 10.0, "prepare": 5.0, "infer": 80.0, "post": 2.5, "report": 0.5}
CPU_STAGES = tuple(TIMES)

PIXEL_SUM = 6421063058
"""Of the grey levels that saved baselines were measured with."""


def test_stages_add_up_to_the_end_to_end_time(clock: FakeClock) -> None:
    pipeline = PipelineDouble(clock, lambda: 100.0, TIMES)
    measurement = measure(pipeline, settle(pipeline, clock), Extent(30, 3.0), clock)
    assert measurement.stage_medians == pytest.approx(TIMES, abs=0.01)
    assert measurement.explained == pytest.approx(1.0, abs=0.001)
    assert measurement.network_share == pytest.approx(0.8, abs=0.001)
    assert measurement.summary.median == pytest.approx(100, abs=0.01)
    assert doubts(measurement) == ()


def test_time_that_no_stage_explains_is_told(clock: FakeClock) -> None:
    pipeline = PipelineDouble(clock, lambda: 110.0, TIMES)
    measurement = measure(pipeline, settle(pipeline, clock), Extent(30, 3.0), clock)
    assert measurement.explained == pytest.approx(100 / 110, abs=0.001)
    assert any("stages explain 90.9%" in doubt for doubt in doubts(measurement))


def test_giving_a_gpu_its_work_is_part_of_infer(clock: FakeClock) -> None:
    times = {"read": 1.0, "copy in": 1.0, "enqueue": 9.5, "infer": 0.5, "copy out": 1.0}
    pipeline = PipelineDouble(clock, lambda: 13.0, times)
    measurement = measure(pipeline, settle(pipeline, clock), Extent(30, 0.1), clock)
    assert measurement.stage_medians["infer"] == pytest.approx(10.0, abs=0.01)
    assert "enqueue" not in measurement.stages
    assert measurement.explained == pytest.approx(1.0, abs=0.01)
    assert any("enqueue-bound" in doubt for doubt in doubts(measurement))


def test_both_the_runs_and_the_seconds_are_reached(clock: FakeClock) -> None:
    slow = sum(1 for _ in rounds(Extent(30, 3.0), clock) if clock.work(500) is None)
    assert slow == 30
    fast = sum(1 for _ in rounds(Extent(30, 3.0), clock) if clock.work(10) is None)
    assert fast == pytest.approx(300, abs=1)


def test_unstable_and_few_times_are_told(clock: FakeClock) -> None:
    generator = np.random.default_rng(0)
    pipeline = PipelineDouble(clock, lambda: float(generator.uniform(50, 150)), TIMES)
    measurement = measure(pipeline, settle(pipeline, clock), Extent(5, 0.0), clock)
    told = " ".join(doubts(measurement))
    assert "unstable" in told
    assert "5 runs" in told


def test_a_machine_that_changes_its_speed_is_told(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    speeds = iter(np.linspace(10, 12, 32))

    def slower_and_slower(work: SpeedProbe) -> float:
        return float(next(speeds))

    monkeypatch.setattr(SpeedProbe, "time", slower_and_slower)
    pipeline = PipelineDouble(clock, lambda: 100.0, TIMES)
    measurement = measure(pipeline, settle(pipeline, clock), Extent(30, 3.0), clock)
    assert any("itself became 12% slower" in doubt for doubt in doubts(measurement))


@pytest.mark.parametrize(
    ("backend", "stages"),
    [
        ("onnxruntime", CPU_STAGES),
        ("openvino", (*CPU_STAGES[:4], "copy out", *CPU_STAGES[4:])),
    ],
)
def test_a_cpu_backend_tells_the_stages_it_can(
    backend: str, stages: tuple[str, ...], tiny_bundle: Bundle, chest_dicom: Path
) -> None:
    pytest.importorskip(backend)
    with Pipeline(tiny_bundle, backend, chest_dicom) as pipeline:
        clock = StageClock()
        pipeline.score_in_stages(clock.mark)
    assert tuple(clock.stages) == stages
    assert clock.enqueue is None


def test_a_gpu_tells_all_stages(
    install: Installer, bundle_for: Callable[..., Bundle], chest_dicom: Path
) -> None:
    install()
    with Pipeline(bundle_for(), "tensorrt", chest_dicom) as pipeline:
        pipeline.score()
        clock = StageClock()
        in_stages = pipeline.score_in_stages(clock.mark)
    assert tuple(clock.stages) == STAGES
    assert clock.enqueue is not None
    with Scorer(bundle_for(), "onnxruntime") as scorer:
        expected = scorer.score(chest_dicom).prediction.probabilities
    np.testing.assert_allclose(in_stages[0].prediction.probabilities, expected, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
def test_stages_give_the_scores_of_the_scorer(
    batch: int, tiny_bundle: Bundle, chest_dicom: Path
) -> None:
    with Scorer(tiny_bundle, "onnxruntime") as scorer:
        expected = scorer.score(chest_dicom)
    with Pipeline(tiny_bundle, "onnxruntime", chest_dicom, batch=batch) as pipeline:
        pipeline.score()
        results = pipeline.score_in_stages(lambda stage: None)
    assert len(results) == batch
    for result in results:
        assert result.score.global_score == expected.score.global_score
        assert result.quality == expected.quality
        np.testing.assert_allclose(
            result.prediction.probabilities, expected.prediction.probabilities, atol=1e-6
        )


def test_the_generated_radiograph_is_a_typical_one(chest_dicom: Path) -> None:
    dataset = read_partial(BytesIO(chest_dicom.read_bytes()))
    assert (dataset.Rows, dataset.Columns, dataset.BitsAllocated) == (ROWS, COLUMNS, 16)
    assert (dataset.BitsStored, dataset.PhotometricInterpretation) == (BITS, "MONOCHROME2")
    assert 3.5e6 < ROWS * COLUMNS < 3.7e6
    assert np.array_equal(dataset.pixel_array, chest_pixels())


def test_the_generated_radiograph_is_the_same_everywhere() -> None:
    pixels = chest_pixels()
    assert int(pixels.max()) < 2**BITS
    assert int(pixels.astype(np.int64).sum()) == PIXEL_SUM


def test_a_given_file_is_taken_as_it_is(chest_png: Path) -> None:
    with sample_image(chest_png) as image:
        assert image.path == chest_png
    assert chest_png.exists()


def test_a_generated_file_is_gone_afterwards() -> None:
    with sample_image() as image:
        assert image.path.stat().st_size > 2 * ROWS * COLUMNS
    assert not image.path.exists()
