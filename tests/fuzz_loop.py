"""The loop of a process that judges mutations within limits and tells what came of them.

Each is judged in the folder that the command line names, where the number of the one at work is
kept as ``seed``, so that what crashes the process can be found.
"""

import faulthandler
import json
import os
import resource
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import process_time

MEMORY = 2**30
"""Bytes of address space."""

SECONDS = 10.0
"""Processor time for each mutation."""

LONGEST = 50_000
"""Characters of a message; one may list what a file lacks of 352 weights, and has too much."""

Judge = Callable[[int], str]
"""Gives what came of a mutation, by its number; begins with FAILED if that must not be."""


def run(judge: Judge, memory: int = MEMORY) -> None:
    """Judge the mutations FIRST to FIRST + COUNT - 1 that the command line names: FIRST COUNT DIR.

    Prints one JSON object. `memory` is in bytes of address space.
    """
    first, count, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    os.chdir(folder)
    outcomes, failures, slowest = Counter[str](), list[str](), 0.0
    for seed in range(first, first + count):
        Path("seed").write_text(str(seed))
        started = process_time()
        outcome = judged(judge, seed)
        taken = process_time() - started
        slowest = max(slowest, taken)
        outcomes[outcome.split(":")[0]] += 1
        if outcome.startswith("FAILED") or taken > SECONDS:
            failures.append(f"{seed} after {taken:.1f} s: {outcome}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = {"outcomes": outcomes, "failures": failures, "slowest": slowest, "peak_kb": peak}
    print(json.dumps(told))  # noqa: T201 - the test reads it


def judged(judge: Judge, seed: int) -> str:
    """Judge one mutation; an exception that leaves the judge must not be."""
    try:
        return judge(seed)
    except Exception as error:
        return f"FAILED: {type(error).__name__}: {str(error)[:500]}"


def refused(error: Exception) -> str:
    """What came of a mutation that one of our errors refused."""
    length = len(str(error))
    return f"FAILED: a message of {length} characters" if length > LONGEST else "refused"
