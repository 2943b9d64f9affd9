"""`brixia-edge benchmark`, whole, on a tiny bundle; what it says of times is not looked at."""

import json
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from brixia_edge.benchmarks.latency import warm_up
from brixia_edge.benchmarks.latency.cold_start import (
    PHASES,
    Start,
    measure_cold_start,
    summarise_starts,
)
from brixia_edge.benchmarks.latency.measurement import Extent
from brixia_edge.benchmarks.latency.stages import STAGES
from brixia_edge.benchmarks.latency.sweeps import EXTENT, Setup, doubling, run_sweep
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import BenchmarkError
from gpu_fixtures import Installer

DOCUMENT = Path(__file__).parents[3] / "docs" / "benchmark.md"
QUICK = ("--runs", "3", "--seconds", "0", "--cold-starts", "0")

Run = Callable[..., int]


@pytest.fixture(autouse=True)
def short_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any times count as settled, also those of a machine that runs other tests."""
    monkeypatch.setattr(warm_up, "TOLERANCE", 1000.0)


@pytest.fixture
def run(tiny_bundle: Bundle, chest_png: Path) -> Run:
    """Run the command on a small picture; returns the exit status."""

    def run(*arguments: str, bundle: Bundle = tiny_bundle, backend: str = "onnxruntime") -> int:
        given = ["--bundle", str(bundle.root), "--backend", backend, "--image", str(chest_png)]
        return main(["benchmark", *given, *QUICK, *arguments])

    return run


def validate(entries: Any) -> None:
    found = re.search(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    schema = json.loads(found.group(1))
    validator: Any = import_module("jsonschema").Draft202012Validator
    validator.check_schema(schema)
    validator(schema).validate(entries)


def test_json_follows_the_documented_schema(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved.json"
    assert run("--format", "json", "--save", str(saved)) == 0
    printed = json.loads(capsys.readouterr().out)
    validate(printed)
    assert json.loads(saved.read_text()) == printed
    assert printed["subject"]["backend"] == "onnxruntime"
    assert printed["part_of_infer"] == ["copy in", "copy out"]
    assert len(printed["series_ms"]["end_to_end"]) == printed["end_to_end_ms"]["runs"] == 3
    assert {each["source"] for each in printed["energy"]} == {"tegrastats", "NVML", "RAPL"}


def test_everything_asked_for_follows_the_schema_too(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, later = str(tmp_path / "saved.json"), str(tmp_path / "later.json")
    assert run("--save", saved, "--cold-starts", "1") == 0
    assert run("--compare", saved, "--against-backend", "openvino", "--save", later) == 0
    entries = json.loads(Path(later).read_text())
    validate(entries)
    baseline, other = entries["comparisons"]
    assert (baseline["paired"], other["paired"]) == (False, True)
    assert other["against"] == "tiny fp32 on openvino"
    assert "Against saved.json" in capsys.readouterr().out


def test_a_gpus_benchmark_follows_the_schema(
    run: Run, install: Installer, bundle_for: Callable[..., Bundle], tmp_path: Path
) -> None:
    install()
    saved = tmp_path / "saved.json"
    assert run("--save", str(saved), bundle=bundle_for(), backend="tensorrt") == 0
    entries = json.loads(saved.read_text())
    validate(entries)
    assert tuple(entries["stages_ms"]) == STAGES
    assert entries["part_of_infer"] == []
    assert entries["enqueue_ms"] > 0
    assert entries["machine"]["gpu"] == "sm_86"


def test_text_tells_every_stage_and_what_is_absent(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    told = capsys.readouterr().out
    for part in (*(stage for stage in STAGES if "copy" not in stage), "sum", "network share"):
        assert f"\n  {part} " in told
    assert "does not tell apart: copy in, copy out" in told
    assert "absent: tegrastats" in told
    assert "WARNING: 3 runs" in told


def test_a_baseline_of_another_backend_is_refused_before_measuring(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = str(tmp_path / "saved.json")
    assert run("--save", saved) == 0
    capsys.readouterr()
    assert run("--compare", saved, backend="openvino") == 1
    told = capsys.readouterr()
    assert "backend was 'onnxruntime' and is 'openvino'" in told.err
    assert told.out == ""
    assert "warming up" not in told.err


def test_a_picture_is_drawn(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    assert run("--plot", str(picture)) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("option", ["--save", "--plot"])
def test_nothing_that_is_read_or_kept_is_written_over(
    run: Run, option: str, chest_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    image, saved = chest_png.read_bytes(), tmp_path / "saved.png"
    saved.write_bytes(b"mine")
    assert run(option, str(chest_png), "--overwrite") == 2
    assert "is one of the files that are read" in capsys.readouterr().err
    assert run(option, str(saved)) == 2
    told = capsys.readouterr().err
    assert "give --overwrite to replace it" in told
    assert "warming up" not in told
    assert (chest_png.read_bytes(), saved.read_bytes()) == (image, b"mine")
    assert run(option, str(saved), "--overwrite") == 0
    assert saved.read_bytes() != b"mine"


def test_a_baseline_is_not_written_over(run: Run, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    assert run("--save", str(saved)) == 0
    baseline = saved.read_bytes()
    assert run("--compare", str(saved), "--save", str(saved), "--overwrite") == 2
    assert saved.read_bytes() == baseline


def test_a_kind_of_picture_that_cannot_be_drawn_is_told_before_measuring(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    assert run("--plot", str(tmp_path / "picture.xyz")) == 2
    assert "there is no picture of this kind" in capsys.readouterr().err


def test_a_picture_without_matplotlib_names_the_extra_before_measuring(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run("--plot", "picture.png") == 3
    told = capsys.readouterr().err
    assert "pip install 'brixia-edge[report]'" in told
    assert "warming up" not in told


def test_a_batch_beyond_the_bundles_is_wrong_usage(run: Run) -> None:
    assert run("--batch", "5") == 2


@pytest.mark.parametrize(("of", "values"), [("batch", [1, 2, 4]), ("threads", [1, 2])])
def test_a_sweep_measures_every_value(
    of: str, values: list[int], tiny_bundle: Bundle, chest_png: Path, two_cores: None
) -> None:
    setup = Setup(tiny_bundle, "onnxruntime", chest_png)
    rows = list(run_sweep(of, setup, Extent(2, 0.0)))
    assert [row.value for row in rows] == values
    assert all(row.throughput > 0 and row.runs == 2 for row in rows)


def test_streams_run_at_once(tiny_bundle: Bundle, chest_png: Path, two_cores: None) -> None:
    setup = Setup(tiny_bundle, "onnxruntime", chest_png)
    one, two = run_sweep("streams", setup, Extent(1, 0.05))
    assert (one.value, two.value) == (1, 2)
    assert two.runs >= 4


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)


def test_a_sweep_ends_with_the_highest_value() -> None:
    assert doubling(1) == [1]
    assert doubling(6) == [1, 2, 4, 6]
    assert doubling(8) == [1, 2, 4, 8]
    assert EXTENT.seconds >= 3


def test_a_cold_start_is_broken_into_phases(tiny_bundle: Bundle, chest_png: Path) -> None:
    start = measure_cold_start(tiny_bundle.root, "onnxruntime", 1, chest_png, repeats=1)
    assert tuple(start.phases) == PHASES
    assert all(time > 0 for time in start.phases.values())
    assert sum(start.phases.values()) == pytest.approx(start.total)


def test_phases_are_medians_of_differences() -> None:
    ends = ((1.0, 2.0, 3.0, 4.0, 5.0), (1.0, 4.0, 5.0, 6.0, 7.0), (2.0, 3.0, 4.0, 5.0, 6.0))
    memory: dict[str, int | None] = dict.fromkeys(PHASES, 10)
    starts = [Start(dict(zip(PHASES, each, strict=True)), memory) for each in ends]
    start = summarise_starts(starts)
    assert start.phases == dict.fromkeys(PHASES, 1000.0)
    assert start.total == 6000.0


def test_a_start_that_fails_gives_its_reason(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"cold start failed: .*UnreadableImage"):
        measure_cold_start(tiny_bundle.root, "onnxruntime", 1, tmp_path / "none.dcm", 1)
