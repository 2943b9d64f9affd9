"""What else the machine did: other processes, other guests, a container's quota."""

import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from .observation import Observation, read_text

OTHER_LOAD = 0.05
"""Share of all cores that other processes may take without a warning."""

STOLEN = 0.01
"""Share of all cores that the hypervisor may give to others without a warning."""


@dataclass(frozen=True)
class CpuTimes:
    """Seconds since the machine's start, of all cores together (proc(5), ``/proc/stat``).

    Attributes
    ----------
    total
        Everything, idle too.
    busy
        Spent in processes and the kernel.
    stolen
        In which a core was ready to work and the hypervisor ran another guest.
    """

    total: float
    busy: float
    stolen: float


def parse_stat(text: str, ticks: int) -> CpuTimes:
    """Read the first line of ``/proc/stat``.

    Parameters
    ----------
    text
        The file.
    ticks
        Its units in a second (``sysconf(_SC_CLK_TCK)``).
    """
    # user nice system idle iowait irq softirq steal; guest time is within user.
    numbers = [int(number) / ticks for number in text.splitlines()[0].split()[1:9]]
    numbers += [0.0] * (8 - len(numbers))
    idle, stolen = numbers[3] + numbers[4], numbers[7]
    total = sum(numbers)
    return CpuTimes(total, total - idle - stolen, stolen)


class LoadWatch:
    """Watches the cores from its making to `finish`."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._average = read_text(root / "proc/loadavg")
        self._cpu = self._cpu_times()
        self._own = _own_seconds()
        self._started = perf_counter()

    def finish(self) -> Observation:
        """Tell what the cores did meanwhile."""
        cpu = self._cpu_times()
        own = _own_seconds() - self._own
        wall = perf_counter() - self._started
        figures: dict[str, float | str] = {"cores in use by the benchmark": own / max(wall, 1e-9)}
        if self._average is not None:
            figures["load average before"] = float(self._average.split()[0])
        if cpu is None or self._cpu is None:
            return Observation(figures, absent=("other load: /proc/stat cannot be read here",))
        shares = _shares(self._cpu, cpu, own)
        return Observation(figures | shares, _warnings(*shares.values()))

    def _cpu_times(self) -> CpuTimes | None:
        text = read_text(self._root / "proc/stat")
        return None if text is None else parse_stat(text, os.sysconf("SC_CLK_TCK"))


def _shares(before: CpuTimes, after: CpuTimes, own: float) -> dict[str, float]:
    total = max(after.total - before.total, 1e-9)
    others = max(after.busy - before.busy - own, 0.0) / total
    stolen = (after.stolen - before.stolen) / total
    return {"share of other processes": others, "share stolen by other guests": stolen}


def _warnings(others: float, stolen: float) -> tuple[str, ...]:
    told = {
        f"other processes took {others:.0%} of the machine's cores": others > OTHER_LOAD,
        f"the hypervisor gave {stolen:.1%} of the cores' time to other guests": stolen > STOLEN,
    }
    return tuple(sentence for sentence, true in told.items() if true)


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class QuotaWatch:
    """Watches how often a container's CPU quota stopped the process (cgroups(7), ``cpu.stat``)."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._before = self._throttled()

    def finish(self) -> Observation:
        """Tell how often it was stopped meanwhile."""
        after = self._throttled()
        if after is None or self._before is None:
            return Observation(
                absent=("CPU quota: no cpu.stat of a control group can be read here",)
            )
        times = after - self._before
        told = (f"the control group's CPU quota stopped the process {times} times",)
        return Observation({"stops by the CPU quota": times}, told if times else ())

    def _throttled(self) -> int | None:
        for path in self._files():
            for line in (read_text(path) or "").splitlines():
                if line.startswith("nr_throttled "):
                    return int(line.split()[1])
        return None

    def _files(self) -> list[Path]:
        """Where version 2 of control groups tells it, then version 1."""
        groups = self._root / "sys/fs/cgroup"
        files = [groups / "cpu.stat", groups / "cpu/cpu.stat"]
        for line in (read_text(self._root / "proc/self/cgroup") or "").splitlines():
            _, controllers, group = line.split(":", 2)
            folder = "" if not controllers else "cpu"
            if not controllers or "cpu" in controllers.split(","):
                files.insert(0, groups / folder / group.lstrip("/") / "cpu.stat")
        return files
