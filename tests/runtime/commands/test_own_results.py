"""What the software wrote is no radiograph, wherever it lies and whatever it is named."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.authorship import signed_jpeg
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import UnsupportedImage
from brixia_edge.runtime.reading.read import parse_radiograph, read_radiograph
from dicom_sources import read, source_file

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tiny_bundle: Bundle, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command with the tiny bundle; gives status, standard output and standard error."""

    def run(command: str, *arguments: object) -> tuple[int, str, str]:
        status = main([command, *map(str, arguments), "--bundle", str(tiny_bundle.root)])
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def folder(make_dicom: Callable[..., bytes], chest_png: Path, tmp_path: Path) -> Path:
    """A folder of two radiographs."""
    folder = tmp_path / "folder"
    folder.mkdir()
    source_file(folder / "a.dcm", make_dicom(np.tile(RAMP, (40, 40))), {})
    (folder / "b.png").write_bytes(chest_png.read_bytes())
    return folder


RAMP = np.arange(64, dtype=np.uint16).reshape(8, 8)


@pytest.fixture
def results(run: Run, folder: Path, capfd: pytest.CaptureFixture[str]) -> list[Path]:
    """Every kind of picture and object that commands write, among the radiographs."""
    before = set(folder.iterdir())
    wanted = ("--overlay", folder, "--sr", folder, "--secondary-capture", folder)
    run("score", folder, *wanted)
    run("explain", folder / "b.png", "-o", folder)
    assert main(["inspect", str(folder / "b.png"), "--preview", str(folder / "p.png")]) == 0
    capfd.readouterr()
    written = sorted({*folder.iterdir()} - before)
    assert [path.suffix for path in written].count(".png") == 4
    assert [path.suffix for path in written].count(".dcm") == 2
    return written


def test_a_folder_scored_again_gives_no_score_of_a_result(
    run: Run, folder: Path, results: list[Path]
) -> None:
    wanted = ("--overlay", folder, "--sr", folder, "--secondary-capture", folder)
    status, out, err = run("score", folder, *wanted, "--format", "json")
    entries = [json.loads(line) for line in out.splitlines()]
    assert [Path(entry["file"]).name for entry in entries] == ["a.dcm", "b.png"]
    assert all("error" not in entry for entry in entries)
    assert f"{len(results)} files are results of brixia-edge and were skipped" in err
    # The PNG file has no study for an SR; nothing else failed.
    assert status == 1
    assert "a result that brixia-edge wrote" not in err


def test_a_single_file_that_is_passed_over_is_told_as_one(run: Run, folder: Path) -> None:
    (folder / "readme.txt").write_text("no image")
    assert "1 file is no DICOM, PNG or JPEG and was skipped" in run("score", folder)[2]


def test_a_folder_of_results_alone_is_told(run: Run, folder: Path, results: list[Path]) -> None:
    for path in (folder / "a.dcm", folder / "b.png"):
        path.unlink()
    status, _, err = run("score", folder)
    assert status == 1
    assert "holds nothing but what brixia-edge wrote" in err
    assert results


def test_a_result_that_is_named_is_refused(run: Run, results: list[Path]) -> None:
    status, out, _ = run("score", *results, "--format", "json")
    errors = [json.loads(line)["error"] for line in out.splitlines()]
    assert status == 1
    assert len(errors) == len(results)
    assert {error["type"] for error in errors} == {"UnsupportedImage"}
    assert all("a result that brixia-edge wrote" in error["message"] for error in errors)


@pytest.mark.parametrize(
    "kept", ["Manufacturer", "ManufacturerModelName", "SeriesDescription", "DerivationDescription"]
)
def test_a_capture_is_known_by_any_of_its_texts_once_an_archive_has_rewritten_it(
    results: list[Path], kept: str
) -> None:
    capture = read(next(path for path in results if path.name.endswith("-capture.dcm")))
    names = {"Manufacturer", "ManufacturerModelName", "SeriesDescription", "DerivationDescription"}
    for keyword in names - {kept}:
        delattr(capture, keyword)
    del capture.file_meta.ImplementationVersionName
    capture.SoftwareVersions = "99.9"
    stream = BytesIO()
    capture.save_as(stream)
    with pytest.raises(UnsupportedImage, match="a result that brixia-edge wrote"):
        parse_radiograph(stream.getvalue())


def test_a_picture_with_its_text_further_down_is_known(results: list[Path]) -> None:
    content = next(path for path in results if path.suffix == ".png").read_bytes()
    end = 33 + 12 + int.from_bytes(content[33:37], "big")
    moved = content[:33] + content[end:-12] + content[33:end] + content[-12:]
    with pytest.raises(UnsupportedImage, match="a result that brixia-edge wrote"):
        parse_radiograph(moved)


def test_a_jpeg_of_ours_is_known(chest_png: Path, tmp_path: Path) -> None:
    picture = cv2.imread(str(chest_png))
    assert picture is not None
    plain = cv2.imencode(".jpg", picture)[1].tobytes()
    path = tmp_path / "result.jpg"
    path.write_bytes(signed_jpeg(plain))
    with pytest.raises(UnsupportedImage, match="a result that brixia-edge wrote"):
        read_radiograph(path)
    np.testing.assert_array_equal(
        cv2.imread(str(path)), cv2.imdecode(np.frombuffer(plain, np.uint8), 1)
    )
    assert not parse_radiograph(plain).warnings
