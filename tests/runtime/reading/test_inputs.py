"""Folders are searched by content, named files always taken, nothing lost."""

import codecs
import errno
import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from brixia_edge.runtime.files import part_of
from brixia_edge.runtime.reading.inputs import find_inputs, looks_like_radiograph


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
    inputs = find_inputs([str(folder)], BytesIO())
    names = [str(file.relative_to(folder)) for file in inputs.files]
    assert names == ["b.png", "deep/IM0001", "deep/er/empty.dcm"]
    assert inputs.skipped == 2
    assert inputs.failures == ()


def test_a_named_file_is_taken_whatever_it_is(folder: Path) -> None:
    files = [str(folder / "notes.txt"), str(folder / "absent.dcm")]
    assert [str(file) for file in find_inputs(files, BytesIO()).files] == files


def test_a_dash_reads_names_from_standard_input(folder: Path) -> None:
    inputs = find_inputs(["-"], BytesIO(f"{folder / 'b.png'}\n\n{folder / 'deep'}\n".encode()))
    assert [file.name for file in inputs.files] == ["b.png", "IM0001", "empty.dcm"]


def test_a_file_named_twice_is_scored_once(folder: Path) -> None:
    inputs = find_inputs([str(folder / "b.png"), str(folder)], BytesIO())
    assert [file.name for file in inputs.files].count("b.png") == 1


def test_a_folder_with_none_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (failure,) = find_inputs([str(empty)], BytesIO()).failures
    assert failure.file == empty
    assert "holds no DICOM, PNG or JPEG" in str(failure.error)


def test_an_empty_list_is_told() -> None:
    (failure,) = find_inputs(["-"], BytesIO(b"\n \n")).failures
    assert "standard input lists no file" in str(failure.error)


def test_a_listed_name_need_not_be_text() -> None:
    (file,) = find_inputs(["-"], BytesIO(b"caf\xe9.png\r\n")).files
    assert os.fsencode(file) == b"caf\xe9.png"


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"], ids="saved as {}".format
)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "dos"])
def test_a_list_may_be_saved_as_windows_does(encoding: str, end: str) -> None:
    names = ["chest one.png", "Röntgen/Łódź.dcm", "vertical\x0btab.png", "line\u2028separator.png"]
    text = end.join(names) + end
    (big, content) = (encoding == "utf-16-be", text.encode(encoding))
    inputs = find_inputs(["-"], BytesIO(codecs.BOM_UTF16_BE * big + content))
    assert [str(file) for file in inputs.files] == names
    assert inputs.failures == ()


def test_lists_that_were_joined_keep_no_mark_within() -> None:
    content = "a.png\n".encode("utf-8-sig") + "b.png\n".encode("utf-8-sig")
    assert [str(file) for file in find_inputs(["-"], BytesIO(content)).files] == ["a.png", "b.png"]


def test_a_list_without_a_mark_is_known_by_its_zeros() -> None:
    content = "chest.png\nRöntgen.dcm\n".encode("utf-16-le")
    names = [str(file) for file in find_inputs(["-"], BytesIO(content)).files]
    assert names == ["chest.png", "Röntgen.dcm"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfea", "UTF-16 that is damaged or cut off"),
        (b"\xff\xfe\x00\xd8a\x00", "UTF-16 that is damaged or cut off"),
        (b"\xef\xbb\xbf\r\n", "lists no file"),
        (b"\xff\xfe", "lists no file"),
    ],
)
def test_a_list_that_is_none_is_told(content: bytes, told: str) -> None:
    inputs = find_inputs(["-"], BytesIO(content))
    (failure,) = inputs.failures
    assert told in str(failure.error)
    assert inputs.files == ()


def test_a_list_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brixia_edge.runtime.reading.inputs._LONGEST_LIST", 1000)
    with Path("/dev/zero").open("rb") as endless:
        (failure,) = find_inputs(["-"], endless).failures
    assert "longer than 1,000 bytes" in str(failure.error)


@pytest.mark.parametrize("name", ["a" * 300, "zero\0byte"])
def test_an_impossible_name_is_left_to_the_reader(name: str) -> None:
    assert find_inputs([name], BytesIO()).files == (Path(name),)


def test_a_folder_that_cannot_be_searched_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def forbid(path: str) -> Iterator[os.DirEntry[str]]:
        if Path(path).name == "deep":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbid)
    inputs = find_inputs([str(folder)], BytesIO())
    assert [file.name for file in inputs.files] == ["b.png"]
    (failure,) = inputs.failures
    assert failure.file == folder / "deep"
    assert "cannot be searched: Permission denied" in str(failure.error)


def test_a_file_that_cannot_be_opened_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "IM1").write_bytes(b"x")

    def forbid(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", forbid)
    assert looks_like_radiograph(tmp_path / "IM1")


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.dcm")
    inputs = find_inputs([str(tmp_path)], BytesIO())
    assert (inputs.files, inputs.skipped) == ((), 1)


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


def test_links_out_of_the_folder_are_not_followed(
    tmp_path: Path, chest_png: Path, make_dicom: Callable[..., bytes]
) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "folder-outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "private.dcm").write_bytes(make_dicom())
    (folder / "own.dcm").write_bytes(make_dicom())
    (folder / "within.dcm").symlink_to("own.dcm")
    (folder / "file.dcm").symlink_to(outside / "private.dcm")
    (folder / "relative.dcm").symlink_to("../folder-outside/private.dcm")
    (folder / "there").symlink_to(outside)
    (folder / "nowhere.dcm").symlink_to(tmp_path / "absent.dcm")
    inputs = find_inputs([str(folder)], BytesIO())
    assert [file.name for file in inputs.files] == ["own.dcm", "within.dcm"]
    assert inputs.links == 4


def test_a_folder_may_be_named_by_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    inputs = find_inputs([str(tmp_path / "link")], BytesIO())
    assert len(inputs.files) == 3
    assert inputs.links == 0


def test_an_answer_that_is_not_whole_is_passed_over(
    tmp_path: Path, make_dicom: Callable[..., bytes]
) -> None:
    part_of(tmp_path / "a-sr.dcm").write_bytes(make_dicom()[:500])
    inputs = find_inputs([str(tmp_path)], BytesIO())
    assert (inputs.files, inputs.skipped) == ((), 1)


@pytest.mark.parametrize("name", ["DICOMDIR", "dicomdir", "DICOMDIR;1"])
def test_a_dicomdir_in_a_folder_is_passed_over(
    tmp_path: Path, make_dicom: Callable[..., bytes], name: str
) -> None:
    (tmp_path / name).write_bytes(make_dicom())
    assert find_inputs([str(tmp_path)], BytesIO()).files == ()
