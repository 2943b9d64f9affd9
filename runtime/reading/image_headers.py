"""What compressed images declare about themselves, read without decoding them.

A header of thirty bytes can declare a picture of ten gigabytes, and OpenCV fills the missing part
of a truncated file with grey without a word. So size and wholeness are checked here first.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import UnreadableImage
from .limits import check_size

JPEG2000_START = b"\xff\x4f\xff\x51"
"""The first two markers, SOC and SIZ, of a JPEG 2000 codestream."""

_TILE_HEADER = 14
"""Bytes of a JPEG 2000 tile without data: its SOT and SOD segments."""

_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 1, 6: 3}
"""Colour channels of each PNG colour type, alpha left out; palettes (3) hold colours."""

_NOT_A_FRAME = (0xC4, 0xC8, 0xCC)
"""Markers among SOF0 to SOF15 that mean tables or extensions."""

MAXIMUM_SCANS = 100
"""Scans of a progressive JPEG image; encoders write about ten."""

START_OF_SCAN = 0xDA
"""The marker SOS, whose segment stands before the coded samples."""

COMMENT = 0xFE
"""The marker COM, whose segment holds a text."""

_JPEG_LS_FRAME = 0xF7
_END_OF_IMAGE = 0xD9
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))

# Inside a scan a byte FF is followed by 00 (stuffing), FF (fill) or D0 to D7 (restart).
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


@dataclass(frozen=True)
class DeclaredImage:
    """What a file's own header says it holds.

    Attributes
    ----------
    rows, columns
        In pixels.
    channels
        Channels of colour, alpha left out: 1 for grey, 3 for colour, 4 for CMYK.
    bits
        Of each sample.
    """

    rows: int
    columns: int
    channels: int
    bits: int


def read_png_header(content: bytes) -> DeclaredImage:
    """Read the IHDR chunk of a PNG file (PNG specification, 11.2.1).

    Raises
    ------
    UnreadableImage
        The file ends before the header does, or its colour type does not exist.
    """
    if len(content) < 33 or content[12:16] != b"IHDR":
        raise UnreadableImage("is a PNG file cut off in its header; copy it again from its source")
    columns, rows, bits, colour_type = struct.unpack(">IIBB", content[16:26])
    if colour_type not in _PNG_CHANNELS:
        raise UnreadableImage(
            f"is a PNG file of colour type {colour_type}; 0, 2, 3, 4 and 6 are allowed"
        )
    return DeclaredImage(rows, columns, _PNG_CHANNELS[colour_type], bits)


def check_png_whole(content: bytes) -> None:
    """Walk the chunks of a PNG file to IEND, checking the checksums of those that carry pixels.

    Raises
    ------
    UnreadableImage
        The file is truncated or its pixels were altered.
    """
    for kind, start, end in png_chunks(content):
        # An upper-case initial marks a chunk without which the image cannot be shown.
        if kind[:1].isupper():
            _check_crc(content, start, end)
        if kind == b"IEND":
            return
    raise UnreadableImage(
        f"is a PNG file truncated at {len(content)} bytes (no IEND); copy it again from its source"
    )


def png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Walk the chunks of a PNG file (PNG specification, 5.3).

    Yields
    ------
    tuple[bytes, int, int]
        Type, start and end of each whole chunk in order, lengths and checksums included: the
        content lies 8 bytes behind the one and 4 before the other.
    """
    position = 8
    while position + 12 <= len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        end = position + 12 + length
        if end > len(content):
            return
        yield content[position + 4 : position + 8], position, end
        position = end


def _check_crc(content: bytes, start: int, end: int) -> None:
    declared = struct.unpack(">I", content[end - 4 : end])[0]
    if zlib.crc32(memoryview(content)[start + 4 : end - 4]) != declared:
        raise UnreadableImage(
            f"is a damaged PNG file: the chunk at byte {start} has a wrong checksum; "
            "copy it again from its source"
        )


def read_jpeg_header(content: bytes) -> DeclaredImage:
    """Read the frame header (SOF) of a JPEG or JPEG-LS stream (ISO 10918-1, B.2.2).

    Raises
    ------
    UnreadableImage
        No frame header comes before the pixels, there are more than `MAXIMUM_SCANS`, or too few
        bytes for the size: a decoder would work for minutes, or fill the rest with grey.
    ImageTooLarge
        It declares more than `MAXIMUM_PIXELS`.
    """
    segments = list(jpeg_segments(content))
    _check_scans(sum(marker == START_OF_SCAN for marker, _, _ in segments))
    for marker, start, end in segments:
        is_frame = (marker & 0xF0) == 0xC0 and marker not in _NOT_A_FRAME
        if (is_frame or marker == _JPEG_LS_FRAME) and end - start >= 6:
            bits, rows, columns, channels = struct.unpack(">BHHB", content[start : start + 6])
            check_size(rows, columns)
            _check_density(marker, rows, columns, len(content))
            return DeclaredImage(rows, columns, channels, bits)
    raise UnreadableImage("is a JPEG file without a frame header; copy it again from its source")


def _check_scans(count: int) -> None:
    if count > MAXIMUM_SCANS:
        raise UnreadableImage(
            f"holds a JPEG image of {count} scans; at most {MAXIMUM_SCANS} are decoded, since each "
            "takes as long as a whole image. Save it again as an ordinary PNG"
        )


def _check_density(marker: int, rows: int, columns: int, length: int) -> None:
    """Compare with the least that Huffman coding can take: a bit a block, or a lossless sample."""
    blocks = -(-rows // 8) * -(-columns // 8)
    least = {0xC0: blocks, 0xC1: blocks, 0xC2: blocks, 0xC3: rows * columns}.get(marker, 0) // 8
    if length < least:
        raise UnreadableImage(
            f"holds a JPEG image of {length} bytes; {rows} rows x {columns} columns take {least} "
            "at least. Copy it again from its source"
        )


def check_jpeg_whole(content: bytes) -> None:
    """Walk the segments of a JPEG file to its end-of-image marker.

    Thumbnails in the metadata end with such a marker too, and some files carry bytes after
    theirs; so neither a search nor a look at the last two bytes would tell.

    Raises
    ------
    UnreadableImage
        The file is truncated.
    """
    if not any(marker == _END_OF_IMAGE for marker, _, _ in jpeg_segments(content)):
        raise UnreadableImage(
            f"is a JPEG file truncated at {len(content)} bytes (no end-of-image marker); "
            "copy it again from its source"
        )


def jpeg_segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Walk a JPEG or JPEG-LS stream (ISO 10918-1, B.1).

    Yields
    ------
    tuple[int, int, int]
        Marker, start and end of the payload of each segment, in order, the end-of-image marker
        last; nothing more from where the stream is damaged.
    """
    position = 2
    while position + 2 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker == _END_OF_IMAGE:
            yield marker, position + 2, position + 2
            return
        if marker in _WITHOUT_LENGTH:
            position += 2
            continue
        length = int.from_bytes(content[position + 2 : position + 4], "big")
        end = position + 2 + length
        if length < 2 or end > len(content):
            return
        yield marker, position + 4, end
        position = _after_scan(content, end) if marker == START_OF_SCAN else end


def _after_scan(content: bytes, start: int) -> int:
    found = _MARKER_AFTER_SCAN.search(content, start)
    return found.start() if found else len(content)


def read_jpeg2000_header(content: bytes) -> DeclaredImage:
    """Read the SIZ segment of a JPEG 2000 codestream, in a JP2 box or bare (ISO 15444-1, A.5.1).

    Raises
    ------
    UnreadableImage
        There is no such segment, or it divides the image into more tiles than there are.
    """
    start = content.find(JPEG2000_START)
    siz = content[start + 8 : start + 43] if start >= 0 else b""
    if len(siz) < 35:
        raise UnreadableImage("is JPEG 2000 data without a size; copy it again from its source")
    columns, rows, first_column, first_row = struct.unpack(">4I", siz[:16])
    _check_tiles(struct.unpack(">8I", siz[:32]), len(content) - start)
    channels, depth = struct.unpack(">HB", siz[32:35])
    return DeclaredImage(rows - first_row, columns - first_column, channels, (depth & 0x7F) + 1)


def _check_tiles(siz: tuple[int, ...], length: int) -> None:
    """Compare the number of tiles with the bytes: each has a header of 14 (A.4.2, A.4.3)."""
    columns, rows, _, _, width, height, first_column, first_row = siz
    if not (width and height):
        raise UnreadableImage("is JPEG 2000 data of empty tiles; copy it again from its source")
    tiles = -((first_column - columns) // width) * -((first_row - rows) // height)
    if tiles * _TILE_HEADER > length:
        raise UnreadableImage(
            f"is JPEG 2000 data of {length} bytes with {tiles} tiles, which take "
            f"{_TILE_HEADER} each at least; copy it again from its source"
        )
