"""A run that was cut short goes on: every file is scored once, and nobody's text is lost."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.commands.resume import EarlierRun, resume_output
from brixia_edge.runtime.errors import ResumeError
from brixia_edge.runtime.results import ModelIdentity, ScoringSettings

MODEL = ModelIdentity("tiny", "fp32", "ab" * 32)
LIGHT_MODEL = replace(MODEL, variant="light")
SETTINGS = ScoringSettings("cd" * 32, "onnxruntime", window=None)
FILES = 12
MUTATIONS = 2000
SPECIAL = (
    b"{",
    b"}",
    b"[" * 2000,
    b'"',
    b"\\ud800",
    b"null",
    b"1e999",
    b"NaN",
    b"\n",
    b"\0" * 9,
    b":",
    b",",
)
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
    model = {**asdict(MODEL), "precision": precision}
    made = {"global": 9, "model": model, "settings": asdict(SETTINGS)}
    return json.dumps({"file": file, **made, **members}).encode() + b"\n"


def failure(file: str) -> bytes:
    return json.dumps({"file": file, "error": {"type": "X", "message": "y"}}).encode() + b"\n"


def test_an_absent_output_is_a_run_not_begun(tmp_path: Path) -> None:
    assert resume_output(tmp_path / "new.jsonl", MODEL, SETTINGS) == EarlierRun({})


def test_files_with_a_score_are_done_and_files_with_an_error_are_not(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"
    output.write_bytes(line("a.dcm") + failure("b.dcm"))
    progress = resume_output(output, MODEL, SETTINGS)
    assert progress.remaining([Path("a.dcm"), Path("b.dcm"), Path("c.dcm")]) == (
        Path("b.dcm"),
        Path("c.dcm"),
    )


def test_a_name_that_is_no_text_is_known_again(tmp_path: Path) -> None:
    name = os.fsdecode(b"r\xf6ntgen.dcm")
    output = tmp_path / "o.jsonl"
    output.write_bytes(line(name))
    assert resume_output(output, MODEL, SETTINGS).remaining([Path(name)]) == ()


def test_a_torn_last_line_is_cut_away_wherever_it_was_torn(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"
    for kept in range(1, len(line("b.dcm"))):
        output.write_bytes(line("a.dcm") + line("b.dcm")[:kept])
        assert resume_output(output, MODEL, SETTINGS) == EarlierRun({"a.dcm": ()}, kept)
        assert output.read_bytes() == line("a.dcm")


def test_zeros_that_a_power_failure_left_are_cut_away(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"
    output.write_bytes(line("a.dcm") + b"\0" * 100)
    assert resume_output(output, MODEL, SETTINGS).torn == 100


@pytest.mark.parametrize(
    "content",
    [
        b"my notes",
        b"my notes\n",
        line("a.dcm") + b"my notes",
        line("a.dcm") + b"{}\n" + line("b.dcm"),
        line("a.dcm") + b"[1]\n",
        b'{"file": 3}\n',
        b'{"file": "a.dcm", "written": "text"}\n',
        b'{"file": "a.dcm", "written": [1]}\n',
        b'{"file": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
        b'{"file": "' + b"a" * (1 << 20),
        b'{"file": "' + b"a" * (1 << 20) + b'"}\n',
        b'{"file": "a.dcm", "global": ' + b"9" * 10_000 + b"}\n",
        b"\xff\xfe\n",
    ],
)
def test_what_is_no_result_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    output = tmp_path / "o.jsonl"
    output.write_bytes(content)
    with pytest.raises(ResumeError, match="is no result"):
        resume_output(output, MODEL, SETTINGS)
    assert output.read_bytes() == content


def test_scores_of_another_model_are_not_mixed_in(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"
    output.write_bytes(line("a.dcm", precision="int8"))
    with pytest.raises(ResumeError, match="line 1 is of the model"):
        resume_output(output, MODEL, SETTINGS)


def test_scores_that_tell_no_variant_are_of_an_exact_network(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"
    before = {name: value for name, value in asdict(MODEL).items() if name != "variant"}
    output.write_bytes(line("a.dcm", model=before))
    assert list(resume_output(output, MODEL, SETTINGS).scored) == ["a.dcm"]
    with pytest.raises(ResumeError, match="line 1 is of the model"):
        resume_output(output, LIGHT_MODEL, SETTINGS)


@pytest.mark.parametrize("turned", [False, True])
def test_light_and_exact_scores_are_not_mixed(tmp_path: Path, turned: bool) -> None:
    written, now = (LIGHT_MODEL, MODEL) if turned else (MODEL, LIGHT_MODEL)
    output = tmp_path / "o.jsonl"
    output.write_bytes(line("a.dcm", model=asdict(written)))
    with pytest.raises(ResumeError, match=f"'variant': '{written.variant}'"):
        resume_output(output, now, SETTINGS)
    assert list(resume_output(output, written, SETTINGS).scored) == ["a.dcm"]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"bundle": "ef" * 32}, "bundle 'efef"),
        ({"backend": "openvino"}, "--backend 'openvino'; .* 'onnxruntime'"),
        ({"window": 2}, "--window 2; .* None"),
    ],
)
def test_scores_that_were_made_otherwise_are_not_mixed_in(
    tmp_path: Path, other: dict[str, object], told: str
) -> None:
    output = tmp_path / "o.jsonl"
    content = line("a.dcm") + line("b.dcm", settings={**asdict(SETTINGS), **other})
    output.write_bytes(content)
    with pytest.raises(ResumeError, match=f"line 2 was scored with {told}"):
        resume_output(output, MODEL, SETTINGS)
    assert output.read_bytes() == content


@pytest.mark.parametrize(
    "told", [None, {}, [], "text", {"backend": json.loads("[" * 99 + "]" * 99)}]
)
def test_scores_that_do_not_tell_how_they_were_made_are_refused(
    tmp_path: Path, told: object
) -> None:
    output = tmp_path / "o.jsonl"
    output.write_bytes(line("a.dcm", settings=told))
    with pytest.raises(ResumeError, match="line 1 was scored with"):
        resume_output(output, MODEL, SETTINGS)


def test_any_damage_is_our_error_and_loses_nothing(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"
    whole = line("a.dcm", written=["o/1-sr.dcm"]) + failure("b.dcm") + line("c.dcm")
    for seed in range(MUTATIONS):
        content = damaged(whole, Random(seed))  # noqa: S311 - the same in every run
        output.write_bytes(content)
        try:
            earlier = resume_output(output, MODEL, SETTINGS)
        except ResumeError:
            assert output.read_bytes() == content
        else:
            kept = output.read_bytes()
            assert content.startswith(kept)
            assert len(kept) + earlier.torn == len(content)


def damaged(content: bytes, random: Random) -> bytes:
    """Bytes changed, cut out, doubled, or replaced by what is special to JSON."""
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(content) + 1)
        end = min(len(content), start + random.choice((0, 1, 2, 9, 99)))
        new = random.choice((b"", content[start:end] * 2, random.randbytes(3), *SPECIAL))
        content = content[:start] + new + content[end:]
    return content


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path, chest_png: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    arguments = ["--format", "json", "-o", str(tmp_path / "pipe"), "--resume"]
    assert main(["score", str(chest_png), *arguments]) == 1


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


FOLDERS = {"--overlay": "-overlay.png", "--sr": "-sr.dcm", "--secondary-capture": "-capture.dcm"}


@pytest.mark.parametrize("asked", FOLDERS)
@pytest.mark.parametrize("keep_names", [[], ["--keep-names"]])
def test_what_is_newly_asked_for_is_written(
    tiny_bundle: Bundle,
    make_dicom: Callable[..., bytes],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    asked: str,
    keep_names: list[str],
) -> None:
    images, output, answers = (tmp_path / name for name in ("images", "out.jsonl", "answers"))
    images.mkdir()
    for number in range(2):
        uid = f"1.2.3.{number + 1}"
        (images / f"{number}.dcm").write_bytes(
            make_dicom(SOPInstanceUID=uid, StudyInstanceUID="1.2", SeriesInstanceUID="1.3")
        )
    first = command(images, tiny_bundle, output)
    assert main(first) == 0
    assert main([*first, asked, str(answers), *keep_names]) == 0
    assert "2 of them lack what is asked for now" in capfd.readouterr().err
    written = sorted(answers.iterdir())
    assert [path.name.endswith(FOLDERS[asked]) for path in written] == [True, True]
    lines = output.read_bytes()
    assert main([*first, asked, str(answers), *keep_names]) == 0
    assert output.read_bytes() == lines, "all is done"
    written[0].unlink()
    assert main([*first, asked, str(answers), *keep_names]) == 0
    assert sorted(answers.iterdir()) == written, "what was lost since is made again"
    assert main([*first, asked, str(tmp_path / "elsewhere"), *keep_names]) == 0
    assert len(list((tmp_path / "elsewhere").iterdir())) == 2


@pytest.mark.parametrize("changed", [["--window", "1"], ["--backend", "openvino"]])
def test_another_window_or_backend_is_told(
    folder: Path,
    tiny_bundle: Bundle,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    changed: list[str],
) -> None:
    if "openvino" in changed:
        pytest.importorskip("openvino")
    output = tmp_path / "out.jsonl"
    arguments = command(folder, tiny_bundle, output)
    assert main(arguments) == 1
    lines = output.read_bytes()
    capfd.readouterr()
    assert main([*arguments, *changed]) == 1
    assert f"was scored with {changed[0]}" in capfd.readouterr().err
    assert output.read_bytes() == lines


def test_another_bundle_of_the_same_weights_is_told(
    folder: Path, tiny_bundle: Bundle, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.jsonl"
    assert main(command(folder, tiny_bundle, output)) == 1
    manifest = replace(tiny_bundle.manifest, variant="calibrated otherwise", files={})
    model = (tiny_bundle.root / "model.onnx").read_bytes()
    other = write_bundle(tmp_path / "other", manifest, {"model.onnx": model})
    assert main(command(folder, other, output)) == 1
    assert "was scored with bundle" in capfd.readouterr().err
