"""Reports: what stands in them, and what no file name can do to them."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brixia_edge.runtime.errors import UnreadableImage
from brixia_edge.runtime.plain_text import encodable, printable
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.reports import REPORTS, CsvReport, JsonReport, TextReport
from brixia_edge.runtime.reports.csv_table import COLUMNS
from brixia_edge.runtime.results import (
    RESEARCH_USE,
    ModelIdentity,
    ScoredRadiograph,
    ScoringSettings,
    UnscoredFile,
)

Builder = Callable[..., ScoredRadiograph]

UNSCORED = UnscoredFile(Path("bad.dcm"), UnreadableImage("is empty (0 bytes); copy it again"))

AWKWARD_NAMES = [
    "a,b.png",
    'say "lungs".png',
    "two\nlines.png",
    "a\rcarriage.png",
    "=1+1.png",
    "naïve ♥.png",
    " spaces .png",
]


def _json(*results: ScoredRadiograph | UnscoredFile) -> list[dict[str, Any]]:
    stream = io.StringIO()
    report = JsonReport(stream)
    for result in results:
        report.add(result)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _csv(*results: ScoredRadiograph | UnscoredFile) -> list[dict[str, str]]:
    stream = io.StringIO(newline="")
    report = CsvReport(stream)
    for result in results:
        report.add(result)
    stream.seek(0)
    header, *rows = csv.reader(stream)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _text(*results: ScoredRadiograph | UnscoredFile) -> str:
    stream = io.StringIO()
    report = TextReport(stream)
    for result in results:
        report.add(result)
    return stream.getvalue()


def test_json_has_the_designed_object(
    make_result: Builder, make_radiograph: Callable[..., Radiograph]
) -> None:
    radiograph = make_radiograph(form="DICOM", uid="1.2.3")
    result = make_result("in/chest.dcm", radiograph, warnings=["Doubtful."])
    settings = ScoringSettings("cd" * 32, "onnxruntime", window=2)
    (entry,) = _json(replace(result, settings=settings))
    probabilities = entry.pop("probabilities")
    assert list(probabilities) == list("ABCDEF")
    assert probabilities["C"] == [0.1, 0.1, 0.7, 0.1]
    assert entry == {
        "file": str(Path("in/chest.dcm")),
        "sop_instance_uid": "1.2.3",
        "zones": {"A": 0, "B": 1, "C": 2, "D": 3, "E": 2, "F": 1},
        "global": 9,
        "expected": {
            "A": 0.6,
            "B": 1.2,
            "C": 1.8,
            "D": 2.4,
            "E": 1.8,
            "F": 1.2,
            "global": 9.0,
        },
        "quality": {"ok": False, "warnings": ["Doubtful."]},
        "model": {
            "name": "bsnet-test",
            "precision": "fp32",
            "sha256": "0123456789abcdef" * 4,
            "variant": "exact",
        },
        "settings": {"bundle": "cd" * 32, "backend": "onnxruntime", "window": 2},
        "timing_ms": {"read": 1.25, "prepare": 2.5, "infer": 300.0, "total": 303.8},
        "notice": RESEARCH_USE,
    }


def test_every_report_tells_a_light_network_from_an_exact_one(make_result: Builder) -> None:
    exact = make_result()
    light = replace(exact, model=replace(exact.model, variant="light"))
    assert [entry["model"]["variant"] for entry in _json(exact, light)] == ["exact", "light"]
    assert [row["variant"] for row in _csv(exact, light)] == ["exact", "light"]
    lines = [line for line in _text(exact, light).splitlines() if "model" in line]
    digest = "0123456789ab; 304 ms"
    assert lines == [
        f"  model bsnet-test, fp32, sha256 {digest}",
        f"  model bsnet-test, light, fp32, sha256 {digest}",
    ]


def test_json_of_a_file_that_failed() -> None:
    error = {"type": "UnreadableImage", "message": "is empty (0 bytes); copy it again"}
    assert _json(UNSCORED) == [{"file": "bad.dcm", "error": error}]


def test_json_without_a_dicom_has_no_uid(make_result: Builder) -> None:
    assert _json(make_result())[0]["sop_instance_uid"] is None


@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_json_keeps_any_file_name_on_one_line(make_result: Builder, name: str) -> None:
    assert [entry["file"] for entry in _json(make_result(name), UNSCORED)] == [name, "bad.dcm"]


def test_json_refuses_what_is_not_a_number(make_result: Builder) -> None:
    result = make_result()
    broken = result.prediction.probabilities.copy()
    broken[0, 0] = np.nan
    score = type(result.score).from_probabilities(broken)
    bad = ScoredRadiograph(
        result.file,
        result.radiograph,
        result.prediction,
        score,
        result.quality,
        result.model,
        result.timing,
    )
    with pytest.raises(ValueError, match="JSON"):
        _json(bad)


def test_csv_has_one_row_for_each_file(make_result: Builder) -> None:
    scored, failed = _csv(make_result(warnings=["One.", "Two."]), UNSCORED)
    assert list(scored) == list(COLUMNS)
    assert [scored[zone] for zone in "ABCDEF"] == list("012321")
    assert (scored["global"], scored["expected_global"]) == ("9", "9.0")
    assert (scored["quality_ok"], scored["warnings"]) == ("false", "One. | Two.")
    assert scored["notice"] == RESEARCH_USE
    assert scored["error_type"] == ""
    assert failed["error_type"] == "UnreadableImage"
    assert failed["error_message"] == "is empty (0 bytes); copy it again"
    assert {failed[column] for column in ("A", "global", "quality_ok", "model")} == {""}


def test_csv_without_results_is_a_header() -> None:
    stream = io.StringIO()
    CsvReport(stream)
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("name", [name for name in AWKWARD_NAMES if name != "=1+1.png"])
def test_csv_keeps_any_file_name(make_result: Builder, name: str) -> None:
    assert [row["file"] for row in _csv(make_result(name), UNSCORED)] == [name, "bad.dcm"]


@pytest.mark.parametrize(
    "name", ["=1+1.png", "+1.png", "-1.png", "@SUM(A1).png", " =1+1.png", "\t=1.png", "\uff1d1.png"]
)
def test_csv_holds_no_formula(make_result: Builder, name: str) -> None:
    result = replace(make_result(name), model=ModelIdentity(name, "fp32", "ab" * 32))
    (row,) = _csv(result)
    assert (row["file"], row["model"]) == (f"'{name}", f"'{name}")


@pytest.mark.parametrize(
    "name", ["\x1b[2Jcleared.png", "\u202egnp.exe", "\x9b31m.png", "\ue9ff.png"]
)
def test_csv_holds_nothing_that_steers_a_terminal(make_result: Builder, name: str) -> None:
    (row,) = _csv(make_result(name))
    assert row["file"] == printable(name)


def test_csv_keeps_a_row_on_its_line_on_a_terminal(make_result: Builder) -> None:
    stream = Terminal()
    CsvReport(stream).add(make_result("two\nlines\rand\ta tab.png"))
    assert stream.getvalue().count("\n") == 2
    assert all(line.isprintable() for line in stream.getvalue().splitlines())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_text_lays_the_zones_out_as_on_the_image(make_result: Builder) -> None:
    lines = _text(make_result("in/chest.png")).splitlines()
    assert lines[0] == str(Path("in/chest.png"))
    assert "9 of 18" in lines[1]
    assert lines[2].index("right lung") < lines[2].index("left lung")
    assert [line.split() for line in lines[3:6]] == [
        ["upper", "A", "0", "(0.6)", "D", "3", "(2.4)"],
        ["middle", "B", "1", "(1.2)", "E", "2", "(1.8)"],
        ["lower", "C", "2", "(1.8)", "F", "1", "(1.2)"],
    ]
    assert "bsnet-test, fp32" in lines[6]
    assert lines[7].strip() == RESEARCH_USE


def test_text_wraps_each_warning_under_its_mark(make_result: Builder) -> None:
    long = "The lungs found cover very little of the image; far more is plausible, so beware of it."
    text = _text(make_result(warnings=[long, "Second."]))
    assert text.count("! unreliable:") == 2
    assert " ".join(text.split()).count(long) == 1
    assert max(len(line) for line in text.splitlines()) <= 88


def test_text_parts_blocks_by_an_empty_line(make_result: Builder) -> None:
    blocks = _text(make_result("a.png"), UNSCORED, make_result("b.png")).split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["a.png", "bad.dcm", "b.png"]
    assert "not scored  UnreadableImage: is empty" in blocks[1]


@pytest.mark.parametrize("name", ["\x1b[2Jcleared.png", "two\nlines.png", "bell\x07.png"])
def test_text_lets_no_control_character_through(make_result: Builder, name: str) -> None:
    text = _text(make_result(name, warnings=["From a \x1b[31mtag"]))
    assert all(line.isprintable() for line in text.splitlines())
    assert text.startswith(printable(name) + "\n")


@pytest.mark.parametrize("form", REPORTS)
@pytest.mark.parametrize("name", ["stray \udcff byte.png", "naïve ♥.png"])
def test_every_report_writes_any_name_to_any_stream(
    make_result: Builder, form: str, name: str
) -> None:
    for encoding in ("utf-8", "ascii", "cp1252"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
        report = REPORTS[form](stream)
        report.add(make_result(name))
        report.add(UnscoredFile(Path(name), UnreadableImage("is no image")))


@pytest.mark.parametrize("form", REPORTS)
def test_every_result_is_flushed_at_once(make_result: Builder, tmp_path: Path, form: str) -> None:
    path = tmp_path / "report"
    with path.open("w", encoding="utf-8", newline="") as stream:
        report = REPORTS[form](stream)
        for count in range(1, 4):
            report.add(make_result(f"file-{count}.png"))
            assert path.read_text("utf-8").count(".png") == count


def test_encodable_keeps_what_the_stream_can_take() -> None:
    assert encodable("ä\n♥", io.TextIOWrapper(io.BytesIO(), encoding="latin-1")) == "ä\n\\u2665"
    assert encodable("ä♥", io.StringIO()) == "ä♥"
