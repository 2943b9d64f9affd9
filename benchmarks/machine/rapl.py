"""Energy of the processor from its own counters (RAPL), where Linux lets them be read.

Kernel documentation, power/powercap: each zone under ``/sys/class/powercap`` has ``energy_uj``,
which starts again from 0 after ``max_energy_range_uj``. Only root reads them unless the
administrator allows it (CVE-2020-8694).
"""

from dataclasses import dataclass
from pathlib import Path

from .observation import read_number, read_text

NAME = "RAPL"


@dataclass(frozen=True)
class PowerDomain:
    """One package's counter, in microjoules."""

    folder: Path
    range: int

    def read(self) -> int | None:
        """What it shows now."""
        return read_number(self.folder / "energy_uj")


def difference(before: int, after: int, range_: int) -> int:
    """Microjoules between two readings, of which the second may have started again from 0."""
    return after - before if after >= before else after - before + range_


class RaplMeter:
    """Sums the energy of all processor packages, from its making to `stop`."""

    told = "processor packages (RAPL)"

    def __init__(self, zones: tuple[PowerDomain, ...]) -> None:
        self._zones = zones
        self._before = [zone.read() for zone in zones]

    def stop(self) -> float | None:
        """Joules since the start; None when a counter stopped being readable."""
        readings = zip(
            self._zones, self._before, [zone.read() for zone in self._zones], strict=True
        )
        spent = [
            None if before is None or after is None else difference(before, after, zone.range)
            for zone, before, after in readings
        ]
        told = [each for each in spent if each is not None]
        return sum(told) / 1e6 if len(told) == len(spent) else None


def find_zones(root: Path = Path("/")) -> tuple[PowerDomain, ...] | str:
    """The packages' zones, or why there are none."""
    folders = [
        folder
        for folder in sorted(root.glob("sys/class/powercap/*"))
        if (read_text(folder / "name") or "").startswith("package")
    ]
    if not folders:
        return "RAPL: the processor or the kernel has no energy counters (/sys/class/powercap)"
    zones = [
        PowerDomain(folder, read_number(folder / "max_energy_range_uj") or 0) for folder in folders
    ]
    if any(zone.read() is None for zone in zones):
        return "RAPL: the energy counters may not be read; run as root, or let it be read"
    return tuple(zones)
