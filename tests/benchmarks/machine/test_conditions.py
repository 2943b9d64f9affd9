"""What the machine tells of itself, on made-up ``/proc`` and ``/sys`` and on the real ones."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from brixia_edge.benchmarks.latency.subject import describe_machine
from brixia_edge.benchmarks.machine.conditions import ConditionsWatch
from brixia_edge.benchmarks.machine.cpu_clocks import ClockWatch
from brixia_edge.benchmarks.machine.other_load import LoadWatch, QuotaWatch, parse_stat
from brixia_edge.benchmarks.machine.peak_memory import parse_peak, peak_memory
from brixia_edge.benchmarks.machine.rapl import RaplMeter, difference, find_zones

CPU = "sys/devices/system/cpu"
Writer = Callable[[str, object], None]


@pytest.fixture
def put(tmp_path: Path) -> Writer:
    """Write a file of the made-up machine."""

    def write(name: str, content: object) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")

    return write


def test_the_first_line_of_stat_is_understood() -> None:
    # user nice system idle iowait irq softirq steal guest guest_nice, in hundredths of a second
    times = parse_stat("cpu  1000 200 300 4000 500 10 20 30 999 0\ncpu0 1 1 1 1", 100)
    assert times.total == pytest.approx(60.6)
    assert times.busy == pytest.approx(15.3)
    assert times.stolen == pytest.approx(0.3)


def test_other_load_and_stolen_time_are_told(put: Writer, tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    put("proc/loadavg", "1.50 0.70 0.30 2/100 4242")
    put("proc/stat", f"cpu  0 0 0 {1000 * ticks} 0 0 0 0 0 0")
    watch = LoadWatch(tmp_path)
    put("proc/stat", f"cpu  {400 * ticks} 0 0 {1500 * ticks} 0 0 0 {100 * ticks} 0 0")
    finding = watch.finish()
    assert finding.figures["load average before"] == 1.5
    assert finding.figures["share of other processes"] == pytest.approx(0.4, abs=0.01)
    assert finding.figures["share stolen by other guests"] == pytest.approx(0.1)
    assert len(finding.warnings) == 2


def test_a_quiet_machine_gives_no_warning(put: Writer, tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    put("proc/stat", f"cpu  0 0 0 {1000 * ticks} 0 0 0 0 0 0")
    watch = LoadWatch(tmp_path)
    put("proc/stat", f"cpu  0 0 0 {2000 * ticks} 0 0 0 0 0 0")
    assert watch.finish().warnings == ()


@pytest.mark.parametrize(
    ("groups", "file"),
    [
        ("0::/", "sys/fs/cgroup/cpu.stat"),
        ("0::/user/x", "sys/fs/cgroup/user/x/cpu.stat"),
        ("3:cpu,cpuacct:/docker/y", "sys/fs/cgroup/cpu/docker/y/cpu.stat"),
    ],
)
def test_stops_by_a_quota_are_told(put: Writer, tmp_path: Path, groups: str, file: str) -> None:
    put("proc/self/cgroup", groups)
    put(file, "nr_periods 10\nnr_throttled 3\nthrottled_usec 5")
    watch = QuotaWatch(tmp_path)
    put(file, "nr_periods 20\nnr_throttled 7\nthrottled_usec 9")
    assert watch.finish().warnings == ("the control group's CPU quota stopped the process 4 times",)


def test_governor_frequency_and_throttling_are_told(put: Writer, tmp_path: Path) -> None:
    for core in range(2):
        put(f"{CPU}/cpu{core}/cpufreq/scaling_governor", "powersave")
        put(f"{CPU}/cpu{core}/cpufreq/scaling_cur_freq", 3_000_000)
        put(f"{CPU}/cpu{core}/thermal_throttle/core_throttle_count", 5)
    put("sys/class/thermal/thermal_zone0/temp", 61500)
    watch = ClockWatch(tmp_path)
    put(f"{CPU}/cpu1/cpufreq/scaling_cur_freq", 2_000_000)
    put(f"{CPU}/cpu1/thermal_throttle/core_throttle_count", 8)
    finding = watch.finish()
    told = " | ".join(finding.warnings)
    assert "the CPU governor is powersave" in told
    assert "fell from 3000 to 2500 MHz" in told
    assert "throttled by its temperature 3 times" in told
    assert finding.figures["hottest thermal zone in degrees Celsius"] == 61.5
    assert finding.absent == ()


def test_the_performance_governor_at_a_steady_clock_is_fine(put: Writer, tmp_path: Path) -> None:
    put(f"{CPU}/cpu0/cpufreq/scaling_governor", "performance")
    put(f"{CPU}/cpu0/cpufreq/scaling_cur_freq", 3_000_000)
    assert ClockWatch(tmp_path).finish().warnings == ()


def test_what_a_machine_does_not_tell_is_said_to_be_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    absent = " | ".join(ConditionsWatch(gpu=True, root=tmp_path).finish().absent)
    for source in (
        "/proc/stat",
        "CPU quota",
        "governor",
        "CPU frequency",
        "thermal throttling",
        "temperature",
        "tegrastats",
        "NVML",
    ):
        assert source in absent


def test_energy_of_all_packages_is_summed_over_their_wraparound(
    put: Writer, tmp_path: Path
) -> None:
    power = "sys/class/powercap"
    for package, energy in ((0, 900_000), (1, 100_000)):
        put(f"{power}/intel-rapl:{package}/name", f"package-{package}")
        put(f"{power}/intel-rapl:{package}/max_energy_range_uj", 1_000_000)
        put(f"{power}/intel-rapl:{package}/energy_uj", energy)
    put(f"{power}/intel-rapl:0:0/name", "core")
    put(f"{power}/intel-rapl:0:0/energy_uj", 1)
    zones = find_zones(tmp_path)
    assert not isinstance(zones, str)
    meter = RaplMeter(zones)
    put(f"{power}/intel-rapl:0/energy_uj", 400_000)
    put(f"{power}/intel-rapl:1/energy_uj", 300_000)
    assert meter.stop() == pytest.approx(0.5 + 0.2)


def test_a_counter_that_did_not_wrap_is_subtracted() -> None:
    assert difference(5, 9, 100) == 4


def test_absent_and_unreadable_energy_counters_are_told(put: Writer, tmp_path: Path) -> None:
    assert "no energy counters" in str(find_zones(tmp_path))
    put("sys/class/powercap/intel-rapl:0/name", "package-0")
    assert "may not be read" in str(find_zones(tmp_path))


def test_peak_memory_is_the_high_water_mark() -> None:
    assert parse_peak("Name:\tx\nVmPeak:\t  9000 kB\nVmHWM:\t  2000 kB\n") == 2000 * 1024
    assert parse_peak("Name:\tx\n") is None


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell it otherwise")
def test_a_child_does_not_inherit_its_parents_peak() -> None:
    ballast = bytearray(400_000_000)
    ballast[::4096] = b"\1" * len(ballast[::4096])
    code = (
        "from brixia_edge.benchmarks.machine.peak_memory import peak_memory; print(peak_memory())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert int(told) < 200_000_000 < (peak_memory() or 0)
    del ballast


def test_a_board_that_names_itself_is_told(put: Writer, tmp_path: Path) -> None:
    put("proc/cpuinfo", "processor\t: 0\nmodel name\t: A fast one\nflags\t: x")
    assert describe_machine(gpu=False, root=tmp_path).processor == "A fast one"
    put("proc/device-tree/model", "NVIDIA Jetson Orin Nano\0")
    assert describe_machine(gpu=False, root=tmp_path).processor.startswith("NVIDIA Jetson")
