"""From the start of a process to its first score: what a user waits for after a command.

Every repeat is a process of its own. Files that were read once come from the system's page
cache, so that a first start after switching on takes longer than this.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np

from ...runtime.errors import BenchmarkError

PHASES = ("interpreter", "import", "bundle open", "session", "first run")
"""In their order. `session` includes loading the backend's library."""

REPEATS = 5
_TIMEOUT = 600


@dataclass(frozen=True)
class ColdStart:
    """Medians over fresh processes.

    Attributes
    ----------
    repeats
        How many processes were started.
    total
        Milliseconds from the start of a process to its first score.
    phases
        Milliseconds of each phase, by its name.
    peak_memory
        Bytes held at most up to the end of each phase; None where the system does not tell.
    """

    repeats: int
    total: float
    phases: Mapping[str, float]
    peak_memory: Mapping[str, int | None]


@dataclass(frozen=True)
class Start:
    """One process: when each phase ended, and the most memory it had held by then."""

    seconds: Mapping[str, float]
    memory: Mapping[str, int | None]


def measure_cold_start(
    bundle: Path, backend: str, threads: int | None, image: Path, repeats: int = REPEATS
) -> ColdStart:
    """Start processes that score one file each.

    Raises
    ------
    BenchmarkError
        A process failed.
    """
    arguments = [backend, "" if threads is None else str(threads), str(bundle), str(image)]
    return summarise_starts([start_once(arguments) for _ in range(repeats)])


def start_once(arguments: Sequence[str]) -> Start:
    """Start one process and time its phases, from before its start."""
    # The clock counts from the machine's start (clock_gettime(2), CLOCK_MONOTONIC), so that times
    # of two processes can be subtracted.
    started = monotonic()
    done = subprocess.run(  # noqa: S603 - our own module with the arguments above
        [sys.executable, "-m", f"{__package__}.cold_start_child", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BenchmarkError(f"the process that measures the cold start failed: {reason}")
    marks: dict[str, tuple[float, int | None]] = json.loads(done.stdout)
    return Start(
        {phase: ended - started for phase, (ended, _) in marks.items()},
        {phase: memory for phase, (_, memory) in marks.items()},
    )


def summarise_starts(starts: Sequence[Start]) -> ColdStart:
    """Medians of the phases, and of the whole."""
    ends = np.array([[start.seconds[phase] for phase in PHASES] for start in starts])
    phases = np.median(np.diff(ends, axis=1, prepend=0.0), axis=0) * 1000
    return ColdStart(
        repeats=len(starts),
        total=float(np.median(ends[:, -1])) * 1000,
        phases=dict(zip(PHASES, (float(each) for each in phases), strict=True)),
        peak_memory={
            phase: _highest([start.memory[phase] for start in starts]) for phase in PHASES
        },
    )


def _highest(amounts: Sequence[int | None]) -> int | None:
    told = [amount for amount in amounts if amount is not None]
    return max(told) if told else None
