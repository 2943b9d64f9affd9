"""Everything that is watched while times are taken, and what speaks against the times."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from . import nvidia_smi, tegrastats
from .cpu_clocks import ClockWatch
from .finding import Finding
from .measurement import MINIMUM_RUNS, MINIMUM_SECONDS, Measurement
from .other_load import LoadWatch, QuotaWatch

UNSTABLE = 0.10
"""Coefficient of variation above which times are called unstable."""

EXPLAINED = (0.97, 1.03)
"""Share of the end-to-end time that the stages must account for: no less, and by noise alone no
more, since both are measured in turns."""

DRIFT = 0.03
"""Share by which the machine's speed may change from the first to the last third of a run."""

ENQUEUE_BOUND = 0.9
"""Share of infer that giving the GPU its work may take before the GPU waits for the host."""


class ConditionsWatch:
    """Watches the machine from its making to `finish`.

    Parameters
    ----------
    gpu
        Whether a GPU does the work; else what it does says nothing of the times.
    root
        Where ``/proc`` and ``/sys`` are; for the tests.
    """

    def __init__(self, gpu: bool, root: Path = Path("/")) -> None:
        self._unlocked = tegrastats.find_unlocked(root) if gpu else ()
        self._samplers = {tegrastats.find: tegrastats.start_sampler()}
        if gpu:
            self._samplers[nvidia_smi.find] = nvidia_smi.start_sampler()
        self._watches = (LoadWatch(root), QuotaWatch(root), ClockWatch(root))

    def finish(self) -> Finding:
        """Tell all that was seen."""
        findings = [watch.finish() for watch in self._watches]
        for find, sampler in self._samplers.items():
            absent = isinstance(sampler, str)
            findings.append(Finding(absent=(sampler,)) if absent else find(sampler.stop()))
        return merge([*findings, Finding(warnings=self._unlocked)])


def merge(findings: Sequence[Finding]) -> Finding:
    """All findings as one."""
    return Finding(
        {name: value for finding in findings for name, value in finding.figures.items()},
        tuple(sentence for finding in findings for sentence in finding.warnings),
        tuple(sentence for finding in findings for sentence in finding.absent),
    )


def doubts(measurement: Measurement) -> tuple[str, ...]:
    """What speaks in the times themselves against them, one sentence each."""
    summary, warm_up = measurement.summary, measurement.warm_up
    seconds = float(measurement.end_to_end.sum()) / 1000
    variation, explained = summary.coefficient_of_variation, measurement.explained
    told = {
        f"times had not settled after {warm_up.seconds:.0f} s of warming up": not warm_up.settled,
        f"times are unstable: their coefficient of variation is {variation:.0%}, "
        f"up to {UNSTABLE:.0%} is usual": variation > UNSTABLE,
        f"{summary.runs} runs in {seconds:.1f} s are few; {MINIMUM_RUNS} and "
        f"{MINIMUM_SECONDS:g} s are the least": summary.runs < MINIMUM_RUNS
        or seconds < MINIMUM_SECONDS,
        f"the stages explain {explained:.1%} of the end-to-end time; "
        f"{EXPLAINED[0]:.0%} to {EXPLAINED[1]:.0%} are due": not EXPLAINED[0]
        <= explained
        <= EXPLAINED[1],
    }
    plain = tuple(sentence for sentence, true in told.items() if true)
    return plain + _drift(measurement) + _enqueue_bound(measurement)


def _drift(measurement: Measurement) -> tuple[str, ...]:
    third = max(1, measurement.reference.size // 3)
    first = float(np.median(measurement.reference[:third]))
    last = float(np.median(measurement.reference[-third:]))
    change = last / first - 1
    if abs(change) <= DRIFT:
        return ()
    word = "slower" if change > 0 else "faster"
    return (f"the machine itself became {abs(change):.0%} {word} while measuring",)


def _enqueue_bound(measurement: Measurement) -> tuple[str, ...]:
    if measurement.enqueue is None:
        return ()
    share = float(np.median(measurement.enqueue)) / measurement.stage_medians["infer"]
    if share <= ENQUEUE_BOUND:
        return ()
    return (
        f"enqueue-bound: giving the GPU its work takes {share:.0%} of infer, so the host's speed "
        "is what is measured",
    )
