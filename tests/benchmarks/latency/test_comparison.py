"""Verdicts on series made to order, and which baselines may be compared with."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brixia_edge.benchmarks.latency.baseline import load_baseline
from brixia_edge.benchmarks.latency.bootstrap import RatioInterval
from brixia_edge.benchmarks.latency.comparison import (
    FASTER,
    SLOWER,
    UNDECIDED,
    LatencyComparison,
    Series,
    compare_in_turns,
    compare_with_baseline,
    judge,
)
from brixia_edge.benchmarks.latency.latency_statistics import Times
from brixia_edge.benchmarks.latency.measurement import Extent
from brixia_edge.benchmarks.latency.subject import BenchmarkSubject, Machine
from brixia_edge.runtime.errors import BaselineError

from ..conftest import FakeClock, PipelineDouble

EXPERIMENTS = 60
SUBJECT = BenchmarkSubject(
    "bsnet", "int8", "exact", "ab" * 32, "cd" * 32, "openvino", None, 1, "generated", "ef" * 32
)
MACHINE = Machine("A processor", 2, "x86_64", "Linux", "", {"numpy": "2.0"})


def times(median: float, seed: int, spread: float = 0.03, count: int = 60) -> Times:
    return median * np.random.default_rng(seed).normal(1, spread, count)


def verdict(now: Times, before: Times, speed: float = 1.0) -> str:
    reference = times(10, 98, 0.01)
    now_too = Series(now * speed, times(10, 99, 0.01) * speed)
    return compare_with_baseline(now_too, Series(before, reference), "x").verdict


@pytest.mark.parametrize(
    ("lower", "upper", "margin", "expected"),
    [
        (0.90, 0.95, 0.03, FASTER),
        (0.95, 0.98, 0.03, UNDECIDED),
        (0.95, 0.98, 0.0, FASTER),
        (0.98, 1.02, 0.0, UNDECIDED),
        (1.01, 1.04, 0.03, UNDECIDED),
        (1.04, 1.10, 0.03, SLOWER),
    ],
)
def test_an_interval_must_lie_beyond_the_margin(
    lower: float, upper: float, margin: float, expected: str
) -> None:
    assert judge(RatioInterval(1.0, lower, upper), margin) == expected


@pytest.mark.parametrize(("median", "expected"), [(80, FASTER), (100, UNDECIDED), (120, SLOWER)])
def test_a_real_difference_is_seen(median: float, expected: str) -> None:
    assert verdict(times(median, 1), times(100, 2)) == expected


def test_equal_runs_of_a_quiet_machine_are_not_told_apart() -> None:
    verdicts = [verdict(times(100, 2 * s), times(100, 2 * s + 1)) for s in range(EXPERIMENTS)]
    assert set(verdicts) == {UNDECIDED}


def test_equal_pairs_are_told_apart_as_often_as_the_interval_says(clock: FakeClock) -> None:
    """About 5 of 100 intervals of 95 % miss 1, more with few runs."""
    wrong = [paired(clock, 100, 100, seed).verdict != UNDECIDED for seed in range(EXPERIMENTS)]
    assert sum(wrong) <= 0.15 * EXPERIMENTS


def paired(clock: FakeClock, one: float, other: float, seed: int) -> LatencyComparison:
    generator = np.random.default_rng(seed)
    ours = PipelineDouble(clock, lambda: one * float(generator.normal(1, 0.03)), {})
    theirs = PipelineDouble(clock, lambda: other * float(generator.normal(1, 0.03)), {})
    return compare_in_turns(ours, theirs, Extent(40, 0.0), "x", clock)


def test_pairs_show_two_percent(clock: FakeClock) -> None:
    assert paired(clock, 98, 100, 0).verdict == FASTER
    assert paired(clock, 100, 98, 0).verdict == SLOWER
    assert paired(clock, 98, 100, 0).paired


def test_a_machine_that_became_slower_is_no_slower_program() -> None:
    assert verdict(times(100, 1), times(100, 2), speed=1.3) == UNDECIDED


def test_a_slower_program_is_seen_where_the_machine_stayed() -> None:
    assert verdict(times(115, 1), times(100, 2)) == SLOWER


def test_without_the_machines_speed_milliseconds_decide() -> None:
    slow, fast = Series(times(130, 1), None), Series(times(100, 2), times(10, 3))
    comparison = compare_with_baseline(slow, fast, "x")
    assert comparison.relative is None
    assert comparison.verdict == SLOWER


def saved(**changes: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "made": "2026-01-01T00:00:00+00:00",
        "subject": asdict(SUBJECT),
        "machine": asdict(MACHINE),
        "machine_speed": {"work": "x", "median_ms": 1.0},
        "series_ms": {"end_to_end": [1.0, 2.0], "reference": [1.0, 1.0]},
        **changes,
    }


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "baseline.json"
    path.write_text(json.dumps(saved(**changes)))
    return path


def test_a_baseline_of_the_same_is_accepted(tmp_path: Path) -> None:
    load_baseline(write(tmp_path)).check(SUBJECT, MACHINE)


@pytest.mark.parametrize(
    ("subject", "machine", "told"),
    [
        ({"backend": "onnxruntime"}, {}, "backend was 'openvino' and is 'onnxruntime'"),
        ({"precision": "fp32"}, {}, "precision was 'int8' and is 'fp32'"),
        ({"weights_sha256": "00"}, {}, "weights_sha256"),
        ({"threads": 1}, {}, "threads was None and is 1"),
        ({"batch": 2}, {}, "batch was 1 and is 2"),
        ({"image_sha256": "00"}, {}, "image_sha256"),
        ({}, {"processor": "Another"}, "processor was 'A processor' and is 'Another'"),
        ({}, {"cores": 4}, "cores was 2 and is 4"),
        ({}, {"gpu": "sm_87"}, "gpu was '' and is 'sm_87'"),
    ],
)
def test_a_baseline_of_something_else_is_refused(
    tmp_path: Path, subject: dict[str, Any], machine: dict[str, Any], told: str
) -> None:
    baseline = load_baseline(write(tmp_path))
    with pytest.raises(BaselineError, match=told):
        baseline.check(replace(SUBJECT, **subject), replace(MACHINE, **machine))


def test_another_network_file_of_the_same_weights_is_what_is_compared(tmp_path: Path) -> None:
    load_baseline(write(tmp_path)).check(replace(SUBJECT, model_sha256="00" * 32), MACHINE)


@pytest.mark.parametrize(
    "content",
    [
        "not JSON",
        "[]",
        "{}",
        json.dumps(saved(series_ms={"end_to_end": [], "reference": []})),
        json.dumps(saved(series_ms={"end_to_end": [1.0], "reference": []})),
        json.dumps(saved(subject=None, made=1) | {"series_ms": 3}),
    ],
)
def test_a_file_that_is_no_baseline_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(content)
    with pytest.raises(BaselineError, match="give a file that --save wrote"):
        load_baseline(path)


def test_a_baseline_of_another_schema_is_told(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="schema_version 2"):
        load_baseline(write(tmp_path, schema_version=2))


def test_an_absent_baseline_is_told(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="cannot be read"):
        load_baseline(tmp_path / "none.json")
