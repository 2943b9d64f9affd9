"""Folders are searched by content, named files always taken, nothing lost."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from brixia_edge.runtime.inputs import find_inputs, looks_like_radiograph


@pytest.fixture
def folder(tmp_path: Path, chest_png: Path, make_dicom: Callable[..., bytes]) -> Path:
    folder = tmp_path / "folder"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "b.png").write_bytes(chest_png.read_bytes())
    (folder / "deep" / "IM0001").write_bytes(make_dicom())
    (folder / "deep" / "er" / "empty.dcm").write_bytes(b"")
    (folder / "notes.txt").write_text("not a radiograph")
    (folder / "DICOMDIR").write_bytes(make_dicom())
    return folder


def test_a_folder_is_searched_by_content(folder: Path) -> None:
    inputs = find_inputs([str(folder)], StringIO())
    names = [str(file.relative_to(folder)) for file in inputs.files]
    assert names == ["b.png", "deep/IM0001", "deep/er/empty.dcm"]
    assert inputs.skipped == 2
    assert inputs.empty_folders == ()


def test_a_named_file_is_taken_whatever_it_is(folder: Path) -> None:
    files = [str(folder / "notes.txt"), str(folder / "absent.dcm")]
    assert [str(file) for file in find_inputs(files, StringIO()).files] == files


def test_a_dash_reads_names_from_standard_input(folder: Path) -> None:
    inputs = find_inputs(["-"], StringIO(f"{folder / 'b.png'}\n\n{folder / 'deep'}\n"))
    assert [file.name for file in inputs.files] == ["b.png", "IM0001", "empty.dcm"]


def test_a_file_named_twice_is_scored_once(folder: Path) -> None:
    inputs = find_inputs([str(folder / "b.png"), str(folder)], StringIO())
    assert [file.name for file in inputs.files].count("b.png") == 1


def test_a_folder_with_none_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert find_inputs([str(empty)], StringIO()).empty_folders == (empty,)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100", True),
        (b"\x02\x00\x00\x00UL\x04\x00\x00\x00\x00\x00", True),
        (b"\x00" * 128 + b"DICM", True),
        (b"\xff\xd8\xff\xe0", True),
        (b"%PDF-1.4", False),
        (b"\x08\x00", False),
        (b"", False),
    ],
)
def test_content_decides_without_a_suffix(tmp_path: Path, start: bytes, expected: bool) -> None:
    path = tmp_path / "IM1"
    path.write_bytes(start)
    assert looks_like_radiograph(path) is expected
