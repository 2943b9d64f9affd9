"""A run that was cut short goes on: every file is scored once, and nobody's text is lost."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.commands.resume import EarlierRun, resume_output
from brixia_edge.runtime.errors import ResumeError
from brixia_edge.runtime.results import ModelIdentity

MODEL = ModelIdentity("tiny", "fp32", "ab" * 32)
FILES = 12
WRITTEN = 5
"""Lines of the run that is cut short."""

CUT_SHORT = f"""
import os, signal, sys
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.reports import JsonReport
add, written = JsonReport.add, []
def add_or_die(report, result, *more):
    if len(written) == {WRITTEN}:
        os.kill(os.getpid(), signal.SIGKILL)
    written.append(result)
    add(report, result, *more)
JsonReport.add = add_or_die
sys.exit(main(sys.argv[1:]))
"""
"""The command, killed outright when so many lines are written: no machine is too fast for it."""


def line(file: str, precision: str = "fp32", **members: object) -> bytes:
    model = {"name": "tiny", "precision": precision, "sha256": "ab" * 32}
    return json.dumps({"file": file, "global": 9, "model": model, **members}).encode() + b"\n"


def failure(file: str) -> bytes:
    return json.dumps({"file": file, "error": {"type": "X", "message": "y"}}).encode() + b"\n"


def test_an_absent_output_is_a_run_not_begun(tmp_path: Path) -> None:
    assert resume_output(tmp_path / "new.jsonl", MODEL) == EarlierRun(frozenset())


def test_files_with_a_score_are_done_and_files_with_an_error_are_not(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"
    output.write_bytes(line("a.dcm") + failure("b.dcm"))
    progress = resume_output(output, MODEL)
    assert progress.remaining([Path("a.dcm"), Path("b.dcm"), Path("c.dcm")]) == (
        Path("b.dcm"),
        Path("c.dcm"),
    )


def test_a_name_that_is_no_text_is_known_again(tmp_path: Path) -> None:
    name = os.fsdecode(b"r\xf6ntgen.dcm")
    output = tmp_path / "o.jsonl"
    output.write_bytes(line(name))
    assert resume_output(output, MODEL).remaining([Path(name)]) == ()


def test_a_torn_last_line_is_cut_away_wherever_it_was_torn(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"
    for kept in range(1, len(line("b.dcm"))):
        output.write_bytes(line("a.dcm") + line("b.dcm")[:kept])
        assert resume_output(output, MODEL) == EarlierRun(frozenset({"a.dcm"}), kept)
        assert output.read_bytes() == line("a.dcm")


def test_zeros_that_a_power_failure_left_are_cut_away(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"
    output.write_bytes(line("a.dcm") + b"\0" * 100)
    assert resume_output(output, MODEL).torn == 100


@pytest.mark.parametrize(
    "content",
    [
        b"my notes",
        b"my notes\n",
        line("a.dcm") + b"my notes",
        line("a.dcm") + b"{}\n" + line("b.dcm"),
        line("a.dcm") + b"[1]\n",
        b'{"file": 3}\n',
        b"\xff\xfe\n",
    ],
)
def test_what_is_no_result_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    output = tmp_path / "o.jsonl"
    output.write_bytes(content)
    with pytest.raises(ResumeError, match="is no result"):
        resume_output(output, MODEL)
    assert output.read_bytes() == content


def test_scores_of_another_model_are_not_mixed_in(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"
    output.write_bytes(line("a.dcm", precision="int8"))
    with pytest.raises(ResumeError, match="line 1 is of the model"):
        resume_output(output, MODEL)


@pytest.mark.parametrize("arguments", [[], ["--format", "json"], ["-o", "out.csv"]])
def test_resume_needs_json_in_a_file(arguments: list[str], chest_png: Path) -> None:
    assert main(["score", str(chest_png), "--resume", *arguments]) == 2


@pytest.fixture
def folder(tmp_path: Path, chest_png: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:02}.png").write_bytes(chest_png.read_bytes())
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def command(folder: Path, bundle: Bundle, output: Path) -> list[str]:
    options = ["--backend", "onnxruntime", "--format", "json", "-o", str(output), "--resume"]
    return ["score", str(folder), "--bundle", str(bundle.root), *options]


def scored(output: Path) -> Counter[str]:
    results: list[dict[str, Any]] = [json.loads(each) for each in output.read_text().splitlines()]
    return Counter(Path(each["file"]).name for each in results if "error" not in each)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill outright")
def test_a_killed_run_goes_on_and_scores_every_file_once(
    folder: Path, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    arguments = command(folder, tiny_bundle, output)
    killed = subprocess.run(
        [sys.executable, "-c", CUT_SHORT, *arguments], capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    before = scored_before_the_kill(output)
    assert len(before) == WRITTEN, "each line is in the file before the next is made"
    assert main(arguments) == 1, "one file cannot be scored"
    assert scored(output) == Counter({f"{number:02}.png": 1 for number in range(FILES)})
    assert output.read_bytes().startswith(b"\n".join(before) + b"\n"), "lines are only added"


def scored_before_the_kill(output: Path) -> list[bytes]:
    """The whole lines, then a torn one as a kill within a write leaves it."""
    whole = output.read_bytes().split(b"\n")[:-1]
    with output.open("ab") as file:
        file.write(b'{"file": "torn')
    return whole


def test_a_finished_run_scores_nothing_again_but_tries_failures(
    folder: Path, tiny_bundle: Bundle, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.jsonl"
    arguments = command(folder, tiny_bundle, output)
    assert main(arguments) == 1
    (folder / "broken.png").write_bytes((folder / "00.png").read_bytes())
    capfd.readouterr()
    assert main(arguments) == 0
    assert f"{FILES} of {FILES + 1} files are scored already" in capfd.readouterr().err
    assert set(scored(output).values()) == {1}
    assert len(scored(output)) == FILES + 1
