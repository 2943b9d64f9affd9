"""Which files to score: names, folders searched by content, and a list on standard input."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

STANDARD_INPUT = "-"
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
    empty_folders
        Folders in which nothing looked like a radiograph.
    skipped
        How many files of folders were passed over because they look like nothing we read.
    """

    files: tuple[Path, ...]
    empty_folders: tuple[Path, ...]
    skipped: int


def find_inputs(paths: Iterable[str], standard_input: TextIO) -> Inputs:
    """Collect the files to score.

    Parameters
    ----------
    paths
        Files, folders, or ``-`` for a list of them on `standard_input`, one a line. A file that
        is named is always taken, whatever it is: if it cannot be scored, its reason is told.
    """
    files: dict[Path, None] = {}
    empty: list[Path] = []
    skipped = 0
    for path in _expand(paths, standard_input):
        if not path.is_dir():
            files[path] = None
            continue
        everything = sorted(_walk(path))
        found = [file for file in everything if looks_like_radiograph(file)]
        skipped += len(everything) - len(found)
        files.update(dict.fromkeys(found))
        if not found:
            empty.append(path)
    return Inputs(tuple(files), tuple(empty), skipped)


def looks_like_radiograph(path: Path) -> bool:
    """Whether a file in a folder is worth reading.

    It is when it begins like DICOM (with a preamble, or with an element of group 0002 or 0008),
    PNG or JPEG, or when its suffix claims one of them: then a damaged file gets its reason told.
    """
    if path.name == "DICOMDIR":
        return False
    if path.suffix.lower() in _SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            start = file.read(_PREFIX)
    except OSError:
        return False
    return start.startswith(_SIGNATURES) or start[128:] == b"DICM" or _is_bare_dicom(start)


def _is_bare_dicom(start: bytes) -> bool:
    """Whether the file begins with a plausible first element of group 0002 or 0008."""
    group, element = int.from_bytes(start[:2], "little"), int.from_bytes(start[2:4], "little")
    return len(start) >= 8 and group in (0x0002, 0x0008) and element <= 0x0018


def _expand(paths: Iterable[str], standard_input: TextIO) -> Iterator[Path]:
    for path in paths:
        if path == STANDARD_INPUT:
            yield from (Path(line) for line in standard_input.read().splitlines() if line.strip())
        else:
            yield Path(path)


def _walk(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names)
