"""Power and clocks as NVIDIA's programs print them; lines are shaped like published ones."""

import stat
import sys
from collections.abc import Callable
from pathlib import Path
from time import sleep

import pytest
from brixia_edge.benchmarks.latency import energy
from brixia_edge.benchmarks.latency.measurement import Extent
from brixia_edge.benchmarks.machine import nvidia_smi, tegrastats
from brixia_edge.benchmarks.machine.conditions import ConditionsWatch
from brixia_edge.benchmarks.machine.line_sampler import LineSampler
from brixia_edge.benchmarks.machine.nvidia_smi import parse_line
from brixia_edge.benchmarks.machine.tegrastats import (
    find_unlocked,
    mean_watts,
    parse_power_mode,
    told_rails,
)
from brixia_edge.benchmarks.machine.tegrastats import parse_line as parse_tegra

from ..conftest import FakeClock, PipelineDouble

ORIN_NANO = (
    "09-24-2026 10:15:32 RAM 2467/7471MB (lfb 2x4MB) SWAP 0/994MB (cached 0MB) "
    "CPU [2%@729,1%@729,off,off] EMC_FREQ 0%@2133 GR3D_FREQ 98%@[611] NVDEC off VIC off APE 200 "
    "cpu@47.5C soc2@46.8C CV0@-256C gpu@46.2C tj@47.5C VDD_IN 4462mW/4400mW "
    "VDD_CPU_GPU_CV 480mW/470mW VDD_SOC 1400mW/1390mW"
)
JETPACK_7 = (
    "09-01-2026 09:25:18 RAM 5739/7546MB (lfb 1x2MB) SWAP 2047/2048MB (cached 209MB) "
    "CPU [72%@1728] GR3D_FREQ 33% cpu@50C/50C tj@50C/50C VDD_IN 9761mW/9761mW/9761mW "
    "VDD_CPU_GPU_CV 4238mW/4238mW/4238mW VDD_SOC 1825mW/1825mW/1825mW"
)
AGX_ORIN = (
    "RAM 3000/30000MB (lfb 1x1MB) SWAP 0/15000MB (cached 0MB) CPU [1%@2201] GR3D_FREQ 0% "
    "GPU@51.0C VDD_GPU_SOC 4876mW/4876mW VDD_CPU_CV 975mW/975mW VIN_SYS_5V0 4461mW/4461mW"
)
THOR = (
    "RAM 9000/125000MB (lfb 1x4MB) CPU [1%@2601] cpu@52.1C VDD_GPU -392mW/0mW "
    "VDD_CPU_SOC_MSS 4713mW/4700mW VIN_SYS_5V0 6520mW/6500mW VIN 23000mW/22801mW"
)
NANO = (
    "RAM 1766/3964MB (lfb 197x4MB) SWAP 0/2048MB (cached 0MB) CPU [24%@1224,15%@1224] EMC_FREQ 0% "
    "GR3D_FREQ 0% PLL@21C CPU@25C PMIC@100C GPU@23.5C AO@33.5C thermal@24.5C "
    "POM_5V_IN 2545/2547 POM_5V_GPU 0/0 POM_5V_CPU 549/529"
)
XAVIER = (
    "RAM 2000/31000MB (lfb 1x4MB) CPU [1%@1190] GR3D_FREQ 0% AUX@30C CPU@31.5C GPU 0mW/0mW "
    "CPU 465mW/465mW SOC 1242mW/1242mW CV 0mW/0mW VDDRQ 310mW/310mW SYS5V 2760mW/2760mW"
)


@pytest.mark.parametrize(
    ("line", "watts", "rails"),
    [
        (ORIN_NANO, 4.462, "VDD_IN"),
        (JETPACK_7, 9.761, "VDD_IN"),
        (AGX_ORIN, 4.876 + 0.975 + 4.461, "VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0"),
        (THOR, 23.0, "VIN"),
        (NANO, 2.545, "POM_5V_IN"),
        (XAVIER, 0.465 + 1.242 + 0.310 + 2.760, "GPU + CPU + SOC + CV + VDDRQ + SYS5V"),
    ],
)
def test_a_modules_power_is_its_input_or_the_sum_of_its_rails(
    line: str, watts: float, rails: str
) -> None:
    assert parse_tegra(line).watts == pytest.approx(watts)
    assert told_rails([line]) == rails
    assert mean_watts([line, line]) == pytest.approx(watts)


def test_temperatures_of_sensors_that_are_on_are_read() -> None:
    expected = {"cpu": 47.5, "soc2": 46.8, "gpu": 46.2, "tj": 47.5}
    assert parse_tegra(ORIN_NANO).temperatures == expected


def test_a_line_without_rails_tells_no_power() -> None:
    assert parse_tegra("RAM 100/200MB SWAP 0/3MB").watts is None


def test_the_power_mode_is_read() -> None:
    assert parse_power_mode("NV Power Mode: MAXN_SUPER\n2\n") == "MAXN_SUPER"
    assert parse_power_mode("no such thing") is None


def test_a_jetsons_unlocked_clock_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "sys/class/devfreq/17000000.gpu"
    folder.mkdir(parents=True)
    (folder / "min_freq").write_text("306000000")
    (folder / "max_freq").write_text("1020000000")
    assert "306 to 1020 MHz" in find_unlocked(tmp_path)[0]
    (folder / "min_freq").write_text("1020000000")
    assert find_unlocked(tmp_path) == ()


def test_a_line_of_nvidia_smi_is_understood() -> None:
    sample = parse_line("112.34, 61, 1785, 2100, 1024, 0x0000000000000024")
    assert sample is not None
    assert (sample.watts, sample.celsius, sample.megahertz) == (112.34, 61, 1785)
    assert (sample.maximum_megahertz, sample.mebibytes, sample.reasons) == (2100, 1024, 0x24)


def test_what_a_gpu_does_not_tell_is_none() -> None:
    sample = parse_line("[N/A], 61, 1785, 2100, 1024, [Not Supported]")
    assert sample is not None
    assert sample.watts is None
    assert sample.reasons == 0


def test_a_line_cut_off_is_left_out() -> None:
    assert parse_line("112.34, 61") is None
    assert nvidia_smi.find(["112.34, 61"]).absent


def test_clocks_that_vary_and_are_held_back_are_told() -> None:
    lines = ["100, 60, 1500, 2100, 900, 0x0", "120, 83, 1900, 2100, 1000, 0x20"]
    finding = nvidia_smi.find(lines)
    assert "not locked: 1500 to 1900 MHz" in finding.warnings[0]
    assert "held back by its temperature (software)" in finding.warnings[1]
    assert finding.figures["GPU temperature in degrees Celsius"] == 83
    assert finding.figures[nvidia_smi.GPU_MEMORY] == 1000


def test_locked_clocks_and_an_idle_gpu_are_fine() -> None:
    assert nvidia_smi.find(["100, 60, 1900, 2100, 900, 0x1"] * 3).warnings == ()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a program that prints on the search path, and nothing else."""
    if sys.platform == "win32":
        pytest.skip("the doubles are shell scripts")
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return put


def repeat(line: str) -> str:
    return f"while true; do echo '{line}'; sleep 0.01; done"


@pytest.fixture
def lines_came(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Wait until every sampler that was started has a line, however slow its program starts."""
    started: list[LineSampler] = []
    for module in (tegrastats, nvidia_smi):

        def start(
            really: Callable[[], LineSampler | str] = module.start_sampler,
        ) -> LineSampler | str:
            sampler = really()
            started.extend([sampler] if isinstance(sampler, LineSampler) else [])
            return sampler

        monkeypatch.setattr(module, "start_sampler", start)

    def wait() -> None:
        assert started
        while not all(sampler.lines or not sampler.is_running for sampler in started):
            sleep(0.001)

    return wait


def test_a_jetson_tells_mode_temperatures_and_energy(
    install: Callable[[str, str], None],
    lines_came: Callable[[], None],
    clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install("tegrastats", repeat(ORIN_NANO))
    install("nvpmodel", "echo 'NV Power Mode: 15W'; echo 0")
    monkeypatch.setattr(energy, "perf_counter", clock)

    def half_a_second() -> float:
        lines_came()
        return 500.0

    watch = ConditionsWatch(gpu=True, root=tmp_path)
    pipeline = PipelineDouble(clock, half_a_second, {})
    told = {each.source: each for each in energy.measure_energy(pipeline, True, Extent(3, 0.0))}
    finding = watch.finish()
    assert finding.figures["power mode"] == "15W"
    assert finding.figures["tj in degrees Celsius"] == 47.5
    assert told["tegrastats"].told == "VDD_IN"
    # 4.462 W for half a second an image.
    assert told["tegrastats"].joules == pytest.approx(2.231, rel=1e-4)
    assert told["NVML"].joules is None


@pytest.mark.parametrize("name", ["clocks_event_reasons.active", "clocks_throttle_reasons.active"])
def test_a_gpu_is_asked_in_the_words_of_its_release(
    install: Callable[[str, str], None],
    lines_came: Callable[[], None],
    tmp_path: Path,
    name: str,
) -> None:
    line = "112.34, 61, 1785, 2100, 1024, 0x0"
    query = f'case "$*" in *{name}*) {repeat(line)};; *) echo unknown field; exit 1;; esac'
    install("nvidia-smi", f'if [ "$1" = --help-query-gpu ]; then echo {name}; exit; fi\n{query}')
    watch = ConditionsWatch(gpu=True, root=tmp_path)
    lines_came()
    assert watch.finish().figures[nvidia_smi.GPU_MEMORY] == 1024


def test_nothing_keeps_running_after_a_sampler_was_stopped(
    install: Callable[[str, str], None],
) -> None:
    install("tegrastats", repeat(NANO))
    sampler = tegrastats.start_sampler()
    assert isinstance(sampler, LineSampler)
    sampler.stop()
    assert not sampler.is_running
