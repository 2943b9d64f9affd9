"""No output destroys an input or what is to be kept; what a cut-short run wrote is not lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.commands.writing import OutputRule
from brixia_edge.runtime.errors import OutputRefused
from brixia_edge.runtime.files import locked, part_of, rest_of

Capture = pytest.CaptureFixture[str]
Run = Callable[..., tuple[int, str]]

PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from brixia_edge.runtime.cli import run; run()"
)
"""What the console script does; a shell's background job would have left Ctrl-C ignored."""


@pytest.fixture
def score(tiny_bundle: Bundle, capsys: Capture) -> Run:
    """Run `brixia-edge score` with the tiny bundle; gives the status and standard error."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        fixed = ["score", "--bundle", str(tiny_bundle.root), "--backend", "onnxruntime"]
        status = main([*fixed, *map(str, arguments)])
        return status, capsys.readouterr().err

    return run


def same(path: Path, folder: Path) -> Path:
    return path


def link(path: Path, folder: Path) -> Path:
    (folder / "link").symlink_to(path)
    return folder / "link"


def hard_link(path: Path, folder: Path) -> Path:
    (folder / "other").hardlink_to(path)
    return folder / "other"


def roundabout(path: Path, folder: Path) -> Path:
    return path.parent / "." / ".." / path.parent.name / path.name


@pytest.mark.parametrize("name", [same, link, hard_link, roundabout])
@pytest.mark.parametrize("more", [[], ["--overwrite"], ["--format", "json", "--resume"]])
def test_an_input_is_no_output_under_any_name(
    score: Run, chest_png: Path, tmp_path: Path, name: Callable[..., Path], more: list[str]
) -> None:
    content = chest_png.read_bytes()
    (tmp_path / "names").mkdir()
    status, told = score(chest_png, "-o", name(chest_png, tmp_path / "names"), *more)
    assert (status, "is one of the files that are read" in told) == (2, True)
    assert chest_png.read_bytes() == content


def test_a_file_of_a_folder_and_one_listed_on_standard_input_are_inputs(
    score: Run, chest_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert score(tmp_path, "-o", chest_png, "--overwrite")[0] == 2
    listed = TextIOWrapper(BytesIO(os.fsencode(chest_png)))
    monkeypatch.setattr(sys, "stdin", listed)
    status, told = score("-", "-o", chest_png, "--overwrite")
    assert (status, "is one of the files that are read" in told) == (2, True)


@pytest.mark.parametrize("name", [same, link, hard_link])
def test_the_list_on_standard_input_is_no_output(
    score: Run,
    chest_png: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: Callable[..., Path],
) -> None:
    (tmp_path / "names").mkdir()
    listing = tmp_path / "list.txt"
    listing.write_text(f"{chest_png}\n", encoding="utf-8")
    with listing.open(encoding="utf-8") as listed:
        monkeypatch.setattr(sys, "stdin", listed)
        status, told = score("-", "-o", name(listing, tmp_path / "names"), "--overwrite")
    assert (status, "is one of the files that are read" in told) == (2, True)
    assert listing.read_text(encoding="utf-8") == f"{chest_png}\n"


def test_a_file_of_the_bundle_is_no_output(
    score: Run, chest_png: Path, tiny_bundle: Bundle
) -> None:
    status, told = score(chest_png, "-o", tiny_bundle.model, "--overwrite")
    assert (status, "is one of the files that are read" in told) == (2, True)


def test_an_overlay_does_not_replace_the_radiograph_of_its_name(
    score: Run, chest_png: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    assert score(chest_png, "--overlay", folder)[0] == 0
    (overlay,) = folder.iterdir()
    overlay.unlink()
    overlay.symlink_to(chest_png)
    content = chest_png.read_bytes()
    status, told = score(chest_png, "--overlay", folder, "--overwrite")
    assert (status, "--overlay" in told, "files that are read" in told) == (1, True, True)
    assert chest_png.read_bytes() == content


def test_a_preview_does_not_replace_its_radiograph(chest_png: Path, capsys: Capture) -> None:
    content = chest_png.read_bytes()
    assert main(["inspect", str(chest_png), "--preview", str(chest_png), "--overwrite"]) == 2
    assert "is one of the files that are read" in capsys.readouterr().err
    assert chest_png.read_bytes() == content


def test_what_exists_is_kept_unless_overwriting_is_asked_for(
    score: Run, chest_png: Path, tmp_path: Path, tiny_bundle: Bundle, capsys: Capture
) -> None:
    notes, folder = tmp_path / "notes", tmp_path / "out"
    preview = ["inspect", str(chest_png), "--preview", str(notes)]
    explain = ["explain", str(chest_png), "-o", str(folder), "--bundle", str(tiny_bundle.root)]
    explain += ["--backend", "onnxruntime"]
    for command in (["score", str(chest_png), "-o", str(notes)], preview):
        notes.write_text("precious")
        assert main(command) == 2
        assert "give --overwrite to replace it" in capsys.readouterr().err
        assert notes.read_text() == "precious"
    assert score(chest_png, "-o", notes, "--overwrite")[0] == 0
    assert main([*preview, "--overwrite"]) == 0
    assert (score(chest_png, "--overlay", folder)[0], main(explain)) == (0, 0)
    status, told = score(chest_png, "--overlay", folder)
    assert (status, "give --overwrite to replace it" in told) == (1, True)
    assert main(explain) == 1
    assert score(chest_png, "--overlay", folder, "--overwrite")[0] == 0
    assert main([*explain, "--overwrite"]) == 0


def test_inputs_that_are_not_there_stop_no_output(tmp_path: Path) -> None:
    rule = OutputRule([tmp_path / "absent", Path("\0")])
    rule.check(tmp_path / "new")
    (tmp_path / "old").touch()
    with pytest.raises(OutputRefused, match="already exists"):
        rule.check(tmp_path / "old")


def test_two_runs_with_one_output_are_not_mixed(
    score: Run, chest_png: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    with locked(output):
        for more in ([], ["--format", "json", "--resume"], ["--overwrite"]):
            status, told = score(chest_png, "-o", output, *more)
            assert (status, "is being written by another run" in told) == (2, True)
    assert not output.exists()


def test_a_torn_picture_is_no_picture(
    score: Run, chest_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill)
    status, told = score(chest_png, "--overlay", tmp_path / "pictures")
    assert (status, "the disk is full" in told) == (1, True)
    assert list((tmp_path / "pictures").iterdir()) == []


@pytest.fixture
def many(chest_png: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:03}.png").write_bytes(chest_png.read_bytes())
    return folder


def cut_short(arguments: list[str], output: Path, number: int) -> int:
    """Start a run, and end it with a signal when some results are written."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stderr=subprocess.DEVNULL
    ) as process:
        part = part_of(output)
        while process.poll() is None and not (part.exists() and part.stat().st_size > 2500):
            time.sleep(0.001)
        process.send_signal(number)
    return process.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_goes_on_with_what_one_cut_short_wrote(
    score: Run, many: Path, tiny_bundle: Bundle, tmp_path: Path, number: int
) -> None:
    output = tmp_path / "out.jsonl"
    fixed = [str(many), "--format", "json", "-o", str(output), "--no-isolate"]
    bundle = ["--bundle", str(tiny_bundle.root), "--backend", "onnxruntime"]
    assert cut_short(["score", *bundle, *fixed], output, number) != 0
    assert not output.exists()
    kept = part_of(output).read_bytes()
    status, told = score(*fixed)
    assert (status, "give --resume to go on with them" in told) == (2, True)
    assert part_of(output).read_bytes() == kept
    status, told = score(*fixed, "--resume")
    assert (status, "of 300 files are scored already" in told) == (0, True)
    lines = output.read_bytes().splitlines(keepends=True)
    assert b"".join(lines).startswith(kept[: kept.rindex(b"\n") + 1])
    assert sorted(Path(json.loads(each)["file"]).name for each in lines) == sorted(
        file.name for file in many.iterdir()
    )
    assert rest_of(output) is None


def test_a_table_cut_short_is_absent(many: Path, tiny_bundle: Bundle, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    bundle = ["--bundle", str(tiny_bundle.root), "--backend", "onnxruntime"]
    arguments = ["score", *bundle, str(many), "--format", "csv", "-o", str(output)]
    assert cut_short([*arguments, "--no-isolate"], output, signal.SIGINT) == 130
    assert not output.exists()
    assert not part_of(output).exists()
