"""Damaged and hostile files: seeded mutations of whole ones, aware of how the formats are built.

A mutation is made of one to four changes: to a DICOM element's tag, VR, length, value or place, to
the encapsulation of compressed pixels, to marker segments and chunks of pictures (with checksums
made right again), or to any byte.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

Change = Callable[[Random, bytes], bytes]

_LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
_VRS = (*_LONG, b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT")
_MORE_VRS = (*_VRS, b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US", b"\0\0", b"ZZ")
_TAGS = (
    *((0x0008, element) for element in (0x0005, 0x0016, 0x0018, 0x0060, 0x0068, 0x1030, 0x103E)),
    *((0x0018, element) for element in (0x0015, 0x1164, 0x1600, 0x1602, 0x1620, 0x5101)),
    *((0x0028, element) for element in (0x0002, 0x0004, 0x0006, 0x0008, 0x0010, 0x0011, 0x0030)),
    *((0x0028, element) for element in (0x0034, 0x0100, 0x0101, 0x0102, 0x0103, 0x0120, 0x0121)),
    *((0x0028, element) for element in (0x1050, 0x1051, 0x1052, 0x1053, 0x1056, 0x1101, 0x1201)),
    *((0x0028, element) for element in (0x3000, 0x3002, 0x3006, 0x3010)),
    *((0x0002, 0x0010), (0x0020, 0x0020), (0x2050, 0x0020), (0x6000, 0x3000), (0x6000, 0x0102)),
    *((0x7FE0, 0x0010), (0x7FE0, 0x0008), (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)),
)
_LENGTHS = (0, 1, 2, 3, 7, 0xFFFF, 0xFFFE, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_TEXTS = (
    *(b"", b"0", b"-1", b"1e999", b"nan", b"inf", b"-0", b"9" * 16, b"9" * 64, b"1\\2\\3", b"\\\\"),
    *(
        b"\0\0\0\0",
        b"\xff" * 8,
        b"1.5",
        b"0.0",
        b" ",
        b"A" * 1000,
        b"MONOCHROME1",
        b"RGB",
        b"SIGMOID",
    ),
    *(
        b"PALETTE COLOR ",
        b"YBR_FULL_422",
        b"INVERSE ",
        b"CIRCULAR",
        b"1\\1\\9\\9 ",
        b"\x1b$B",
        b"../x",
    ),
)
_NUMBERS = (0, 1, 2, 7, 8, 9, 15, 16, 17, 32, 255, 256, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
_SYNTAXES = (
    *(f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".2", ".1.99", ".5", ".1.98", ".9")),
    *(f"1.2.840.10008.1.2.4.{end}" for end in (50, 51, 57, 70, 80, 81, 90, 91, 92, 93, 94, 100)),
    *(f"1.2.840.10008.1.2.4.{end}" for end in (102, 106, 201, 202, 203, 204)),
)


@dataclass(frozen=True)
class Element:
    """Where a top-level element lies: its start, length field, value and end."""

    start: int
    length_at: int
    length_size: int
    value: int
    end: int


def mutate(content: bytes, seed: int) -> bytes:
    """Give the mutation of a file that `seed` stands for."""
    random = Random(seed)  # noqa: S311 - repeatable, which is all that is asked of it
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        content = random.choice(_changes(content))(random, content)
    return content


def _changes(content: bytes) -> tuple[Change, ...]:
    if content.startswith(b"\x89PNG"):
        return (*_PNG_CHANGES, *_ANY_CHANGES)
    if content.startswith(b"\xff\xd8"):
        return (*_JPEG_CHANGES, *_ANY_CHANGES)
    return (*_DICOM_CHANGES, *_DICOM_CHANGES, *_ANY_CHANGES)


def elements(content: bytes) -> list[Element]:
    """Find the top-level elements of a DICOM file, as far as they can be followed."""
    start = 132 if content[128:132] == b"DICM" else 0
    return list(_elements(content, start))


def _elements(content: bytes, position: int) -> Iterator[Element]:
    big = b"1.2.840.10008.1.2.2\0" in content[:400]
    while position + 8 <= len(content):
        order = ">" if big and content[position : position + 2] != b"\x02\x00" else "<"
        vr = content[position + 4 : position + 6]
        if not (vr.isalpha() and vr.isupper()):
            length_at, size = position + 4, 4
        elif vr in _LONG:
            length_at, size = position + 8, 4
        else:
            length_at, size = position + 6, 2
        field = content[length_at : length_at + size]
        if len(field) < size:
            return
        (length,) = struct.unpack(order + ("H" if size == 2 else "I"), field)
        value = length_at + size
        end = len(content) if length == 0xFFFFFFFF else min(value + length, len(content))
        yield Element(position, length_at, size, value, end)
        position = end


def _element(random: Random, content: bytes) -> Element:
    found = elements(content)
    return random.choice(found) if found else Element(0, 0, 2, 2, min(4, len(content)))


def _put(content: bytes, start: int, end: int, new: bytes) -> bytes:
    return content[:start] + new + content[end:]


def _change_tag(random: Random, content: bytes) -> bytes:
    start = _element(random, content).start
    group, number = random.choice(_TAGS)
    if random.random() < 0.2:
        group, number = random.randrange(2**16), random.randrange(2**16)
    return _put(content, start, start + 4, struct.pack("<HH", group, number))


def _change_vr(random: Random, content: bytes) -> bytes:
    start = _element(random, content).start
    return _put(content, start + 4, start + 6, random.choice(_MORE_VRS))


def _change_length(random: Random, content: bytes) -> bytes:
    element = _element(random, content)
    wrong = random.choice(
        (*_LENGTHS, element.end - element.value + random.choice((-2, -1, 1, 2, 4)))
    )
    size = element.length_size
    new = (wrong & (2 ** (8 * size) - 1)).to_bytes(size, "little")
    return _put(content, element.length_at, element.length_at + size, new)


def _change_value(random: Random, content: bytes) -> bytes:
    """Put a number or a text in, the length made right."""
    element = _element(random, content)
    old = content[element.value : element.end]
    if len(old) in (2, 4) and random.random() < 0.7:
        new = random.choice(_NUMBERS).to_bytes(2, "little") + old[2:]
    else:
        new = random.choice(_TEXTS)
    new += b" " * (len(new) % 2 and random.random() < 0.9)
    limit = 2 ** (8 * element.length_size) - 1
    length = (len(new) & limit).to_bytes(element.length_size, "little")
    return _put(content, element.length_at, element.end, length + new)


def _change_syntax(random: Random, content: bytes) -> bytes:
    uid = random.choice(_SYNTAXES).encode()
    uid += b"\0" * (len(uid) % 2)
    found = re.search(rb"\x02\x00\x10\x00UI..[0-9.]*\0?", content[:1000], re.DOTALL)
    if not found:
        return content
    new = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(uid)) + uid
    return _put(content, found.start(), found.end(), new)


def _delete_element(random: Random, content: bytes) -> bytes:
    element = _element(random, content)
    return _put(content, element.start, element.end, b"")


def _repeat_element(random: Random, content: bytes) -> bytes:
    element, place = _element(random, content), _element(random, content)
    return _put(content, place.start, place.start, content[element.start : element.end])


def _insert_element(random: Random, content: bytes) -> bytes:
    group, number = random.choice(_TAGS)
    vr, value = random.choice(_VRS), random.choice(_TEXTS)
    value += b"\0" * (len(value) % 2)
    length = struct.pack("<HI", 0, len(value)) if vr in _LONG else struct.pack("<H", len(value))
    start = _element(random, content).start
    return _put(content, start, start, struct.pack("<HH", group, number) + vr + length + value)


def _nest(random: Random, content: bytes) -> bytes:
    """Put sequences within sequences, hundreds deep, without an end."""
    start = _element(random, content).start
    group, number = random.choice(_TAGS)
    opening = struct.pack("<HH", group, number) + b"SQ\0\0\xff\xff\xff\xff"
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return _put(content, start, start, (opening + item) * random.choice((1, 3, 200, 2000)))


def _pixel_data(content: bytes) -> int:
    return max(content.rfind(b"\xe0\x7f\x10\x00"), content.rfind(b"\x7f\xe0\x00\x10"), 0)


def _change_pixel_bits(random: Random, content: bytes) -> bytes:
    start = _pixel_data(content)
    return _flip(random, content, start + 8, len(content), random.choice((1, 1, 2, 8, 64)))


def _change_codestream_head(random: Random, content: bytes) -> bytes:
    """Change what a compressed stream declares: the first bytes after its first marker."""
    starts = [
        content.find(mark, _pixel_data(content)) for mark in (b"\xff\xd8", b"\xff\x4f\xff\x51")
    ]
    start = max(starts)
    if start < 0:
        start = _pixel_data(content) + 12  # an RLE header, or the offset table
    return _flip(random, content, start, min(start + 100, len(content)), random.choice((1, 2, 4)))


def _change_items(random: Random, content: bytes) -> bytes:
    """Break the encapsulation: items and delimiters with wrong lengths, missing or too many."""
    start = _pixel_data(content)
    marks = [mark.start() for mark in re.finditer(rb"\xfe\xff[\x00\x0d\xdd]\xe0", content[start:])]
    if not marks:
        return content
    place = start + random.choice(marks)
    wrong = struct.pack("<I", random.choice(_LENGTHS))
    return random.choice(
        (
            _put(content, place + 4, place + 8, wrong),
            _put(content, place, place + 8, b""),
            _put(content, place, place, b"\xfe\xff\x00\xe0" + wrong),
            _put(content, place, place, b"\xfe\xff\x00\xe0\0\0\0\0"),
            _put(content, place, place, b"\xfe\xff\xdd\xe0\0\0\0\0"),
            _put(content, place + 2, place + 3, random.choice((b"\x00", b"\x0d", b"\xdd"))),
        )
    )


def _deflate(random: Random, content: bytes) -> bytes:
    """Make the dataset a deflated one, whole or not."""
    found = elements(content)
    first = next((e.start for e in found if content[e.start : e.start + 2] != b"\x02\x00"), 0)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content[first:] + bytes(random.choice((0, 0, 10**6)))) + packer.flush()
    uid = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99"
    return (
        bytes(128) + b"DICM" + uid + packed[: random.choice((len(packed), random.randrange(1, 99)))]
    )


def _flip(random: Random, content: bytes, start: int, end: int, times: int) -> bytes:
    changed = bytearray(content)
    for _ in range(times if start < end else 0):
        position = random.randrange(start, end)
        changed[position] = random.choice(
            (changed[position] ^ 1 << random.randrange(8), 0, 255, 127)
        )
    return bytes(changed)


def _flip_any(random: Random, content: bytes) -> bytes:
    return _flip(random, content, 0, len(content), random.choice((1, 2, 5, 30)))


def _flip_head(random: Random, content: bytes) -> bytes:
    return _flip(random, content, 0, min(len(content), 600), random.choice((1, 2, 5)))


def _cut(random: Random, content: bytes) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _append(random: Random, content: bytes) -> bytes:
    return content + random.randbytes(random.choice((1, 8, 300)))


def _move_block(random: Random, content: bytes) -> bytes:
    start = random.randrange(len(content) + 1)
    block = content[start : start + random.choice((1, 4, 64, 500))]
    place = random.randrange(len(content) + 1)
    return _put(content, place, place + random.choice((0, len(block))), block)


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    position = 8
    while position + 12 <= len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        kind = content[position + 4 : position + 8]
        found.append((kind, content[position + 8 : position + 8 + length]))
        position += 12 + length
    return found


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def _change_chunk(random: Random, content: bytes) -> bytes:
    """Change bytes within one chunk; its checksum is right."""
    chunks = _chunks(content)
    if not chunks:
        return content
    place = random.randrange(len(chunks))
    kind, body = chunks[place]
    chunks[place] = kind, _flip(random, body, 0, len(body), random.choice((1, 2, 5)))
    return _png(chunks)


def _change_raster(random: Random, content: bytes) -> bytes:
    """Change the inflated lines of a PNG, or their number, and deflate them again."""
    chunks = _chunks(content)
    packed = b"".join(body for kind, body in chunks if kind == b"IDAT")
    try:
        lines = zlib.decompress(packed)
    except zlib.error:
        return content
    lines = _flip(random, lines, 0, len(lines), 5)
    lines = random.choice((lines, lines[:10], lines + bytes(5000), b""))
    rest = [chunk for chunk in chunks if chunk[0] not in (b"IDAT", b"IEND")]
    return _png([*rest, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")])


def _shuffle_chunks(random: Random, content: bytes) -> bytes:
    chunks = _chunks(content)
    extra = (
        random.choice((b"PLTE", b"tRNS", b"gAMA", b"iCCP", b"acTL", b"zTXt")),
        random.randbytes(9),
    )
    chunks.insert(random.randrange(len(chunks) + 1), random.choice((extra, *chunks)))
    return _png(chunks)


def _segments(content: bytes) -> list[int]:
    return [mark.start() for mark in re.finditer(rb"\xff[\xc0-\xfe]", content)]


def _change_segment(random: Random, content: bytes) -> bytes:
    start = random.choice(_segments(content) or [0])
    return _flip(
        random, content, start + 1, min(start + 24, len(content)), random.choice((1, 2, 4))
    )


def _repeat_segment(random: Random, content: bytes) -> bytes:
    starts = [*_segments(content), len(content)]
    place = random.randrange(len(starts) - 1) if len(starts) > 1 else 0
    segment = content[starts[place] : starts[min(place + 1, len(starts) - 1)]]
    return _put(content, starts[place], starts[place], segment * random.choice((1, 2, 50)))


_ANY_CHANGES: tuple[Change, ...] = (_flip_any, _flip_head, _cut, _append, _move_block)
_DICOM_CHANGES: tuple[Change, ...] = (
    *(_change_tag, _change_vr, _change_length, _change_value, _change_value, _change_syntax),
    *(_delete_element, _repeat_element, _insert_element, _nest, _change_pixel_bits),
    *(_change_codestream_head, _change_items, _deflate),
)
_PNG_CHANGES: tuple[Change, ...] = (_change_chunk, _change_chunk, _change_raster, _shuffle_chunks)
_JPEG_CHANGES: tuple[Change, ...] = (_change_segment, _change_segment, _repeat_segment)
