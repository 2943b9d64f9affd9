"""A benchmark as JSON; docs/benchmark.md holds the schema."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from ..machine.nvidia_smi import GPU_MEMORY
from ..machine.speed import describe
from .baseline import SCHEMA_VERSION
from .benchmark import Benchmark
from .cold_start import ColdStart
from .comparison import LatencyComparison
from .latency_statistics import LatencySummary, Times
from .measurement import Measurement
from .stages import NETWORK_STAGES

Object = dict[str, object]


def as_object(benchmark: Benchmark) -> Object:
    """Build the object that stands for a benchmark, of plain Python values."""
    conditions = benchmark.conditions
    return {
        "schema_version": SCHEMA_VERSION,
        "made": benchmark.made,
        "subject": asdict(benchmark.subject),
        "machine": asdict(benchmark.machine),
        **_times(benchmark.measurement),
        "cold_start": _cold_start(benchmark.cold_start),
        "peak_memory": _memory(benchmark),
        "energy": [asdict(each) for each in benchmark.energy],
        "conditions": _rounded(conditions.figures),
        "warnings": list(conditions.warnings),
        "absent": list(conditions.absent),
        "sweep": None if benchmark.sweep is None else asdict(benchmark.sweep),
        "comparisons": [_comparison(each) for each in benchmark.comparisons],
    }


def stages_not_told_apart(measurement: Measurement) -> list[str]:
    """Stages of the network run that the backend does not tell apart from `infer`."""
    return [stage for stage in NETWORK_STAGES if stage not in measurement.stages]


def _times(measurement: Measurement) -> Object:
    summary = measurement.summary
    return {
        "warm_up": asdict(measurement.warm_up),
        "end_to_end_ms": _latency(summary),
        "throughput_images_per_second": round(summary.throughput, 4),
        "coefficient_of_variation": round(summary.coefficient_of_variation, 5),
        "stages_ms": _rounded(measurement.stage_medians),
        "part_of_infer": stages_not_told_apart(measurement),
        "enqueue_ms": _median(measurement.enqueue),
        "explained_by_stages": round(measurement.explained, 5),
        "network_share": round(measurement.network_share, 5),
        "machine_speed": {"work": describe(), "median_ms": _median(measurement.reference)},
        "series_ms": {
            "end_to_end": _series(measurement.end_to_end),
            "reference": _series(measurement.reference),
            "stages": {name: _series(times) for name, times in measurement.stages.items()},
        },
    }


def _latency(summary: LatencySummary) -> Object:
    figures = {
        name: getattr(summary, name) for name in ("minimum", "mean", "median", "p90", "p95", "p99")
    }
    return {"runs": summary.runs, **_rounded(figures)}


def _cold_start(start: ColdStart | None) -> Object | None:
    if start is None:
        return None
    return {
        "repeats": start.repeats,
        "total_ms": round(start.total, 3),
        "phases_ms": _rounded(start.phases),
    }


def _memory(benchmark: Benchmark) -> Object:
    start = benchmark.cold_start
    return {
        "process_bytes": benchmark.peak_memory,
        "by_phase_bytes": {} if start is None else dict(start.peak_memory),
        "device_mebibytes": benchmark.conditions.figures.get(GPU_MEMORY),
    }


def _comparison(comparison: LatencyComparison) -> Object:
    entries: Object = asdict(comparison)
    for name, interval in (("ratio", comparison.ratio), ("relative", comparison.relative)):
        entries[name] = None if interval is None else _rounded(asdict(interval), 5)
    return entries


def _rounded(figures: Mapping[str, object], digits: int = 3) -> Object:
    return {
        name: round(value, digits) if isinstance(value, float) else value
        for name, value in figures.items()
    }


def _series(times: Times) -> list[float]:
    return [round(float(each), 4) for each in times]


def _median(times: Times | None) -> float | None:
    return None if times is None else round(float(np.median(times)), 4)
