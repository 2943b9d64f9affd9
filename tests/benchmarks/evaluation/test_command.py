"""`brixia-edge evaluate`: what it writes, says and refuses."""

import csv
import json
import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from itertools import count
from pathlib import Path

import pytest
from brixia_edge.benchmarks.evaluation import results
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.files import locked

Run = Callable[..., tuple[int, str, str]]

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "evaluation.md"

DATACLASSES = [kind for kind in vars(results).values() if is_dataclass(kind)]

NOTICE = "RESEARCH USE ONLY - not for diagnostic use"


@pytest.fixture
def images(tmp_path: Path, chest_png: Path) -> Path:
    """Three images in two folders."""
    root = tmp_path / "images"
    for name in ("one/a.png", "one/b.png", "two/c.png"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chest_png.read_bytes())
    return root


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Scores of them by two readers; the tiny bundle scores them 3 throughout."""
    path = tmp_path / "annotations.csv"
    header = "filename,S-A,S-B,S-C,S-D,S-E,S-F,S-Global,J-A,J-B,J-C,J-D,J-E,J-F,J-Global"
    rows = ("a,3,3,3,3,3,3,18,3,3,3,3,3,2,17", "b,2,3,3,3,3,3,17,1,1,1,1,1,1,6", "c,0,0,0,0,0,0,0")
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(images: Path, table: Path, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `evaluate`; gives status, standard output and standard error."""

    def evaluate(*arguments: object) -> tuple[int, str, str]:
        common = ("--images", images, "--annotations", table, "--resamples", 100)
        bundle = ("--bundle", tiny_bundle.root, "--backend", "onnxruntime")
        status = main(["evaluate", *map(str, (*common, *bundle, *arguments))])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return evaluate


def test_a_report_is_written_and_its_summary_goes_to_standard_output(
    run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "deep" / "report"
    status, out, err = run("-o", target)
    assert status == 0
    assert out.endswith(f"{NOTICE}\n")
    assert "radiologist J" in out
    assert "3 of 3 images have annotations" in err
    entry = json.loads((target / "evaluation.json").read_text(encoding="utf-8"))
    by_rater = {
        (found["rater"], found["kind"], found["reference"]): found["agreement"]
        for found in entry["comparisons"]
    }
    # The bundle's 18 stands beside 18, 17 and 0.
    assert by_rater["fp32", "score", "S"]["global_score"]["mae"]["value"] == pytest.approx(19 / 3)
    assert by_rater["J", "reader", "S"]["global_score"]["bias"]["value"] == -6
    assert [case["file"] for case in entry["bundles"][0]["worst"]][:1] == ["two/c.png"]
    markdown = (target / "evaluation.md").read_text(encoding="utf-8")
    assert NOTICE in markdown
    assert "6.33" in markdown
    page = (target / "report.html").read_text(encoding="utf-8")
    assert NOTICE in page
    assert "6.33" in page
    assert page.count("data:image/jpeg") == 2 * (3 + 3)


def test_the_scores_are_a_table_of_images_and_raters(run: Run, tmp_path: Path) -> None:
    run("-o", tmp_path / "report")
    with (tmp_path / "report" / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [(row["file"], row["rater"], row["kind"], row["global"]) for row in rows]
    assert found == [
        ("one/a.png", "S", "reader", "18"),
        ("one/a.png", "J", "reader", "17"),
        ("one/a.png", "fp32", "bundle", "18"),
        ("one/b.png", "S", "reader", "17"),
        ("one/b.png", "J", "reader", "6"),
        ("one/b.png", "fp32", "bundle", "18"),
        ("two/c.png", "S", "reader", "0"),
        ("two/c.png", "fp32", "bundle", "18"),
    ]
    bundle = rows[2]
    zone = [float(bundle[f"probability_A{score}"]) for score in range(4)]
    assert sum(zone) == pytest.approx(1, abs=1e-5)
    expected = sum(score * value for score, value in enumerate(zone))
    assert float(bundle["expected_A"]) == pytest.approx(expected, abs=1e-5)
    assert {row["notice"] for row in rows} == {NOTICE}


def test_what_has_no_counterpart_is_summed_up(
    run: Run, images: Path, table: Path, tmp_path: Path
) -> None:
    for number in range(8):
        (images / f"extra{number}.png").write_bytes((images / "one" / "b.png").read_bytes())
    with table.open("a", encoding="utf-8") as file:
        file.write("".join(f"gone{number},0,0,0,0,0,0,0\n" for number in range(300)))
        file.write("".join(f"nobody{number},,,,,,\n" for number in range(40)))
    status, _, err = run("-o", tmp_path / "report")
    assert status == 1
    lines = err.splitlines()
    (nobodys,) = [line for line in lines if line.startswith("rows that nobody has scored (40): ")]
    assert ": row 305 (nobody0): has no scores; row 306 (nobody1)" in nobodys
    assert nobodys.endswith("row 309 (nobody4): has no scores; and 35 more")
    assert any(line.startswith("annotations without image (300): gone0: there") for line in lines)
    names = "; ".join(f"extra{number}.png" for number in range(5))
    assert f"images without annotation (8): {names}; and 3 more" in lines
    assert len(lines) < 12
    entry = json.loads((tmp_path / "report" / "evaluation.json").read_text(encoding="utf-8"))
    assert len(entry["annotations"][0]["rejected"]) == 40
    assert len(entry["image_set"]["without_image"]) == 300


def test_what_cannot_be_used_is_told_and_the_rest_goes_on(
    run: Run, images: Path, table: Path, tmp_path: Path
) -> None:
    (images / "one" / "a.png").write_bytes(b"")
    (images / "extra.png").write_bytes((images / "one" / "b.png").read_bytes())
    with table.open("a", encoding="utf-8") as file:
        file.write("gone,0,0,0,0,0,0,0\nwrong,9,0,0,0,0,0,9\n")
    status, _, err = run("-o", tmp_path / "report")
    assert status == 1
    for line in (
        "row 6 (wrong): reader S has the zones 9, 0, 0, 0, 0, 0; 0, 1, 2 and 3 are allowed",
        "annotations without image (1): gone: there is no such image",
        "images without annotation (1): extra.png",
        "3 of 4 images have annotations; 1 annotations have no image",
        "one/a.png: is empty (0 bytes); copy it again from its source",
    ):
        assert line in err.splitlines()
    entry = json.loads((tmp_path / "report" / "evaluation.json").read_text(encoding="utf-8"))
    assert entry["image_set"]["evaluated"] == 2
    assert entry["image_set"]["without_annotation"] == ["extra.png"]


def test_several_bundles_are_compared_with_the_first(
    run: Run, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    status, out, _ = run("--bundle", tiny_bundle.root, "-o", tmp_path / "report")
    entry = json.loads((tmp_path / "report" / "evaluation.json").read_text(encoding="utf-8"))
    assert status == 0
    assert "tiny fp32 (2)" in out
    assert {found["baseline"] for found in entry["differences"]} == {"tiny fp32 (1)"}


def test_a_folder_of_something_else_is_left_alone(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "letter.txt").write_text("dear")
    status, _, err = run("-o", target, "--overwrite")
    assert status == 2
    assert "holds other files than a report" in err
    assert [path.name for path in target.iterdir()] == ["letter.txt"]


def test_an_earlier_report_is_replaced_only_on_demand(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "report"
    target.mkdir()
    assert run("-o", target)[0] == 0
    status, _, err = run("-o", target)
    assert status == 2
    assert "give --overwrite to replace it" in err
    assert run("-o", target, "--overwrite")[0] == 0


def test_annotations_are_not_written_over(run: Run, table: Path, tmp_path: Path) -> None:
    target = tmp_path / "report"
    assert run("-o", target)[0] == 0
    scores = target / "scores.csv"
    scores.unlink()
    scores.hardlink_to(table)
    content = table.read_bytes()
    status, _, err = run("-o", target, "--overwrite")
    assert (status, "scores.csv is one of the files that are read" in err) == (2, True)
    assert scores.read_bytes() == content


def test_a_report_that_fails_midway_leaves_the_earlier_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "report"
    assert run("-o", target)[0] == 0
    earlier = {path: path.read_bytes() for path in target.iterdir()}
    calls = count()

    def fill_at_the_third(descriptor: int) -> None:
        if next(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill_at_the_third)
    status, _, err = run("-o", target, "--overwrite")
    assert (status, "the disk is full" in err) == (1, True)
    assert {path: path.read_bytes() for path in target.iterdir()} == earlier


def test_two_evaluations_into_one_folder_are_not_mixed(run: Run, tmp_path: Path) -> None:
    with locked(tmp_path / "report"):
        status, _, err = run("-o", tmp_path / "report")
    assert (status, "is being written by another run" in err) == (2, True)


def test_an_empty_folder_of_images_is_refused(run: Run, images: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    status, _, err = run("--images", empty, "-o", tmp_path / "report")
    assert status == 1
    assert "holds no DICOM, PNG or JPEG file" in err
    assert not (tmp_path / "report").exists()


def test_the_documentation_names_every_entry_of_the_json(run: Run, tmp_path: Path) -> None:
    run("-o", tmp_path / "report")
    entry = json.loads((tmp_path / "report" / "evaluation.json").read_text(encoding="utf-8"))
    told = DOCUMENTATION.read_text(encoding="utf-8")
    names = {field.name for kind in DATACLASSES for field in fields(kind)}
    assert set(entry) <= names
    assert not {name for name in names if f"`{name}`" not in told and f'"{name}"' not in told}
