"""The command line: what goes where, and how it ends."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from brixia_edge.runtime import cli_demo
from brixia_edge.runtime.bundle import Bundle
from brixia_edge.runtime.cli import COMMANDS, main

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def score(tiny_bundle: Bundle, capsys: Capture) -> Callable[..., tuple[int, str, str]]:
    """Run `score` with the tiny bundle; gives status, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main(["score", "--bundle", str(tiny_bundle.root), *map(str, arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


Score = Callable[..., tuple[int, str, str]]


def test_scores_go_to_standard_output_alone(score: Score, chest_png: Path) -> None:
    status, out, err = score(chest_png)
    assert status == 0
    assert "Brixia score 18 of 18" in out
    assert "RESEARCH USE ONLY" in out
    assert err == ""


def test_json_has_the_designed_keys(score: Score, chest_png: Path) -> None:
    status, out, _ = score("--format", "json", chest_png, chest_png)
    (line,) = out.splitlines()
    entry = json.loads(line)
    assert status == 0
    assert entry["file"] == str(chest_png)
    assert entry["zones"] == dict.fromkeys("ABCDEF", 3)
    assert entry["global"] == 18
    assert set(entry["timing_ms"]) == {"read", "prepare", "infer", "total"}
    assert entry["model"] == {"name": "tiny", "precision": "fp32", "sha256": "ab" * 32}


def test_a_batch_goes_on_past_bad_files(
    score: Score, chest_png: Path, tmp_path: Path, make_dicom: Callable[..., bytes]
) -> None:
    folder = tmp_path / "batch"
    folder.mkdir()
    for index in range(3):
        (folder / f"good{index}.png").write_bytes(chest_png.read_bytes())
    (folder / "good.dcm").write_bytes(make_dicom())
    (folder / "cut.dcm").write_bytes(make_dicom()[:200])
    (folder / "zero.png").write_bytes(b"")
    (folder / "text.jpg").write_text("not an image")
    status, out, err = score("--format", "json", folder)
    entries = [json.loads(line) for line in out.splitlines()]
    failed = {Path(entry["file"]).name for entry in entries if "error" in entry}
    assert status == 1
    assert len(entries) == 7
    assert failed == {"cut.dcm", "zero.png", "text.jpg"}
    assert all(name in err for name in failed)
    assert "Traceback" not in err


def test_csv_goes_to_a_file(score: Score, chest_png: Path, tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    status, out, _ = score("--format", "csv", "-o", table, chest_png, tmp_path / "absent.png")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert (status, out) == (1, "")
    assert rows[0]["global"] == "18"
    assert rows[1]["error_type"] == "UnreadableImage"


def test_a_list_comes_on_standard_input(
    score: Score, chest_png: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = tmp_path / "names.txt"
    names.write_text(f"{chest_png}\n")
    with names.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        status, out, _ = score("-")
    assert status == 0
    assert str(chest_png) in out


def test_a_folder_with_none_is_an_input_that_could_not_be_scored(
    score: Score, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    status, out, err = score("--format", "json", empty)
    assert status == 1
    assert json.loads(out)["error"]["type"] == "UnreadableImage"
    assert "holds no DICOM, PNG or JPEG" in err


def test_strict_counts_doubtful_quality(
    score: Score, make_dicom: Callable[..., bytes], tmp_path: Path
) -> None:
    doubtful = tmp_path / "lateral.dcm"
    doubtful.write_bytes(make_dicom(ViewPosition="LL"))
    assert score(doubtful)[0] == 0
    assert score("--strict", doubtful)[0] == 1


def test_overlays_are_written(score: Score, chest_png: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures" / "of scores"
    assert score("--overlay", folder, chest_png)[0] == 0
    (picture,) = folder.iterdir()
    assert picture.suffix == ".png"


@pytest.mark.parametrize(
    "arguments",
    [["score"], ["score", "x", "--backend", "warp"], ["score", "x", "--format", "xml"], ["paint"]],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: Capture) -> None:
    assert main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_wrong_usage(
    score: Score, chest_png: Path, tmp_path: Path
) -> None:
    status, _, err = score("-o", tmp_path, chest_png)
    assert status == 2
    assert "Is a directory" in err
    status, _, err = score("--overlay", chest_png, chest_png)
    assert status == 2
    assert "--overlay" in err


def test_a_broken_bundle_ends_with_3(tiny_bundle: Bundle, score: Score, chest_png: Path) -> None:
    tiny_bundle.model_path.write_bytes(b"changed")
    status, out, err = score(chest_png)
    assert (status, out) == (3, "")
    assert "was altered" in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(tmp_path: Path, capsys: Capture) -> None:
    assert main(["--debug", "inspect", str(tmp_path)]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_inspect_shows_what_a_bundle_is(tiny_bundle: Bundle, capsys: Capture) -> None:
    assert main(["inspect", str(tiny_bundle.root)]) == 0
    out = capsys.readouterr().out
    for fact in (
        "tiny",
        "fp32",
        "equalize, 512 pixels",
        "ab" * 32,
        "float32 [N, 6, 4]",
        "RESEARCH",
    ):
        assert fact in out
    assert main(["inspect", "--format", "json", str(tiny_bundle.root)]) == 0
    assert json.loads(capsys.readouterr().out)["manifest"]["name"] == "tiny"


def test_doctor_names_every_backend_and_the_shipped_bundle(capsys: Capture) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for subject in (
        "python",
        "processor",
        "backend onnxruntime",
        "decoder JPEG 2000",
        "shipped bundle",
    ):
        assert subject in out


def test_the_demo_without_its_radiograph_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def absent(name: str) -> None:
        return None

    monkeypatch.setattr(cli_demo, "find_spec", absent)
    assert main(["demo"]) == 3
    assert "pip install 'brixia-edge[demo]'" in capsys.readouterr().err


def test_help_lists_all_commands_without_importing_them(capsys: Capture) -> None:
    code = (
        "import sys; from brixia_edge.runtime.cli import main; status = main(['--help']);"
        "heavy = {'onnxruntime', 'pydicom', 'cv2', 'numpy', 'onnx', 'h5py'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


def test_version_is_the_package_s(capsys: Capture) -> None:
    from importlib.metadata import version

    assert main(["--version"]) == 0
    assert version("brixia-edge") in capsys.readouterr().out
