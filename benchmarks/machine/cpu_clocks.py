"""The processor's clocks: the governor, a falling frequency, thermal throttling, temperatures.

From Linux' sysfs: ``cpufreq`` (kernel documentation, admin-guide/pm/cpufreq), ``thermal_throttle``
(x86 only) and ``thermal`` zones.
"""

from collections.abc import Sequence
from pathlib import Path

from .observation import Observation, read_number, read_text

FALLEN = 0.05
"""Share by which the frequency may fall while measuring without a warning."""

_CPUS = "sys/devices/system/cpu"


class ClockWatch:
    """Watches frequencies and throttling from its making to `finish`."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._megahertz = self._frequency()
        self._throttled = self._throttle_count()

    def finish(self) -> Observation:
        """Tell what the clocks did meanwhile."""
        parts = (self._governor(), self._fall(), self._throttling(), self._temperature())
        return Observation(
            {name: value for part in parts for name, value in part.figures.items()},
            tuple(sentence for part in parts for sentence in part.warnings),
            tuple(sentence for part in parts for sentence in part.absent),
        )

    def _governor(self) -> Observation:
        governors = sorted(
            {each for each in map(read_text, self._files("cpufreq/scaling_governor")) if each}
        )
        if not governors:
            return Observation(absent=("governor: the system tells of none (cpufreq)",))
        told = (
            f"the CPU governor is {', '.join(governors)}; with performance, times vary less: "
            "sudo cpupower frequency-set -g performance",
        )
        slow = governors != ["performance"]
        return Observation({"governor": ", ".join(governors)}, told if slow else ())

    def _fall(self) -> Observation:
        before, after = self._megahertz, self._frequency()
        if before is None or after is None:
            return Observation(absent=("CPU frequency: the system tells of none (cpufreq)",))
        told = (f"the CPU's frequency fell from {before:.0f} to {after:.0f} MHz while measuring",)
        fallen = after < before * (1 - FALLEN)
        return Observation({"CPU frequency in MHz": after}, told if fallen else ())

    def _throttling(self) -> Observation:
        count = self._throttle_count()
        if count is None or self._throttled is None:
            return Observation(
                absent=("thermal throttling: the system counts none (thermal_throttle)",)
            )
        times = count - self._throttled
        told = (f"the CPU was throttled by its temperature {times} times while measuring",)
        return Observation({"thermal throttlings": times}, told if times else ())

    def _temperature(self) -> Observation:
        zones = sorted(self._root.glob("sys/class/thermal/thermal_zone*/temp"))
        degrees = [each / 1000 for each in map(read_number, zones) if each is not None]
        if not degrees:
            return Observation(absent=("temperature: the system has no thermal zone",))
        return Observation({"hottest thermal zone in degrees Celsius": max(degrees)})

    def _frequency(self) -> float | None:
        """Mean megahertz of all cores."""
        kilohertz = _numbers(self._files("cpufreq/scaling_cur_freq"))
        return sum(kilohertz) / len(kilohertz) / 1000 if kilohertz else None

    def _throttle_count(self) -> int | None:
        counts = _numbers(self._files("thermal_throttle/*_throttle_count"))
        return sum(counts) if counts else None

    def _files(self, name: str) -> list[Path]:
        return sorted(self._root.glob(f"{_CPUS}/cpu[0-9]*/{name}"))


def _numbers(files: Sequence[Path]) -> list[int]:
    return [number for number in map(read_number, files) if number is not None]
