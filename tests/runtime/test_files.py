"""Files are whole or absent, told apart by one digest, and never written by two runs at once."""

import errno
import hashlib
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from brixia_edge.runtime.errors import OutputRefused
from brixia_edge.runtime.files import (
    PART_SUFFIX,
    digest,
    digest_file,
    locked,
    part_of,
    read_file,
    staged,
    why,
    write_file,
)

NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_bytes_their_parts_and_a_file_have_one_digest(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(content)
    expected = hashlib.sha256(content).hexdigest()
    assert digest(content) == digest([content[:7], content[7:]]) == expected
    assert digest_file(tmp_path / "a") == expected


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with staged(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert names(tmp_path) == ["a.txt"]


def write_and(path: Path, act: Callable[[], object], overwrite: bool = True) -> None:
    with staged(path, overwrite) as file:
        file.write(b"ours")
        act()


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_failure_leaves_nothing_and_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"earlier")
    with pytest.raises(KeyboardInterrupt):
        write_and(path, interrupt)
    assert path.read_bytes() == b"earlier"
    assert names(tmp_path) == ["a.txt"]


def test_a_file_that_exists_is_replaced_only_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_file(path, b"earlier")
    with pytest.raises(OutputRefused, match=r"a\.txt already exists; give --overwrite"):
        write_file(path, b"later")
    assert path.read_bytes() == b"earlier"
    write_file(path, b"later", overwrite=True)
    assert path.read_bytes() == b"later"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(OutputRefused, match="already exists"):
        write_and(path, lambda: path.write_bytes(b"somebody's"), overwrite=False)
    assert path.read_bytes() == b"somebody's"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputRefused, match="is a folder"):
        write_file(tmp_path, b"", overwrite=True)


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch()
    path.chmod(0o640)
    write_file(path, b"", overwrite=True)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link = tmp_path / "link.txt"
    link.symlink_to("far/real.txt")
    write_file(link, b"content")
    assert link.is_symlink()
    assert (tmp_path / "far" / "real.txt").read_bytes() == b"content"


def test_a_device_is_written_into_and_stays_one(tmp_path: Path) -> None:
    write_file(Path(os.devnull), b"content")
    assert not Path(os.devnull).is_file()


def test_a_second_run_is_refused_while_the_first_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    code = "import sys; from pathlib import Path; from brixia_edge.runtime.files import write_file"
    second = [sys.executable, "-c", f"{code}; write_file(Path(sys.argv[1]), b'second')", str(path)]
    with staged(path) as file:
        file.write(b"first")
        done = subprocess.run(second, capture_output=True, text=True, check=False)
    assert "a.txt is being written by another run" in done.stderr
    assert path.read_bytes() == b"first"


def test_a_name_that_is_locked_is_locked_for_writers_too(tmp_path: Path) -> None:
    with locked(tmp_path / "bundle"), pytest.raises(OutputRefused, match="another run"):
        write_file(tmp_path / "bundle", b"")
    assert names(tmp_path) == []


def test_what_a_killed_run_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    part_of(path).write_bytes(b"a long rest of a run that was killed")
    write_file(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert names(tmp_path) == ["a.txt"]


def test_a_link_in_the_place_of_a_part_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    part_of(tmp_path / "a.txt").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"):
        write_file(tmp_path / "a.txt", b"x")
    assert victim.read_bytes() == b"precious"


def test_the_longest_name_that_a_file_can_have_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 120 + ".jsonl.........")
    write_file(path, b"content")
    assert names(tmp_path) == [path.name]


def write_much(path: Path) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    write_file(path, bytes(5000), overwrite=True)


def test_a_write_that_fails_names_the_file_and_says_why(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="limits of a process are POSIX's")
    path = tmp_path / "a.txt"
    path.write_bytes(b"earlier")
    with (
        multiprocessing.get_context("spawn").Pool(1) as pool,
        pytest.raises(OSError, match="File too large") as caught,
    ):
        pool.apply(write_much, (path,))
    assert (caught.value.strerror, caught.value.filename) == ("File too large", str(path))
    assert path.read_bytes() == b"earlier"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_called_one() -> None:
    with pytest.raises(OSError, match=r"the disk is full.*/dev/full"):
        write_file(Path("/dev/full"), b"content")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NO_SPACE, "the disk is full"),
        (OSError(errno.EDQUOT, "x"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
        (OSError("5000 requested and 0 written"), "5000 requested and 0 written"),
        (OSError(), "OSError"),
    ],
)
def test_every_error_has_a_reason(error: OSError, words: str) -> None:
    assert words in why(error)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe or a device"):
        read_file(tmp_path / "pipe", 10)
    with pytest.raises(OSError, match="pipe or a device"):
        read_file(Path("/dev/zero"), 10)
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path, 10)


def test_a_file_is_read_to_its_limit_and_no_further(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    assert read_file(tmp_path / "a", 10) == b"0123456789"
    with pytest.raises(OSError, match="longer than 9 bytes"):
        read_file(tmp_path / "a", 9)


def test_parts_are_told_by_their_name() -> None:
    assert part_of(Path("x/a.txt")) == Path(f"x/.a.txt{PART_SUFFIX}")
