"""What speaks, in the times themselves, against them."""

import numpy as np

from .measurement import MINIMUM_RUNS, MINIMUM_SECONDS, Measurement

UNSTABLE = 0.10
"""Coefficient of variation above which times are called unstable."""

EXPLAINED = (0.97, 1.03)
"""Share of the end-to-end time that the stages must account for: no less, and by noise alone no
more, since both are measured in turns."""

DRIFT = 0.03
"""Share by which the machine's speed may change from the first to the last third of a run."""

ENQUEUE_BOUND = 0.9
"""Share of infer that giving the GPU its work may take before the GPU waits for the host."""


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
