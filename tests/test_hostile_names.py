"""Every command with names that are hostile: nothing steers a terminal, a spreadsheet or a page."""

import csv
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.benchmarks.cli import PARTS
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.cli import COMMANDS, main
from brixia_edge.runtime.scores import Zone
from make_models import tiny_model

NAMES = (
    b"caf\xe9.png",
    b"clear\x1b[2J\x1b]0;title\x07.png",
    b"two\nlines.png",
    "bidi\u202egnp.png".encode(),
    "c1\x9b31m.png".encode(),
    b"<img src=x onerror=alert(1)>.png",
    b"a|b`c`*d*[e](f)$x^{$.png",
    b"=cmd().png",
)
"""Latin-1, escape sequences of a terminal, a line break, a turned reading direction, markup."""

TEXT = "\x1b[2J\u202e=cmd()\nlines<img src=x>$\\frac{$\x9b31m"
"""What a stranger's bundle, reader or file may call itself."""

Run = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures with hostile names, and a file that is none, in a folder with such a name."""
    folder = tmp_path / TEXT
    folder.mkdir()
    for seed, name in enumerate(NAMES):
        picture = np.random.default_rng(seed).integers(0, 255, (96, 96)).astype(np.uint8)
        content = cv2.imencode(".png", picture)[1].tobytes()
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(content)
    (folder / "bad\x1b[1m\nlines.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def bundle(tmp_path: Path, tiny_manifest: Manifest) -> str:
    """The path of a bundle that calls itself by a hostile name."""
    said = dict.fromkeys(("name", "licence", "intended_use", "variant"), TEXT)
    manifest = replace(tiny_manifest, **said, built_with={TEXT: TEXT})
    return str(write_bundle(tmp_path / f"b{TEXT}", manifest, {"model.onnx": tiny_model()}).root)


@pytest.fixture
def run(bundle: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with the bundle; gives its status, once both streams were looked at."""

    def start(*arguments: object, with_bundle: bool = True) -> int:
        status = main([*map(str, arguments), *["--bundle", bundle] * with_bundle])
        written = capsys.readouterr()
        for text in written:
            assert harmful(text) == set()
            # A line that begins within a name would be one of the stranger's own making; within
            # quotes CSV may hold it.
            own = [line for line in text.split("\n") if line.startswith("lines")]
            assert not own or "csv" in arguments
        assert "Internal error" not in written.err
        assert "Traceback" not in written.err
        return status

    return start


def harmful(text: str) -> set[str]:
    return {letter for letter in text if not letter.isprintable() and letter != "\n"}


def written_texts(folder: Path) -> Iterator[str]:
    """What was written for people to read."""
    for path in folder.iterdir():
        if path.suffix in (".html", ".md", ".csv", ".json"):
            yield path.read_text(encoding="utf-8")


def formulas(table: Path) -> list[str]:
    """Cells that a spreadsheet would compute."""
    with table.open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row if cell.startswith(("=", "@"))]


@pytest.mark.parametrize("form", ["text", "json"])
def test_score(run: Run, folder: Path, form: str) -> None:
    assert run("score", folder, "--format", form) == 1


def test_score_beside_its_folders(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, beside = tmp_path / f"t{TEXT}.csv", tmp_path / f"o{TEXT}"
    options = ["--keep-names", "--format", "csv", "-o", table]
    kinds = [
        word for kind in ("overlay", "sr", "secondary-capture") for word in (f"--{kind}", beside)
    ]
    monkeypatch.chdir(folder)
    assert run("score", "=cmd().png", folder, *options, *kinds) == 1
    assert len(list(beside.iterdir())) == len(NAMES)  # DICOM answers are for DICOM alone
    assert formulas(table) == []
    assert harmful(table.read_text(encoding="utf-8")) == set()


def test_explain(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("explain", folder, "--keep-names", "-o", tmp_path / f"o{TEXT}") == 1


def test_inspect(run: Run, folder: Path, bundle: str, tmp_path: Path) -> None:
    engine = tmp_path / f"e{TEXT}.engine"
    engine.write_bytes(b"no engine")
    for target in (bundle, *sorted(folder.iterdir()), engine, tmp_path / f"absent{TEXT}"):
        for form in ("text", "json"):
            assert run("inspect", target, "--format", form, with_bundle=False) in (0, 1, 3)


def test_calibrate(run: Run, folder: Path, tmp_path: Path) -> None:
    table = tmp_path / f"t{TEXT}.json"
    options = ["--images", 4, "--minimum", 2, "--allow-doubtful"]
    assert run("calibrate", folder, "-o", table, *options) == 0
    assert json.loads(table.read_text(encoding="utf-8"))


def test_evaluate(run: Run, folder: Path, tmp_path: Path) -> None:
    annotations, report = tmp_path / f"a{TEXT}.csv", tmp_path / f"r{TEXT}"
    readers = ("R\x1b[31m<b>$x^{$", "=cmd()", "\u202eR")
    with annotations.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["filename", *(f"{name}-{zone.value}" for name in readers for zone in Zone)])
        names = [os.fsdecode(name) for name in NAMES[1:]] + ["absent\x1b[0m.png"]
        rows.writerows([[name, *[1, 2, 3] * 6] for name in names])
        rows.writerow(["two\x1b[1m.png", *["9\x1b[2m"] * 18])
    options = ["--images", folder, "--annotations", annotations, "--resamples", 100]
    assert run("evaluate", *options, "-o", report) == 1
    texts = list(written_texts(report))
    assert len(texts) == 4
    assert [harmful(text) for text in texts] == [set()] * 4
    assert formulas(report / "scores.csv") == []
    assert not any("<img src=x onerror" in text for text in texts if "<html" in text)
    assert "\\<img src=x onerror" in (report / "evaluation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ["text", "csv", "json"])
def test_benchmark_agreement(
    run: Run, folder: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    (folder / "two\nlines.png").unlink()  # CSV keeps line breaks
    inside = folder if form != "csv" else folder.rename(folder.with_name("=cmd()"))
    options = ["--backend", "onnxruntime", "--format", form]
    assert run("benchmark", "agreement", inside.name, *options) == 0


def test_benchmark(run: Run, folder: Path, tmp_path: Path) -> None:
    quick = ["--runs", 3, "--seconds", 0, "--cold-starts", 0]
    saved = tmp_path / f"s{TEXT}.json"
    image = ["--image", folder / "two\nlines.png"]
    outputs = ["--save", saved, "--plot", tmp_path / f"p{TEXT}.svg"]
    assert run("benchmark", *image, *quick, *outputs) == 0
    lie = json.loads(saved.read_text(encoding="utf-8"))
    lie["machine"]["processor"] = TEXT
    saved.write_text(json.dumps(lie), encoding="utf-8")
    assert run("benchmark", *quick, "--compare", saved) in (0, 1)
    assert run("benchmark", *quick, "--compare", folder / "=cmd().png") == 1


@pytest.mark.parametrize("weights", ["absent", "there"])
def test_export(run: Run, folder: Path, bundle: str, tmp_path: Path, weights: str) -> None:
    file = tmp_path / f"w{TEXT}.h5"
    if weights == "there":
        file.write_bytes(b"no weights")
    target = ["-o", tmp_path / f"q{TEXT}"]
    lower = ["--precision", "int8", "--calibration"]
    for options in ([], [*lower, folder], [*lower, file], [*lower, folder, "--annotations", file]):
        assert run("export", file, *target, *options, with_bundle=False) in (1, 2)
    assert run("export", bundle, with_bundle=False) == 2


def test_demo(run: Run, folder: Path) -> None:
    assert run("demo", "--overlay", folder / "=cmd().png", with_bundle=False) == 2


@pytest.mark.parametrize("part", ["roofline", "scaling"])
def test_parts_that_read_bundles_alone(
    folder: Path, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", part, "--bundle", str(folder)]) == 3
    assert harmful(capsys.readouterr().err) == set()


def test_peers(run: Run, folder: Path, tmp_path: Path) -> None:
    options = ["--weights", folder / "=cmd().png", "--models", tmp_path / f"m{TEXT}"]
    assert run("benchmark", "peers", "--images", folder, *options) == 1


def test_no_command_is_left_out() -> None:
    """`doctor` alone takes no name."""
    walked = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {*COMMANDS} - {"doctor"} - {"node"} <= walked
    assert {*PARTS} <= walked | {"roofline", "scaling", "agreement"}
