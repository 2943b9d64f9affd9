"""What this software writes carries its name, so that no run ever takes it for a radiograph.

A picture of a score looks much like the radiograph in it, and often lies beside it. It is told by
what is in it, whatever its file is named: by a text chunk in PNG, a comment in JPEG, the
implementation in a DICOM file's meta information, and, where an archive has rewritten that, the
manufacturer and the descriptions.
"""

import re
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import NoReturn

from .errors import UnsupportedImage
from .results import RESEARCH_USE

SOFTWARE = "brixia-edge"
"""The name in everything that is written."""

SERIES_DESCRIPTION = f"Brixia score - {RESEARCH_USE}"
"""What a list of DICOM series shows; a Long String, so of at most 64 characters."""

IMPLEMENTATION_VERSION = SOFTWARE.upper()
"""Implementation Version Name (PS3.10 7.1), of at most 16 characters."""

IMPLEMENTATION_UID = "2.25.155306586985257483289063802344089553422"
"""Implementation Class UID (PS3.10 7.1)."""

_OWN_HEADERS: Mapping[str, re.Pattern[str]] = {
    "Manufacturer": re.compile(rf"{SOFTWARE}\b", re.I),
    "ManufacturerModelName": re.compile(rf"{SOFTWARE}\b", re.I),
    "SeriesDescription": re.compile("Brixia score - RESEARCH USE ONLY", re.I),
    "DerivationDescription": re.compile(rf"{SOFTWARE} \d", re.I),
}
"""DICOM elements, and how they begin in results of any version."""

OWN_ELEMENTS = tuple(_OWN_HEADERS)
"""The DICOM elements that tell a result of ours, wherever it has been since."""

_PNG_HEADER_END = 33  # signature and IHDR
_PNG_TEXTS = (b"tEXt", b"iTXt")
_PNG_SOFTWARE = b"Software\0" + SOFTWARE.encode()
_JPEG_COMMENT = b"\xff\xfe"
_JPEG_START = re.compile(rb"\xff\xd8\xff\xfe.." + SOFTWARE.encode(), re.S)
_DICOM_VERSION = b"\x02\x00\x13\x00SH\x0c\x00" + IMPLEMENTATION_VERSION.encode() + b" "

BEGINNING = 1024
"""Bytes of a file that tell whether it is one of ours, if nothing else has written it since."""


@cache
def software_version() -> str:
    """Give the version of brixia-edge, looked up once: a report names it ten times."""
    return version(SOFTWARE)


def signed_png(content: bytes) -> bytes:
    """Put the software's name into a PNG file, as a text chunk (PNG specification, 11.3.3.2)."""
    chunk = b"tEXt" + _PNG_SOFTWARE + _told()
    length = len(chunk) - len(b"tEXt")
    signature = length.to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return content[:_PNG_HEADER_END] + signature + content[_PNG_HEADER_END:]


def signed_jpeg(content: bytes) -> bytes:
    """Put the software's name into a JPEG file, as a comment (ISO 10918-1, B.2.4.5)."""
    comment = SOFTWARE.encode() + _told()
    length = (len(comment) + 2).to_bytes(2, "big")
    return content[:2] + _JPEG_COMMENT + length + comment + content[2:]


def _told() -> bytes:
    return f" {software_version()}; {RESEARCH_USE}".encode()


def begins_as_own(beginning: bytes) -> bool:
    """Whether a file is one of ours, by its first `BEGINNING` bytes.

    A file that other software has written anew may not be told so; reading it refuses it by all
    that is in it.
    """
    if beginning.startswith(b"\x89PNG"):
        return b"tEXt" + _PNG_SOFTWARE in beginning
    if beginning[128:132] == b"DICM":
        return _DICOM_VERSION in beginning
    return _JPEG_START.match(beginning) is not None


def is_own_chunk(kind: bytes, content: bytes) -> bool:
    """Whether a chunk of a PNG file names this software as the picture's."""
    return kind in _PNG_TEXTS and content.startswith(b"Software\0") and SOFTWARE.encode() in content


def is_own_comment(content: bytes) -> bool:
    """Whether a comment in a JPEG file names this software as the picture's."""
    return content.startswith(SOFTWARE.encode())


def is_own_element(keyword: str, text: str) -> bool:
    """Whether a text of a DICOM header, one of `OWN_ELEMENTS`, names this software."""
    return _OWN_HEADERS[keyword].match(text) is not None


def refuse_own() -> NoReturn:
    """Refuse a file that this software wrote.

    Raises
    ------
    UnsupportedImage
        In any case.
    """
    raise UnsupportedImage(
        f"is a result that {SOFTWARE} wrote, no radiograph: a score of it would be filed as a "
        "further one of the same patient. Give the radiograph itself"
    )
