"""A benchmark for people: a page of plain text."""

from collections.abc import Iterator, Mapping

from .benchmark import Benchmark
from .comparison import LatencyComparison
from .json_report import stages_not_told_apart
from .measurement import Measurement
from .subject import BenchmarkSubject

_INDENT = "  "


def report_lines(benchmark: Benchmark) -> Iterator[str]:
    """Write a benchmark, line by line."""
    subject, machine = benchmark.subject, benchmark.machine
    yield f"{subject.told}, {_setting(subject)}"
    yield f"image     {subject.image}"
    gpu = f", GPU {machine.gpu}" if machine.gpu else ""
    yield f"machine   {machine.processor}, {machine.cores} cores{gpu}, {machine.system}"
    yield from _end_to_end(benchmark.measurement)
    yield from _stages(benchmark.measurement, subject.backend)
    yield from _cold_start(benchmark)
    yield from _memory(benchmark)
    yield from _energy(benchmark)
    yield from _sweep(benchmark)
    for comparison in benchmark.comparisons:
        yield from _comparison(comparison)
    yield from _conditions(benchmark)


def _setting(subject: BenchmarkSubject) -> str:
    threads = "all cores" if subject.threads is None else f"{subject.threads} threads"
    return f"batch of {subject.batch}, {threads}"


def _end_to_end(measurement: Measurement) -> Iterator[str]:
    summary, warm_up = measurement.summary, measurement.warm_up
    yield ""
    yield f"End to end, ms ({summary.runs} runs after {warm_up.runs} to warm up)"
    figures = {
        "min": summary.minimum,
        "mean": summary.mean,
        "median": summary.median,
        "p90": summary.p90,
        "p95": summary.p95,
        "p99": summary.p99,
    }
    yield _INDENT + "".join(f"{name:>10}" for name in figures)
    yield _INDENT + "".join(f"{value:>10.2f}" for value in figures.values())
    variation = summary.coefficient_of_variation
    yield (f"{_INDENT}{summary.throughput:.2f} images/s, coefficient of variation {variation:.1%}")


def _stages(measurement: Measurement, backend: str) -> Iterator[str]:
    median = measurement.summary.median
    yield ""
    yield "Stages, median ms, and share of the median end to end"
    for stage, time in measurement.stage_medians.items():
        yield f"{_INDENT}{stage:<10}{time:>10.2f}{time / median:>9.1%}"
    total = sum(measurement.stage_medians.values())
    yield f"{_INDENT}{'sum':<10}{total:>10.2f}{measurement.explained:>9.1%}"
    yield f"{_INDENT}network share {measurement.network_share:.1%}"
    missing = stages_not_told_apart(measurement)
    if missing:
        yield f"{_INDENT}{backend} does not tell apart: {', '.join(missing)} (part of infer)"


def _cold_start(benchmark: Benchmark) -> Iterator[str]:
    start = benchmark.cold_start
    if start is None:
        return
    yield ""
    yield f"Cold start, ms (median of {start.repeats} fresh processes), and peak memory so far"
    for phase, time in start.phases.items():
        yield f"{_INDENT}{phase:<12}{time:>10.0f}{_megabytes(start.peak_memory[phase]):>12}"
    yield f"{_INDENT}{'total':<12}{start.total:>10.0f}"


def _memory(benchmark: Benchmark) -> Iterator[str]:
    yield ""
    yield f"Peak memory of this process  {_megabytes(benchmark.peak_memory)}"


def _megabytes(amount: int | None) -> str:
    return "not told" if amount is None else f"{amount / 1e6:.0f} MB"


def _energy(benchmark: Benchmark) -> Iterator[str]:
    for energy in benchmark.energy:
        if energy.joules is not None:
            yield f"Energy of an image  {energy.joules:.2f} J  {energy.told}"


def _sweep(benchmark: Benchmark) -> Iterator[str]:
    sweep = benchmark.sweep
    if sweep is None:
        return
    yield ""
    yield f"{sweep.of:>10}{'images/s':>10}{'median ms':>11}{'p95 ms':>10}{'runs':>7}"
    for row in sweep.rows:
        yield (
            f"{row.value:>10}{row.throughput:>10.2f}{row.median:>11.2f}{row.p95:>10.2f}"
            f"{row.runs:>7}"
        )


def _comparison(comparison: LatencyComparison) -> Iterator[str]:
    kind = "in turns, paired" if comparison.paired else "baseline"
    ratio = comparison.ratio
    yield ""
    yield f"Against {comparison.against} ({kind}): {comparison.verdict}"
    yield (
        f"{_INDENT}median time, this by that: {ratio.ratio:.3f}, "
        f"95 % interval {ratio.lower:.3f} to {ratio.upper:.3f}"
    )
    if comparison.relative is not None:
        relative = comparison.relative
        yield (
            f"{_INDENT}relative to the machine's speed: {relative.ratio:.3f}, "
            f"95 % interval {relative.lower:.3f} to {relative.upper:.3f}"
        )
    for remark in comparison.remarks:
        yield f"{_INDENT}{remark}"


def _conditions(benchmark: Benchmark) -> Iterator[str]:
    yield ""
    yield "Conditions"
    for name, value in _shown(benchmark.conditions.figures).items():
        yield f"{_INDENT}{name}: {value}"
    for warning in benchmark.conditions.warnings:
        yield f"{_INDENT}WARNING: {warning}"
    absent = [each.told for each in benchmark.energy if each.joules is None]
    for sentence in dict.fromkeys((*benchmark.conditions.absent, *absent)):
        yield f"{_INDENT}absent: {sentence}"


def _shown(figures: Mapping[str, float | str]) -> dict[str, str]:
    return {
        name: _share_or_number(name, value) if isinstance(value, float) else str(value)
        for name, value in figures.items()
    }


def _share_or_number(name: str, value: float) -> str:
    return f"{value:.1%}" if name.startswith("share") else f"{value:.2f}"
