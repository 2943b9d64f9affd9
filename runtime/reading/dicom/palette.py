"""Palette colour, where the palette's colours are greys: PS3.3 C.7.6.3.1.5 and C.7.9.

Scanners and screen captures store greys so. Neither windows nor polarity apply to colours.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ...errors import UnreadableImage
from .header import Header
from .lut import table_entries, words

_COLOURS = ("Red", "Green", "Blue")
_WHITE = {8: 2**8 - 1, 16: 2**16 - 1}
_SEGMENTED_BITS = 16
_DISCRETE, _LINEAR, _INDIRECT = range(3)


def read_palette(header: Header, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read the three tables of a palette.

    Parameters
    ----------
    header
        The image's header.
    values
        float64 ``[n]``, the values to look up.

    Returns
    -------
    NDArray[np.float64]
        ``[n, 3]``: red, green and blue of each value, 0 to 1. Values before the tables begin
        take their first entries, values beyond their ends the last.

    Raises
    ------
    UnreadableImage
        A table is missing or damaged.
    """
    return np.stack([_channel(header, colour, values) for colour in _COLOURS], axis=1)


def _channel(header: Header, colour: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    name = f"{colour}PaletteColorLookupTable"
    descriptor = header.numbers(f"{name}Descriptor")
    if len(descriptor) != len(_COLOURS) or int(descriptor[2]) not in _WHITE:
        raise _damaged(f"{name}Descriptor")
    count, first, bits = int(descriptor[0]) or 2**16, int(descriptor[1]), int(descriptor[2])
    entries = table_entries(header, f"{name}Data", count)
    if not entries.size and bits == _SEGMENTED_BITS:
        entries = _expanded(header, f"Segmented{name}Data", count)
    if not entries.size:
        raise _damaged(f"{name}Data")
    places = np.clip(values - first, 0, entries.size - 1).astype(np.intp)
    # Entries of 8 bits may lie in the upper bytes of words; the top of what occurs then tells.
    white = _WHITE[16] if entries.max() > _WHITE[8] else _WHITE[bits]
    return entries[places] / white


def _expanded(header: Header, keyword: str, count: int) -> NDArray[np.float64]:
    """Expand segments (PS3.3 C.7.9.2), never beyond the entries that the descriptor declares."""
    data = words(header, header.raw(keyword) or b"").astype(np.int64)
    entries: list[int] = []
    # Each segment adds an entry; more of them than entries add nothing.
    for segment in islice(_segments(data, keyword), count):
        if len(entries) == count:
            break
        entries.extend(_segment_entries(segment, entries)[: count - len(entries)])
    if not entries:
        raise _damaged(keyword)
    return np.array(entries, np.float64)


def _segments(data: NDArray[np.int64], keyword: str) -> Iterator[NDArray[np.int64]]:
    """Cut the data into segments, those that point back at others replaced by these."""
    at = 0
    while at + 1 < data.size:
        kind, length = int(data[at]), int(data[at + 1])
        if kind == _INDIRECT:
            if at + 3 >= data.size:
                raise _damaged(keyword)
            start = int(data[at + 2] + (data[at + 3] << 16)) // 2
            yield from _copied(data[:at], start, length, keyword)
            at += 4
            continue
        end = at + 2 + (length if kind == _DISCRETE else 1)
        if kind not in (_DISCRETE, _LINEAR) or end > data.size:
            raise _damaged(keyword)
        yield data[at:end]
        at = end


def _copied(
    data: NDArray[np.int64], start: int, count: int, keyword: str
) -> Iterator[NDArray[np.int64]]:
    """Give `count` segments from `start` on, none of which may point back in turn."""
    for _ in range(count):
        if start + 1 >= data.size or data[start] == _INDIRECT:
            raise _damaged(keyword)
        end = start + 2 + (int(data[start + 1]) if data[start] == _DISCRETE else 1)
        yield data[start:end]
        start = end


def _segment_entries(segment: NDArray[np.int64], before: list[int]) -> list[int]:
    length = int(segment[1])
    if segment[0] == _DISCRETE:
        return segment[2:].tolist()
    # A line from the entry before, which is not repeated, to the segment's end.
    start = before[-1] if before else 0
    line = np.linspace(start, int(segment[2]), length + 1)[1:]
    return np.rint(line).astype(np.int64).tolist()


def _damaged(keyword: str) -> UnreadableImage:
    return UnreadableImage(
        f"{keyword} is missing or damaged; without it palette colours cannot be told. "
        "Export the image in grey"
    )
