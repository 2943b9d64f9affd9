"""Images per second and memory against batch size, threads and processes.

Each row runs in processes of its own, so that its memory is its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...runtime.bundles.bundle import Bundle
from ...runtime.errors import BenchmarkError
from ..latency.sweeps import doubling
from .worker import READY

SECONDS = 5.0
"""How long each row is measured, after a warm-up of at most as long."""


@dataclass(frozen=True)
class Load:
    """So many processes, each scoring batches of so many images with so many threads."""

    processes: int = 1
    threads: int | None = None
    batch: int = 1


@dataclass(frozen=True)
class ScalingRow:
    """What a load gave.

    Attributes
    ----------
    load
        What ran.
    throughput
        Images per second, end to end, of all processes together.
    peak_memory
        Bytes of resident memory of all processes, each at its most; what they share (the mapped
        libraries) is counted for each. None where the system does not tell.
    """

    load: Load
    throughput: float
    peak_memory: int | None


def loads(bundle: Bundle, cores: int | None = None) -> list[Load]:
    """Rising batches on all cores, rising threads, and rising processes that share the cores."""
    cores = cores or os.cpu_count() or 1
    batches = [Load(batch=batch) for batch in doubling(min(8, bundle.manifest.max_batch))]
    threads = [Load(threads=number) for number in doubling(cores)]
    processes = [Load(number, max(1, cores // number)) for number in doubling(cores)]
    return list(dict.fromkeys([*batches, *threads, *processes]))


def measure_load(
    bundle: Bundle, backend: str, image: Path, load: Load, seconds: float = SECONDS
) -> ScalingRow:
    """Start the processes, let all begin at once, and add up what they did.

    Raises
    ------
    BenchmarkError
        A process ended early; the message has its reason.
    """
    order = {
        "bundle": str(bundle.root),
        "backend": backend,
        "image": str(image),
        "threads": load.threads,
        "batch": load.batch,
        "seconds": seconds,
    }
    command = [sys.executable, "-m", f"{__package__}.worker", json.dumps(order)]
    with ExitStack() as opened:
        workers = [opened.enter_context(_start(command)) for _ in range(load.processes)]
        found = list(_conduct(workers))
    peaks = [each["peak_memory"] for each in found if each["peak_memory"] is not None]
    return ScalingRow(
        load=load,
        throughput=sum(each["images"] / each["seconds"] for each in found),
        peak_memory=sum(peaks) if len(peaks) == load.processes else None,
    )


def _start(command: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _conduct(workers: Sequence["subprocess.Popen[str]"]) -> Iterator[dict[str, Any]]:
    """Wait until all are warm, let all go, and yield what each found."""
    for worker in workers:
        if worker.stdout is None or worker.stdout.readline().strip() != READY:
            for each in workers:
                each.kill()
            raise BenchmarkError(f"a process of the scaling benchmark ended: {_reason(worker)}")
    for worker in workers:
        if worker.stdin is not None:
            worker.stdin.write("go\n")
            worker.stdin.flush()
    for worker in workers:
        told, _ = worker.communicate()
        yield json.loads(told.splitlines()[-1])


def _reason(worker: "subprocess.Popen[str]") -> str:
    _, errors = worker.communicate()
    return (errors.strip() or "no reason told").splitlines()[-1]
