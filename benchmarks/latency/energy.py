"""Energy of one image: a Jetson's rails, a GPU's board, the processor's counters.

Measured over runs of their own, with nothing between them, and including what the machine would
have taken idle.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Protocol

from ..machine import nvidia_smi, rapl, tegrastats
from ..machine.line_sampler import LineSampler
from .measurement import Extent, rounds
from .stages import Pipeline

EXTENT = Extent(runs=5, seconds=3.0)
"""How long energy is measured: power samples come every tenth of a second."""


_NOT_ON_A_GPU = "NVML: the backend does not run on a GPU"


@dataclass(frozen=True)
class Energy:
    """One source's word.

    Attributes
    ----------
    source
        ``tegrastats``, ``NVML`` or ``RAPL``.
    joules
        Of one image; None where the source is absent.
    told
        What is measured, or why it is absent.
    """

    source: str
    joules: float | None
    told: str


class Meter(Protocol):
    """Counts energy from its making to `stop`."""

    @property
    def told(self) -> str:
        """What is measured."""
        ...

    def stop(self) -> float | None:
        """Joules; None when the source told none."""
        ...


class PowerMeter:
    """Joules from the mean of a program's power samples and the time they were taken in."""

    def __init__(
        self,
        sampler: LineSampler,
        mean_watts: Callable[[Sequence[str]], float | None],
        tell: Callable[[Sequence[str]], str],
    ) -> None:
        self.told = ""
        self._sampler, self._mean_watts, self._tell = sampler, mean_watts, tell
        self._started = perf_counter()

    def stop(self) -> float | None:
        """End the sampling; joules since the start."""
        seconds = perf_counter() - self._started
        lines = self._sampler.stop()
        watts = self._mean_watts(lines)
        self.told = self._tell(lines)
        return None if watts is None else watts * seconds


def measure_energy(pipeline: Pipeline, gpu: bool, extent: Extent = EXTENT) -> tuple[Energy, ...]:
    """Run a pipeline once more for each source and ask it what that took.

    Parameters
    ----------
    pipeline
        Warm.
    gpu
        Whether a GPU does the work.
    extent
        How long.
    """
    return tuple(
        _measure(source, start, pipeline, extent) for source, start in sources(gpu).items()
    )


def sources(gpu: bool, root: Path = Path("/")) -> dict[str, Callable[[], Meter | str]]:
    """How to start each source's meter; it may give the reason why there is none."""
    return {
        tegrastats.NAME: _start_tegrastats,
        nvidia_smi.NAME: _start_nvidia_smi if gpu else lambda: _NOT_ON_A_GPU,
        rapl.NAME: lambda: _start_rapl(root),
    }


def _measure(
    source: str, start: Callable[[], Meter | str], pipeline: Pipeline, extent: Extent
) -> Energy:
    meter = start()
    if isinstance(meter, str):
        return Energy(source, None, meter)
    images = sum(_run(pipeline, extent))
    joules = meter.stop()
    if joules is None:
        return Energy(source, None, f"{source}: tells no power on this machine")
    return Energy(source, joules / images, meter.told)


def _run(pipeline: Pipeline, extent: Extent) -> Iterator[int]:
    for _ in rounds(extent):
        pipeline.score()
        yield pipeline.batch


def _start_tegrastats() -> Meter | str:
    sampler = tegrastats.start_sampler()
    if isinstance(sampler, str):
        return sampler
    return PowerMeter(sampler, tegrastats.mean_watts, tegrastats.told_rails)


def _start_nvidia_smi() -> Meter | str:
    sampler = nvidia_smi.start_sampler()
    if isinstance(sampler, str):
        return sampler
    return PowerMeter(sampler, nvidia_smi.mean_watts, lambda lines: "the GPU's board (NVML)")


def _start_rapl(root: Path) -> Meter | str:
    zones = rapl.find_zones(root)
    return zones if isinstance(zones, str) else rapl.RaplMeter(zones)
