"""Scaling: the generated files are radiographs, all are scored, and rows say what ran."""

import json
from pathlib import Path

import pytest
from brixia_edge.benchmarks.scaling.files import FilesRow, measure_files
from brixia_edge.benchmarks.scaling.tables import files_table, load_table
from brixia_edge.benchmarks.scaling.tiny_bundle import write_tiny_bundle, write_tiny_files
from brixia_edge.benchmarks.scaling.workers import Load, ScalingRow, loads, measure_load
from brixia_edge.benchmarks.tables import markdown_table, text_table
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import BenchmarkError
from brixia_edge.runtime.reading.read import read_radiograph


def test_the_generated_files_are_different_radiographs(tmp_path: Path) -> None:
    write_tiny_files(tmp_path, 1001)
    files = sorted(tmp_path.rglob("*.dcm"))
    assert len(files) == 1001
    radiographs = [read_radiograph(file) for file in (files[0], files[1], files[1000])]
    assert len({radiograph.sop_instance_uid for radiograph in radiographs}) == 3
    assert {radiograph.pixels.shape for radiograph in radiographs} == {(64, 64)}


def test_all_files_are_scored_and_counted() -> None:
    few, more = measure_files((2, 5))
    assert (few.files, few.further) == (2, None)
    assert more.files == 5
    assert more.further == pytest.approx(1000 * (more.seconds - few.seconds) / 3)
    assert few.peak_memory
    assert few.peak_memory > 10e6


def test_a_file_that_is_not_scored_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def write_none(folder: Path, count: int) -> None:
        folder.mkdir()

    monkeypatch.setattr("brixia_edge.benchmarks.scaling.files.write_tiny_files", write_none)
    with pytest.raises(BenchmarkError, match="of 3 generated files were scored"):
        measure_files((3,))


def test_a_load_adds_up_its_processes(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny")
    write_tiny_files(tmp_path / "files", 1)
    (image,) = (tmp_path / "files").rglob("*.dcm")
    load = Load(processes=2, threads=1, batch=3)
    row = measure_load(bundle, "onnxruntime", image, load, seconds=0.2)
    assert row.load == load
    assert row.throughput > 0
    assert row.peak_memory
    assert row.peak_memory > 2 * 10e6


def test_a_process_that_cannot_start_tells_why(tiny_bundle: Bundle, chest_png: Path) -> None:
    with pytest.raises(BenchmarkError, match="no-such-backend"):
        measure_load(tiny_bundle, "no-such-backend", chest_png, Load(), seconds=0.1)


def test_the_loads_rise_to_the_cores_and_repeat_nothing(tiny_bundle: Bundle) -> None:
    found = loads(tiny_bundle, cores=4)
    assert len(set(found)) == len(found)
    assert [load.batch for load in found if load.threads is None] == [1, 2, 4]
    assert Load(processes=4, threads=1) in found
    assert Load(processes=2, threads=2) in found


def test_the_tables_say_what_the_rows_say() -> None:
    files = [FilesRow(10, 1.5, None, 90_000_000), FilesRow(1000, 3.5, 2.02, None)]
    assert files_table(files, markdown_table)[3].split(" | ") == [
        "| 1,000",
        "3.5",
        "2.02",
        "not told |",
    ]
    rows = [ScalingRow(Load(2, None, 4), 7.125, 10**9)]
    assert load_table(rows, text_table)[1].split() == ["2", "all", "4", "7.12", "1000"]


def test_the_command_scores_files(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["benchmark", "scaling", "--files", "2", "--format", "json"]
    assert main(line) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["files"] == 2
