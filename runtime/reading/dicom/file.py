"""The bytes of a DICOM file become a parsed header: PS3.10 clause 7, and files that break it."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_partial
from pydicom.tag import BaseTag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from ...errors import BrixiaEdgeError, ImageTooLarge, UnreadableImage
from ..limits import MAXIMUM_PIXELS
from .broken_elements import Remainder, without_broken_elements
from .elements import leave_out_unreadable, told_of
from .header import Header, refusing_damage

_PREAMBLE = 132
_EXECUTABLES = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
"""Group 0002 (file meta) or 0008, little and big endian: how a dataset without preamble begins."""

_MAXIMUM_INFLATED = 2 * MAXIMUM_PIXELS + 2**24
"""Bytes that a deflated file may grow to: the pixels at 16 bits and a generous header."""

_DEFLATED_AT_ONCE = 2**14
"""Bytes that are inflated at once, to 16 MiB at most: deflate makes no more than 1032 of one."""

_BEGINNING = 2**20
"""Bytes within which what a header is asked for without its pixels must stand."""

_MAXIMUM_ELEMENTS = 100_000
"""Of the dataset itself, those within sequences not counted; images have some hundreds."""

_PIXEL_DATA = 0x7FE00010
_PIXEL_DATA_TAGS = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")


@dataclass(frozen=True)
class DicomFile:
    """A parsed file.

    Attributes
    ----------
    header
        Its dataset.
    sop_class
        SOP Class UID, or an empty text when the file does not tell.
    transfer_syntax
        UID of the syntax in which the pixels are stored; that of a deflated file, once inflated,
        is Explicit VR Little Endian.
    cut_off
        True when Pixel Data begins in the file but does not end there.
    left_out
        What could not be read and was left out of the header, one sentence each.
    """

    header: Header
    sop_class: str
    transfer_syntax: str
    cut_off: bool
    left_out: tuple[str, ...] = ()


def parse_dicom(content: bytes) -> DicomFile:
    """Parse a DICOM file, with or without preamble and file meta information (PS3.10 7.1).

    Raises
    ------
    UnreadableImage
        The bytes are not a DICOM dataset, or a damaged one, or an executable disguised as one.
    ImageTooLarge
        A deflated file inflates to more than an image within `MAXIMUM_PIXELS` can need, or there
        are more elements than an image has.
    """
    _check_beginning(content)
    with refusing_damage("the dataset"):
        meta, start = _file_meta(content)
        syntax = str(meta.get("TransferSyntaxUID", "")).strip(" \0")
        if syntax == DeflatedExplicitVRLittleEndian:
            # pydicom would inflate without limit; without file meta it takes the rest as it is.
            content, syntax = _inflate(content[start:]), str(ExplicitVRLittleEndian)
            start = 0
        content, dataset, cut_out = _parsed(content, start, syntax)
        header = Header(dataset)
        # No other element: of a text, its bytes are wanted by those who know how to decode it.
        left_out = told_of(cut_out) + leave_out_unreadable(header, ("SOPClassUID",))
        sop_class = header.text("SOPClassUID") or str(meta.get("MediaStorageSOPClassUID", ""))
    if not sop_class and "Rows" not in header and "Modality" not in header:
        raise UnreadableImage(_NOT_AN_IMAGE_FILE)
    cut_off = _lacks_pixels(content, dataset)
    return DicomFile(header, sop_class, syntax or _guessed_syntax(dataset), cut_off, left_out)


def parse_beginning(stream: BinaryIO) -> Header:
    """Parse what stands before the pixels of a DICOM file, in its first MiB; the rest is not read.

    What the end of that MiB cuts in two is missing.

    Raises
    ------
    UnreadableImage, ImageTooLarge
        See `parse_dicom`.
    """
    content = stream.read(_BEGINNING)
    _check_beginning(content)
    with refusing_damage("the header"):
        meta, start = _file_meta(content)
        if str(meta.get("TransferSyntaxUID", "")).strip(" \0") == DeflatedExplicitVRLittleEndian:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[start:], _BEGINNING)
        limit = _ElementLimit(before_pixels=True)
        dataset = read_partial(BytesIO(content), stop_when=limit, force=True)
        if len(content) == _BEGINNING and not limit.at_pixels and dataset:
            del dataset[max(dataset.keys())]  # may be half of what stands in the file
        return Header(dataset)


def _parsed(content: bytes, start: int, syntax: str) -> tuple[bytes, Dataset, tuple[str, ...]]:
    """Parse a dataset; where that fails, once more without the elements that lead astray.

    Returns
    -------
    bytes, Dataset, tuple[str, ...]
        What was parsed, what it holds, and the keywords of the elements left out.
    """
    try:
        dataset = _parsed_once(content)
        if not _lacks_pixels(content, dataset):
            return content, dataset, ()
    except (BrixiaEdgeError, MemoryError):
        raise
    except Exception:
        dataset = None
    remainder = _remainder(content, start, syntax)
    if dataset is None or remainder.content is not content:
        dataset = _parsed_once(remainder.content)
    return remainder.content, dataset, remainder.cut_out


def _parsed_once(content: bytes) -> Dataset:
    return read_partial(BytesIO(content), stop_when=_ElementLimit(), force=True)


def _remainder(content: bytes, start: int, syntax: str) -> Remainder:
    if syntax == ExplicitVRBigEndian:
        return Remainder(content, ())
    # Without file meta the beginning tells, as it does for pydicom: a VR is two letters.
    implicit = syntax == ImplicitVRLittleEndian or not (
        syntax or content[start + 4 : start + 6].isalpha()
    )
    return without_broken_elements(content, start, implicit)


def _lacks_pixels(content: bytes, dataset: Dataset) -> bool:
    """Whether Pixel Data begins in the file and is not in the dataset."""
    return "PixelData" not in dataset and any(tag in content for tag in _PIXEL_DATA_TAGS)


_NOT_AN_IMAGE_FILE = "is not a DICOM, PNG or JPEG file; these are the formats that can be read"


def _check_beginning(content: bytes) -> None:
    has_prefix = content[_PREAMBLE - 4 : _PREAMBLE] == b"DICM"
    if not has_prefix and not content.startswith(_FIRST_GROUPS):
        raise UnreadableImage(_NOT_AN_IMAGE_FILE)
    # PS3.10 7.1 leaves the preamble free; CVE-2019-11687 is what malware makes of it.
    if has_prefix and content.startswith(_EXECUTABLES):
        raise UnreadableImage(
            "is a DICOM file whose preamble is the beginning of an executable program; "
            "such a file is never read. Have it examined for malware"
        )


class _ElementLimit:
    """Refuses a dataset of more elements than any image has; as little as 8 bytes make one."""

    def __init__(self, before_pixels: bool = False) -> None:
        self._count, self._before_pixels = 0, before_pixels
        self.at_pixels = False
        """Whether Pixel Data was reached, and the parsing ended there."""

    def __call__(self, tag: BaseTag, vr: str | None, length: int) -> bool:
        del vr, length
        self._count += 1
        if self._count > _MAXIMUM_ELEMENTS:
            raise ImageTooLarge(
                f"the DICOM file has more than {_MAXIMUM_ELEMENTS} elements, which no radiograph "
                "needs. Export the image again from its source"
            )
        self.at_pixels = self._before_pixels and tag == _PIXEL_DATA
        return self.at_pixels


def _file_meta(content: bytes) -> tuple[Dataset, int]:
    """Parse group 0002, which PS3.10 7.1 puts first and in Explicit VR Little Endian."""
    start = _PREAMBLE if content[_PREAMBLE - 4 : _PREAMBLE] == b"DICM" else 0
    stream = BytesIO(content)
    stream.seek(start)
    if content[start : start + 2] != b"\x02\x00":
        return Dataset(), start
    meta = read_dataset(
        stream, is_implicit_VR=False, is_little_endian=True, stop_when=_after_file_meta
    )
    return meta, stream.tell()


def read_file_meta(content: bytes) -> tuple[str, int]:
    """Read the file meta information (PS3.10 7.1) alone.

    Returns
    -------
    str, int
        The transfer syntax as it stands there, which is empty where there is none, and where the
        dataset begins behind it.

    Raises
    ------
    UnreadableImage
        It is damaged.
    """
    with refusing_damage("the file meta information"):
        meta, start = _file_meta(content)
        return str(meta.get("TransferSyntaxUID", "")).strip(" \0"), start


def _after_file_meta(tag: BaseTag, vr: str | None, length: int) -> bool:
    del vr, length
    return tag.group != 2


def _inflate(deflated: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(deflated, _MAXIMUM_INFLATED)
    if inflater.unconsumed_tail:
        raise _inflated_too_large()
    return inflated


def inflated_parts(deflated: bytes) -> Iterator[bytes]:
    """Inflate a deflated dataset (PS3.5 A.5) a part at a time, never beyond `_MAXIMUM_INFLATED`.

    Raises
    ------
    UnreadableImage
        The bytes are not deflated.
    ImageTooLarge
        They inflate to more than any image needs.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    length = 0
    for start in range(0, len(deflated), _DEFLATED_AT_ONCE):
        with refusing_damage("the deflated dataset"):
            part = inflater.decompress(deflated[start : start + _DEFLATED_AT_ONCE])
        length += len(part)
        if length > _MAXIMUM_INFLATED:
            raise _inflated_too_large()
        yield part


def _inflated_too_large() -> ImageTooLarge:
    return ImageTooLarge(
        f"the deflated DICOM file inflates to more than {_MAXIMUM_INFLATED} bytes, which no "
        "radiograph needs. Give it uncompressed"
    )


def _guessed_syntax(dataset: Dataset) -> str:
    """Tell the syntax that pydicom guessed for a file that names none."""
    is_implicit, is_little = dataset.original_encoding
    if is_implicit:
        return str(ImplicitVRLittleEndian)
    return str(ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian)
