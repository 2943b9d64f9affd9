"""One benchmark: everything that `brixia-edge benchmark` tells, in one object."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from ...runtime.bundles.bundle import Bundle
from ..machine.conditions import ConditionsWatch, merge
from ..machine.observation import Observation
from ..machine.peak_memory import peak_memory
from ..machine.speed import describe
from .baseline import Baseline, compare
from .cold_start import ColdStart, measure_cold_start
from .comparison import LatencyComparison, compare_in_turns
from .doubts import doubts
from .energy import Energy, measure_energy
from .measurement import Extent, Measurement, measure, settle
from .sample_image import SampleImage
from .stages import Pipeline
from .subject import BenchmarkSubject, Machine, describe_machine, describe_subject, runs_on_gpu
from .sweeps import Setup, Sweep, SweepRow, run_sweep

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes
    ----------
    bundle, backend, threads, batch
        What runs.
    image
        The file that is scored.
    extent
        How long.
    cold_starts
        Processes that are started; 0 for none.
    sweep
        ``batch``, ``threads``, ``streams`` or None.
    baseline
        A saved benchmark to compare with.
    other
        Another bundle and backend to run in turns with.
    """

    bundle: Bundle
    backend: str
    image: SampleImage
    threads: int | None = None
    batch: int = 1
    extent: Extent = field(default_factory=Extent)
    cold_starts: int = 5
    sweep: str | None = None
    baseline: Baseline | None = None
    other: tuple[Bundle, str] | None = None


@dataclass(frozen=True)
class Benchmark:
    """What was found.

    Attributes
    ----------
    made
        When it was begun, in ISO 8601.
    subject, machine
        What ran, and where.
    measurement
        The times.
    conditions
        What was seen of the machine, and all warnings.
    peak_memory
        Bytes that the measuring process held at most; None where the system does not tell.
    energy
        Of one image, by source.
    cold_start, sweep, comparisons
        As asked for.
    """

    made: str
    subject: BenchmarkSubject
    machine: Machine
    measurement: Measurement
    conditions: Observation
    peak_memory: int | None
    energy: tuple[Energy, ...]
    cold_start: ColdStart | None = None
    sweep: Sweep | None = None
    comparisons: tuple[LatencyComparison, ...] = ()


def run_benchmark(plan: Plan, tell: Tell) -> Benchmark:
    """Measure what a plan asks for.

    Parameters
    ----------
    plan
        What to measure.
    tell
        Is told what is going on, for people who wait.

    Raises
    ------
    BundleError, BackendUnavailable, EngineMismatch
        What is to run cannot.
    BaselineError
        The baseline is of another machine, bundle or setting; nothing was measured.
    """
    with Pipeline(plan.bundle, plan.backend, plan.image.path, plan.threads, plan.batch) as pipeline:
        result = _measure(plan, pipeline, tell)
        comparisons = _compare(plan, pipeline, result, tell)
    # After the session is closed, so that it takes neither cores nor memory from the others.
    return replace(
        result,
        comparisons=comparisons,
        cold_start=_start_cold(plan, result.subject.backend, tell),
        sweep=_sweep(plan, result.subject.backend, tell),
    )


def _measure(plan: Plan, pipeline: Pipeline, tell: Tell) -> Benchmark:
    made = datetime.now(timezone.utc).isoformat(timespec="seconds")
    gpu = runs_on_gpu(pipeline.backend)
    subject, machine = describe_subject(pipeline, plan.threads, plan.image), describe_machine(gpu)
    if plan.baseline is not None:
        plan.baseline.check(subject, machine)
    tell("warming up")
    settled = settle(pipeline)
    tell("measuring end to end and in stages")
    watch = ConditionsWatch(gpu)
    measurement = measure(pipeline, settled, plan.extent)
    seen = merge([Observation(warnings=doubts(measurement)), watch.finish()])
    peak = peak_memory()
    tell("measuring energy")
    energy = measure_energy(pipeline, gpu)
    return Benchmark(made, subject, machine, measurement, seen, peak, energy)


def _compare(
    plan: Plan, pipeline: Pipeline, result: Benchmark, tell: Tell
) -> tuple[LatencyComparison, ...]:
    comparisons: list[LatencyComparison] = []
    if plan.baseline is not None:
        work = None if runs_on_gpu(pipeline.backend) else describe()
        comparisons.append(
            compare(result.measurement, work, result.subject, result.machine, plan.baseline)
        )
    if plan.other is not None:
        bundle, backend = plan.other
        tell("running in turns with the other")
        with Pipeline(bundle, backend, plan.image.path, plan.threads, plan.batch) as other:
            told = f"{bundle.identity.name} {bundle.identity.kind} on {other.backend}"
            comparisons.append(compare_in_turns(pipeline, other, plan.extent, told))
    return tuple(comparisons)


def _start_cold(plan: Plan, backend: str, tell: Tell) -> ColdStart | None:
    if not plan.cold_starts:
        return None
    tell("starting fresh processes")
    return measure_cold_start(
        plan.bundle.root, backend, plan.threads, plan.image.path, plan.cold_starts
    )


def _sweep(plan: Plan, backend: str, tell: Tell) -> Sweep | None:
    if plan.sweep is None:
        return None
    setup = Setup(plan.bundle, backend, plan.image.path, plan.threads, plan.batch)
    rows: list[SweepRow] = []
    tell(f"sweeping {plan.sweep}")
    for row in run_sweep(plan.sweep, setup):
        tell(f"{plan.sweep} {row.value}: {row.throughput:.2f} images/s")
        rows.append(row)
    return Sweep(plan.sweep, tuple(rows))
