"""Which files to score: names, folders searched by content, and a list on standard input."""

import codecs
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..authorship import BEGINNING, SOFTWARE, begins_as_own
from ..errors import UnreadableImage
from ..files import PART_SUFFIX
from ..results import UnscoredFile
from .text_encoding import as_utf8

STANDARD_INPUT = "-"
_LONGEST_LIST = 256 * 2**20
"""Bytes; a million long paths."""

_SUFFIXES = (".dcm", ".dicom", ".jpeg", ".jpg", ".png")
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_PREFIX = 132
"""Bytes of a DICOM preamble and its magic word (PS3.10 section 7.1)."""


@dataclass(frozen=True)
class Inputs:
    """The files to score.

    Attributes
    ----------
    files
        Files to score, in the order they were given; a folder's files sorted by path.
    failures
        Folders that cannot be searched or hold nothing that looks like a radiograph, and
        standard input when it lists nothing; each with its reason.
    skipped
        How many files of folders were passed over because they look like nothing we read.
    links
        How many links in folders were not followed because they lead out of their folder.
    results
        How many files of folders were passed over because this software wrote them.
    lists
        The files that others were listed in.
    """

    files: tuple[Path, ...]
    failures: tuple[UnscoredFile, ...]
    skipped: int
    links: int = 0
    results: int = 0
    lists: tuple[Path, ...] = ()

    @property
    def read(self) -> tuple[Path, ...]:
        """All files that are read, which nothing may be written onto."""
        return (*self.files, *self.lists)


def find_inputs(paths: Iterable[str], standard_input: BinaryIO) -> Inputs:
    """Collect the files to score.

    Links to folders, within folders, are not followed, nor are links to files that lead out of the
    folder: whoever may write there could otherwise have any file of this machine read.

    Parameters
    ----------
    paths
        Files, folders, or ``-`` for a list of them on `standard_input`, one a line. A file that
        is named is always taken, whatever it is: if it cannot be scored, its reason is told.
    """
    search = _Search(standard_input)
    for path in paths:
        search.take(path)
    return Inputs(
        tuple(search.files),
        tuple(search.failures),
        search.skipped,
        search.links,
        search.results,
        tuple(search.lists),
    )


class _Search:
    """What was found so far; see `Inputs`."""

    def __init__(self, standard_input: BinaryIO) -> None:
        self._standard_input = standard_input
        self.files: dict[Path, None] = {}
        self.failures: list[UnscoredFile] = []
        self.skipped = 0
        self.links = 0
        self.results = 0
        self.lists: list[Path] = []

    def take(self, path: str) -> None:
        if path == STANDARD_INPUT:
            self._take_list()
        else:
            self._take_path(path)

    def _take_path(self, path: str) -> None:
        if os.path.isdir(path):  # Path.is_dir raises where the path itself is impossible
            self._take_folder(Path(path))
        else:
            self.files[Path(path)] = None

    def _take_list(self) -> None:
        # Bytes, because a file name need not be text in the terminal's encoding.
        try:
            lines = _listed(self._standard_input.read(_LONGEST_LIST + 1))
        except OSError as error:
            self._give_up(STANDARD_INPUT, f"standard input cannot be read: {error.strerror}")
            return
        except ValueError as error:
            self._give_up(STANDARD_INPUT, f"standard input {error}")
            return
        self.lists += _file_behind(self._standard_input)
        for line in lines:
            self._take_path(os.fsdecode(line))

    def _take_folder(self, folder: Path) -> None:
        given_up = len(self.failures)
        everything = sorted(self._walk(folder))
        images = [file for file in everything if looks_like_radiograph(file)]
        found = [file for file in images if not is_own_result(file)]
        self.skipped += len(everything) - len(images)
        self.results += len(images) - len(found)
        self.files.update(dict.fromkeys(found))
        if not found and len(self.failures) == given_up:
            self._give_up(folder, _empty(bool(images)))

    def _walk(self, folder: Path) -> Iterator[Path]:
        root = os.path.realpath(folder)
        for parent, folders, names in os.walk(folder, onerror=self._give_up_folder):
            stays = {name: _stays_within(root, os.path.join(parent, name)) for name in names}
            yield from (Path(parent) / name for name in names if stays[name])
            stays |= {name: _stays_within(root, os.path.join(parent, name)) for name in folders}
            self.links += list(stays.values()).count(False)

    def _give_up_folder(self, error: OSError) -> None:
        reason = f"is a folder that cannot be searched: {error.strerror}"
        self._give_up(os.fsdecode(error.filename), reason)

    def _give_up(self, path: str | Path, reason: str) -> None:
        self.failures.append(UnscoredFile(Path(path), UnreadableImage(reason)))


def _file_behind(stream: BinaryIO) -> Iterator[Path]:
    """The file that a stream reads, unless it is a pipe, a terminal, or in memory."""
    try:
        path = Path(f"/dev/fd/{stream.fileno()}")
    except OSError:
        return
    if path.is_file():
        yield path


def _listed(content: bytes) -> list[bytes]:
    """The lines that are not empty, without byte-order marks: lists get joined.

    Raises
    ------
    ValueError
        It is no list; the message is a half-sentence.
    """
    if len(content) > _LONGEST_LIST:
        raise ValueError(f"is longer than {_LONGEST_LIST:,} bytes; give several lists")
    try:
        lines = as_utf8(content).splitlines()
    except UnicodeDecodeError as error:
        raise ValueError("is UTF-16 that is damaged or cut off; give a list in UTF-8") from error
    found = [
        line for line in (each.removeprefix(codecs.BOM_UTF8) for each in lines) if line.strip()
    ]
    if not found:
        raise ValueError("lists no file; give one path a line")
    return found


def _empty(has_results: bool) -> str:
    if has_results:
        return f"holds nothing but what {SOFTWARE} wrote; give the folder of the radiographs"
    return "holds no DICOM, PNG or JPEG file; give a folder that does"


def is_own_result(path: Path) -> bool:
    """Whether this software wrote a file, as far as its beginning tells; see `authorship`."""
    try:
        with path.open("rb") as file:
            return begins_as_own(file.read(BEGINNING))
    except OSError:
        return False


def _stays_within(root: str, path: str) -> bool:
    """Whether a path is no link, or one that leads to a place within `root`."""
    if not os.path.islink(path):
        return True
    return os.path.realpath(path).startswith(os.path.join(root, ""))


def looks_like_radiograph(path: Path) -> bool:
    """Whether a file in a folder is worth reading.

    It is when it begins like DICOM (with a preamble, or with an element of group 0002 or 0008),
    PNG or JPEG, or when its suffix claims one of them: then a damaged file gets its reason told,
    and so does one that cannot be opened. Pipes and devices, which may never end, are not.
    """
    # A DICOMDIR (PS3.10 8.6) lists files by paths of its own; discs have it in any case.
    if path.name.upper() in ("DICOMDIR", "DICOMDIR;1") or _is_special(path):
        return False
    # An answer that another run is writing here, or that a killed one left half.
    if path.name.endswith(PART_SUFFIX):
        return False
    if path.suffix.lower() in _SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            start = file.read(_PREFIX)
    except OSError:
        return True
    return start.startswith(_SIGNATURES) or start[128:] == b"DICM" or _is_bare_dicom(start)


def _is_special(path: Path) -> bool:
    """Whether it exists and is no ordinary file."""
    return os.path.exists(path) and not os.path.isfile(path)


def _is_bare_dicom(start: bytes) -> bool:
    """Whether the file begins with a plausible first element of group 0002 or 0008."""
    group, element = int.from_bytes(start[:2], "little"), int.from_bytes(start[2:4], "little")
    return len(start) >= 8 and group in (0x0002, 0x0008) and element <= 0x0018
