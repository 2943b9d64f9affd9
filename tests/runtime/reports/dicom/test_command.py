"""`score --sr` and `--secondary-capture`: results in DICOM beside the scores."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.reports import overlay
from brixia_edge.runtime.reports.dicom import source
from dicom_sources import read, source_file

Capture = pytest.CaptureFixture[str]
Score = Callable[..., tuple[int, str, str]]


@pytest.fixture
def score(tiny_bundle: Bundle, capfd: Capture) -> Score:
    """Run `score` with the tiny bundle; gives status, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main(["score", "--bundle", str(tiny_bundle.root), *map(str, arguments)])
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def chest_dicom(make_dicom: Callable[..., bytes], tmp_path: Path) -> Path:
    """A radiograph of a study."""
    return source_file(tmp_path / "SECRET^PERSON.dcm", make_dicom(), {})


def test_results_are_written_and_listed(score: Score, chest_dicom: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "of today"
    options = ("--sr", folder, "--secondary-capture", folder, "--format", "json")
    status, out, err = score(chest_dicom, *options)
    assert (status, err) == (0, "")
    paths = sorted(folder.iterdir())
    assert sorted(json.loads(out)["written"]) == [str(path) for path in paths]
    assert [read(path).Modality for path in paths] == ["OT", "SR"]
    assert not any("SECRET" in path.name for path in paths)


def test_scores_are_given_where_no_result_can_be_filed(
    score: Score, chest_dicom: Path, chest_png: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "results"
    options = ("--sr", folder, "--overlay", folder, "--format", "json")
    status, out, err = score(chest_png, chest_dicom, *options)
    assert status == 1
    assert [json.loads(line)["global"] for line in out.splitlines()] == [18, 18]
    assert err.startswith(f"{chest_png}: --sr: is a PNG file: it has neither patient nor study")
    assert err.splitlines()[1:] == ["2 scored, 0 failed, 1 doubtful"]
    assert sorted(path.suffix for path in folder.iterdir()) == [".dcm", ".png", ".png"]


def test_no_identity_reaches_the_terminal(
    score: Score, make_dicom: Callable[..., bytes], tmp_path: Path
) -> None:
    elements = {"PatientName": b"SECRETPERSON", "StudyInstanceUID": b"1.02"}
    good = source_file(tmp_path / "a.dcm", make_dicom(), elements | {"StudyInstanceUID": b"1.2"})
    bad = source_file(tmp_path / "b.dcm", make_dicom(), elements)
    status, out, err = score(good, bad, "--sr", tmp_path, "--secondary-capture", tmp_path)
    assert status == 1
    assert err.count("StudyInstanceUID of the DICOM file is no valid UID") == 2
    assert "SECRET" not in out + err
    assert "1.02" not in out + err


def test_what_of_the_header_is_lost_is_told_once_and_by_keyword(
    score: Score, make_dicom: Callable[..., bytes], tmp_path: Path
) -> None:
    elements = {"AccessionNumber": b"SECRET-4711-4711-4711", "PatientName": b"SECRET\x07PERSON"}
    file = source_file(tmp_path / "a.dcm", make_dicom(), elements)
    folder = tmp_path / "results"
    options = ("--sr", folder, "--secondary-capture", folder, "--format", "json")
    status, out, err = score(file, *options)
    expected = [
        "PatientName was left out: it holds control characters",
        "AccessionNumber was left out: it has 21 characters, 16 at most are allowed",
    ]
    assert status == 0
    assert err.splitlines() == [f"{file}: {remark}" for remark in expected]
    assert json.loads(out)["remarks"] == expected
    assert "SECRET" not in out + err


def test_header_and_overlay_are_made_once_for_all_files(
    score: Score, chest_dicom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    for module, name in ((source, "parse_dicom"), (overlay, "header_strip")):
        count_calls(module, name, made, monkeypatch)
    options = ("--sr", tmp_path, "--secondary-capture", tmp_path, "--overlay", tmp_path)
    status, _, _ = score(chest_dicom, *options)
    assert status == 0
    assert made == ["header_strip", "parse_dicom"]


def count_calls(
    module: ModuleType, name: str, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = getattr(module, name)

    def counted(*arguments: object) -> object:
        made.append(name)
        return original(*arguments)

    monkeypatch.setattr(module, name, counted)
