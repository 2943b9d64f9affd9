"""The command line: what goes where, and how it ends."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import COMMANDS, main
from brixia_edge.runtime.commands import demo as cli_demo

Capture = pytest.CaptureFixture[str]

PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from brixia_edge.runtime.cli import run; run()"
)
"""What the console script does; a shell's background job would have left Ctrl-C ignored."""


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
    model = {"name": "tiny", "precision": "fp32", "sha256": "ab" * 32, "variant": "exact"}
    assert entry["model"] == model


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


def test_an_empty_list_is_an_input_that_could_not_be_scored(
    score: Score, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        status, _, err = score("-")
    assert status == 1
    assert "standard input lists no file" in err


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a" * 300, "File name too long"),
        ("zero\0byte", "holds a zero byte"),
        ("chest.png/below", "Not a directory"),
    ],
)
def test_an_impossible_path_costs_only_itself(
    score: Score, chest_png: Path, name: str, told: str
) -> None:
    status, out, err = score(chest_png.parent / name, chest_png)
    assert status == 1
    assert told in err
    assert "Brixia score 18 of 18" in out


def test_an_empty_path_is_wrong_usage(score: Score) -> None:
    status, _, err = score("")
    assert status == 2
    assert "a path is empty" in err


def test_an_output_never_overwrites_an_image(score: Score, chest_png: Path) -> None:
    content = chest_png.read_bytes()
    status, _, err = score("-o", chest_png, chest_png)
    assert status == 2
    assert "is one of the files that are read" in err
    assert chest_png.read_bytes() == content


def test_a_broken_bundle_leaves_earlier_results(
    score: Score, tiny_bundle: Bundle, chest_png: Path, tmp_path: Path
) -> None:
    tiny_bundle.model.write_bytes(b"changed")
    table = tmp_path / "scores.csv"
    table.write_text("earlier results")
    assert score("-o", table, chest_png)[0] == 3
    assert table.read_text() == "earlier results"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is absent")
def test_a_full_disk_is_told(tiny_bundle: Bundle, chest_png: Path) -> None:
    arguments = ["score", "--bundle", str(tiny_bundle.root), str(chest_png)]
    for more, where in (([], "/dev/full"), (["-o", "/dev/full"], os.devnull)):
        with Path(where).open("w") as out:
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, *arguments, *more],
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 1
        told = "the disk is full (No space left on device); nothing more was written\n"
        assert done.stderr == f"Error: {'/dev/full' if more else 'standard output'}: {told}"


@pytest.fixture
def many(chest_png: Path, tmp_path: Path) -> Path:
    """A folder of more images than are scored before the reader of the results has left."""
    folder = tmp_path / "many"
    folder.mkdir()
    for index in range(2000):
        (folder / f"copy{index:04}.png").hardlink_to(chest_png)
    return folder


def test_an_interrupted_run_ends_with_130_and_complete_lines(
    tiny_bundle: Bundle, many: Path
) -> None:
    arguments = ["score", "--bundle", str(tiny_bundle.root), "--format", "json", str(many)]
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert err.strip() == "Interrupted"
    assert all(json.loads(line)["global"] == 18 for line in (first + out).splitlines())


def test_a_reader_that_leaves_early_ends_the_run_quietly(tiny_bundle: Bundle, many: Path) -> None:
    arguments = ["score", "--bundle", str(tiny_bundle.root), str(many)]
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_the_last_line_counts_what_came_of_many_files(
    score: Score, chest_png: Path, make_dicom: Callable[..., bytes], tmp_path: Path
) -> None:
    bad, doubtful = tmp_path / "bad.png", tmp_path / "lateral.dcm"
    bad.write_text("no picture")
    doubtful.write_bytes(make_dicom(ViewPosition="LL"))
    status, _, err = score("--format", "csv", chest_png, doubtful, bad)
    assert status == 1
    assert err.splitlines()[-1] == "2 scored, 1 failed, 1 doubtful"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("form", "times"), [("text", 1), ("csv", 2)])
def test_an_error_is_told_once_where_both_streams_are_one_terminal(
    form: str, times: int, tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    bundle = ["--bundle", str(tiny_bundle.root), "--format", form]
    assert main(["score", *bundle, str(tmp_path / "bad.png")]) == 1
    told = out.getvalue() + err.getvalue()
    assert " ".join(told.split()).count("is not a DICOM, PNG or JPEG file") == times


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
    assert "is a folder; give the file to write" in err
    status, _, err = score("--overlay", chest_png, chest_png)
    assert status == 2
    assert "--overlay" in err


def test_a_broken_bundle_ends_with_3(tiny_bundle: Bundle, score: Score, chest_png: Path) -> None:
    tiny_bundle.model.write_bytes(b"changed")
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


def test_doctor_tells_programs_what_it_tells_people(capsys: Capture) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert main(["doctor", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    for line, finding in zip(lines, told["findings"], strict=True):
        assert line[8:40].strip() == finding["subject"]
        assert line.startswith("ok") == finding["ok"]
        assert finding["ok"] or not finding["required"]


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
