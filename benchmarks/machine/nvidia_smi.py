"""A workstation GPU's power, clocks, temperature and memory, as NVML tells them to nvidia-smi.

``nvidia-smi --help-query-gpu`` explains the fields. The reasons for a lower clock are NVML's
``nvmlClocksEventReasons`` bits, which older releases call throttle reasons.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from .line_sampler import LineSampler
from .observation import Observation

NAME = "NVML"
INTERVAL = 100
"""Milliseconds between samples."""

GPU_MEMORY = "GPU memory in MiB, all processes"

_FIELDS = (
    "power.draw",
    "temperature.gpu",
    "clocks.sm",
    "clocks.max.sm",
    "memory.used",
)
_REASON_FIELDS = ("clocks_event_reasons.active", "clocks_throttle_reasons.active")

_REASONS = {
    0x4: "its power limit",
    0x8: "a hardware slowdown",
    0x20: "its temperature (software)",
    0x40: "its temperature (hardware)",
    0x80: "the power supply's brake",
}
"""Bits of nvmlClocksEventReasons that hold a busy GPU back; idle and settings do not."""

_CLOCK_SPREAD = 0.02
"""Share by which locked clocks may differ between samples."""


@dataclass(frozen=True)
class GpuSample:
    """One line; what the GPU does not tell is None.

    Attributes
    ----------
    watts
        Power of the whole board.
    celsius
        Temperature.
    megahertz, maximum_megahertz
        Clock of the streaming multiprocessors, and the highest it can have.
    mebibytes
        Memory in use by all processes.
    reasons
        NVML's bits of why the clock is not higher.
    """

    watts: float | None
    celsius: float | None
    megahertz: float | None
    maximum_megahertz: float | None
    mebibytes: float | None
    reasons: int


def parse_line(line: str) -> GpuSample | None:
    """Read one line; None for a line cut off by the end of the program."""
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != len(_FIELDS) + 1:
        return None
    watts, celsius, megahertz, maximum, mebibytes = (_number(each) for each in fields[:-1])
    bits = int(fields[-1], 16) if fields[-1].startswith("0x") else 0
    return GpuSample(watts, celsius, megahertz, maximum, mebibytes, bits)


def start_sampler() -> LineSampler | str:
    """Start sampling the first GPU, or say why that cannot be."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return "NVML: nvidia-smi is not installed"
    query = f"--query-gpu={','.join((*_FIELDS, _reason_field(program)))}"
    return LineSampler(
        [program, "--id=0", query, "--format=csv,noheader,nounits", f"--loop-ms={INTERVAL}"]
    )


def _reason_field(program: str) -> str:
    """What this release calls the reasons: it refuses a query with an unknown name."""
    done = subprocess.run(  # noqa: S603 - NVIDIA's program, without input of others
        [program, "--help-query-gpu"], capture_output=True, text=True, check=False, timeout=30
    )
    newer, older = _REASON_FIELDS
    return newer if newer in done.stdout else older


def parse_samples(lines: Sequence[str]) -> list[GpuSample]:
    """Read all lines."""
    return [sample for sample in map(parse_line, lines) if sample is not None]


def mean_watts(lines: Sequence[str]) -> float | None:
    """Mean power over the samples; None when the GPU tells none."""
    watts = [sample.watts for sample in parse_samples(lines) if sample.watts is not None]
    return sum(watts) / len(watts) if watts else None


def find(lines: Sequence[str]) -> Observation:
    """What the samples say of the conditions."""
    samples = parse_samples(lines)
    if not samples:
        return Observation(absent=("NVML: nvidia-smi gave no figures for the first GPU",))
    clocks = [each.megahertz for each in samples if each.megahertz is not None]
    celsius = [each.celsius for each in samples if each.celsius is not None]
    memory = [each.mebibytes for each in samples if each.mebibytes is not None]
    figures: dict[str, float | str] = {}
    if clocks:
        figures["GPU clock in MHz, lowest"] = min(clocks)
        figures["GPU clock in MHz, highest"] = max(clocks)
    if celsius:
        figures["GPU temperature in degrees Celsius"] = max(celsius)
    if memory:
        figures[GPU_MEMORY] = max(memory)
    return Observation(figures, (*_unlocked(clocks), *_held_back(samples)))


def _unlocked(clocks: Sequence[float]) -> tuple[str, ...]:
    if not clocks or max(clocks) - min(clocks) <= _CLOCK_SPREAD * max(clocks):
        return ()
    return (
        f"the GPU's clocks are not locked: {min(clocks):.0f} to {max(clocks):.0f} MHz while "
        f"measuring; lock them: sudo nvidia-smi --lock-gpu-clocks={max(clocks):.0f}",
    )


def _held_back(samples: Sequence[GpuSample]) -> tuple[str, ...]:
    bits = 0
    for sample in samples:
        bits |= sample.reasons
    reasons = [reason for bit, reason in _REASONS.items() if bits & bit]
    return (f"the GPU's clock was held back by {', '.join(reasons)}",) if reasons else ()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        # "[N/A]" or "[Not Supported]" where the GPU does not tell.
        return None
