"""A Jetson's power and temperatures from tegrastats, its power mode from nvpmodel.

NVIDIA's Jetson Linux Developer Guide, "tegrastats utility": rails are ``NAME now/average``, in
milliwatts, with the unit since JetPack 5; temperatures are ``name@degreesC``.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .line_sampler import LineSampler
from .observation import Observation, read_number

NAME = "tegrastats"
INTERVAL = 100
"""Milliseconds between samples."""

_RAIL = re.compile(r"\b([A-Z]\w*) (-?\d+)(?:mW)?/-?\d+(?:mW)?\b")
"""RAM and swap look alike but have the unit MB."""

_TEMPERATURE = re.compile(r"\b(\w+)@(-?\d+(?:\.\d+)?)C\b")
_INPUTS = ("VDD_IN", "POM_5V_IN", "VIN")
"""Rails that hold all the others: Orin Nano and NX and Xavier NX, Nano and TX2, Thor."""


@dataclass(frozen=True)
class TegraSample:
    """One line: milliwatts of each rail now, degrees Celsius of each sensor."""

    rails: Mapping[str, float]
    temperatures: Mapping[str, float]

    @property
    def rails_of_all(self) -> tuple[str, ...]:
        """The rail that holds all others where there is one, else all rails."""
        inputs = tuple(name for name in _INPUTS if name in self.rails)
        return inputs[:1] or tuple(self.rails)

    @property
    def watts(self) -> float | None:
        """Power of the module; None without rails."""
        rails = self.rails_of_all
        return sum(self.rails[name] for name in rails) / 1000 if rails else None


def parse_line(line: str) -> TegraSample:
    """Read one line of tegrastats."""
    temperatures = {name: float(value) for name, value in _TEMPERATURE.findall(line)}
    return TegraSample(
        {name: float(value) for name, value in _RAIL.findall(line)},
        # A sensor of a part that is switched off shows -256.
        {name: value for name, value in temperatures.items() if value > -200},
    )


def parse_power_mode(text: str) -> str | None:
    """The name of the power mode in what ``nvpmodel -q`` prints."""
    found = re.search(r"NV Power Mode: *(\S+)", text)
    return found.group(1) if found else None


def start_sampler() -> LineSampler | str:
    """Start sampling, or say why that cannot be."""
    program = shutil.which("tegrastats")
    if program is None:
        return "tegrastats: not installed, so this is no Jetson"
    return LineSampler([program, "--interval", str(INTERVAL)])


def mean_watts(lines: Sequence[str]) -> float | None:
    """Mean power of the module over the samples; None without rails."""
    watts = [each.watts for each in map(parse_line, lines) if each.watts is not None]
    return sum(watts) / len(watts) if watts else None


def told_rails(lines: Sequence[str]) -> str:
    """The rails that `mean_watts` adds up."""
    rails = next((each.rails_of_all for each in map(parse_line, lines) if each.rails), ())
    return " + ".join(rails)


def find(lines: Sequence[str]) -> Observation:
    """What the samples and the power mode say of the conditions."""
    figures: dict[str, float | str] = {}
    for sample in map(parse_line, lines):
        for name, value in sample.temperatures.items():
            key = f"{name} in degrees Celsius"
            figures[key] = max(value, float(figures.get(key, value)))
    mode = power_mode()
    absent = () if mode else ("power mode: nvpmodel -q cannot be asked",)
    if mode:
        figures["power mode"] = mode
    return Observation(figures, absent=absent)


def power_mode() -> str | None:
    """The power mode; None where nvpmodel cannot be asked."""
    program = shutil.which("nvpmodel")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - NVIDIA's program, without input of others
            [program, "-q"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_power_mode(done.stdout)


def find_unlocked(root: Path = Path("/")) -> tuple[str, ...]:
    """Warn where the GPU may change its clock: jetson_clocks makes lowest and highest equal."""
    for folder in sorted(root.glob("sys/class/devfreq/*")):
        if re.search(r"gpu|gv11b|ga10b|gp10b|gm20b", folder.name):
            lowest, highest = read_number(folder / "min_freq"), read_number(folder / "max_freq")
            if lowest is not None and highest is not None and lowest != highest:
                return (
                    f"the GPU's clocks are not locked: {lowest / 1e6:.0f} to {highest / 1e6:.0f} "
                    "MHz are allowed; lock them: sudo jetson_clocks",
                )
    return ()
