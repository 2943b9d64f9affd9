"""Elements that lose the parser, cut out so that the others can be read.

A sequence of undefined length ends at a delimiter (PS3.5 7.5.1), which a parser finds by walking
its items; junk among them loses the parser, and with it every element behind, Pixel Data included.
The character set is converted while the file is parsed, and stops it where it is none. Every other
element waits until it is asked for.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from pydicom.datadict import keyword_for_tag
from pydicom.filereader import read_dataset

_DELIMITER = re.compile(rb"\xfe\xff\xdd\xe0\0\0\0\0")
_UNDEFINED = 0xFFFFFFFF
_CHARACTER_SET = 0x00080005
_PIXEL_DATA = 0x7FE00010
_ITEMS = 0xFFFE0000
_LONG_FORMS = (
    *(b"OB", b"OD", b"OF", b"OL", b"OV", b"OW"),
    *(b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"),
)
"""Value representations with a length of four bytes (PS3.5 7.1.2)."""

_MOST_ENDS = 64
"""Delimiters that are tried as a sequence's end; those of sequences within it come first."""

_MOST_STEPS = 20_000
"""Elements that are walked over in one file; hostile files have as many as they like."""


@dataclass(frozen=True)
class _Element:
    tag: int
    value: int
    length: int

    @property
    def end(self) -> int:
        return self.value + self.length

    @property
    def is_open(self) -> bool:
        """Whether it is a sequence of undefined length."""
        return self.length == _UNDEFINED and self.tag != _PIXEL_DATA

    @property
    def loses_parser(self) -> bool:
        """Whether a parser can be lost in it."""
        return self.is_open or self.tag == _CHARACTER_SET


@dataclass(frozen=True)
class Remainder:
    """A dataset without its broken elements.

    Attributes
    ----------
    content
        The file without them; the same object where there are none, or where nobody can tell.
    cut_out
        Keywords of those that the standard has, in their order.
    """

    content: bytes
    cut_out: tuple[str, ...]


def without_broken_elements(content: bytes, start: int, implicit: bool) -> Remainder:
    """Cut out the elements that lose a parser.

    Parameters
    ----------
    content
        The file, its dataset in little endian.
    start
        Where its dataset begins.
    implicit
        Whether the elements are without value representations.
    """
    broken = list(_broken_elements(content, start, implicit))
    if not broken:
        return Remainder(content, ())
    kept: list[bytes] = []
    position = 0
    for _, place in broken:
        kept.append(content[position : place.start])
        position = place.stop
    keywords = (keyword_for_tag(tag) for tag, _ in broken)
    return Remainder(b"".join((*kept, content[position:])), tuple(filter(None, keywords)))


def _broken_elements(content: bytes, start: int, implicit: bool) -> Iterator[tuple[int, slice]]:
    """Tag and place of each, as far as the dataset can be walked."""
    walk = _Walk(content, implicit)
    position = start
    while (element := walk.element(position)) is not None and element.tag < _PIXEL_DATA:
        following = walk.end_of_sequence(element) if element.is_open else element.end
        if following is None:
            return
        place = slice(position, following)
        if element.loses_parser and not _parses(content[place], implicit):
            yield element.tag, place
        position = following


class _Walk:
    """Walks over a dataset's own elements, as often as the limit allows."""

    def __init__(self, content: bytes, implicit: bool) -> None:
        self._content = content
        self._implicit = implicit
        self._steps = 0

    def element(self, position: int) -> _Element | None:
        """The element that begins here, or None where none can, or the walk was too long."""
        self._steps += 1
        head = self._content[position : position + 12]
        if len(head) < 8 or self._steps > _MOST_STEPS:
            return None
        group, number = struct.unpack("<HH", head[:4])
        form = head[4:6]
        value, length = position + 8, int.from_bytes(head[4:8], "little")
        if not self._implicit and form in _LONG_FORMS:
            value, length = position + 12, int.from_bytes(head[8:12], "little")
        elif not self._implicit:
            length = int.from_bytes(head[6:8], "little")
            if not form.isalpha():
                return None
        element = _Element(group << 16 | number, value, length)
        fits = length == _UNDEFINED or element.end <= len(self._content)
        return element if fits and group < _ITEMS >> 16 else None

    def end_of_sequence(self, sequence: _Element) -> int | None:
        """Where the dataset goes on behind a sequence that no length tells."""
        for number, match in enumerate(_DELIMITER.finditer(self._content, sequence.value)):
            if number == _MOST_ENDS:
                return None
            if self._goes_on(match.end(), sequence.tag):
                return match.end()
        return None

    def _goes_on(self, position: int, tag: int) -> bool:
        """Whether elements follow in order, up to Pixel Data or to the next such sequence."""
        for element in self._elements(position):
            if element is None or element.tag <= tag:
                return False
            if element.tag == _PIXEL_DATA or element.is_open:
                return True
            tag = element.tag
        return True

    def _elements(self, position: int) -> Iterator[_Element | None]:
        while position < len(self._content):
            element = self.element(position)
            yield element
            position = element.end if element else len(self._content)


def _parses(element: bytes, implicit: bool) -> bool:
    try:
        read_dataset(BytesIO(element), implicit, True)
    except Exception:  # whatever junk makes it raise
        return False
    return True
