"""Look-up tables in DICOM files: Modality LUT (PS3.3 C.11.1.1) and VOI LUT (C.11.2.1.1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .header import Header


@dataclass(frozen=True)
class LookUpTable:
    """One table.

    Attributes
    ----------
    entries
        float64 ``[number of entries]``.
    first
        The input value that the first entry stands for; lower inputs take it as well.
    white
        The highest value an entry can have.
    """

    entries: NDArray[np.float64]
    first: int
    white: float

    def look_up(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map values of any shape; those beyond either end take the end's entry."""
        positions = np.clip(np.rint(values) - self.first, 0, self.entries.size - 1)
        return self.entries[positions.astype(np.intp)]

    def told(self, name: str) -> str:
        """Describe the table in words."""
        return f"{name} of {self.entries.size} entries from {self.first}"


def read_lookup_table(item: Header, signed: bool) -> LookUpTable | None:
    """Read a table from an item of its sequence.

    Parameters
    ----------
    item
        An item of ModalityLUTSequence or VOILUTSequence.
    signed
        Whether the table's inputs are signed, which LUTDescriptor's second value follows.

    Returns
    -------
    LookUpTable or None
        None when descriptor or data are missing or empty. A table shorter than its descriptor
        says is used as far as it goes.

    Raises
    ------
    UnreadableImage
        The elements cannot be parsed.
    """
    descriptor = item.numbers("LUTDescriptor")
    if len(descriptor) != 3:
        return None
    # 0 entries means 65536, which does not fit the element's 16 bits.
    count, first, bits = int(descriptor[0]) or 2**16, int(descriptor[1]), int(descriptor[2])
    entries = table_entries(item, "LUTData", count)
    if not entries.size:
        return None
    # The element is often written as unsigned where it should be signed.
    first = first - 2**16 if signed and first >= 2**15 else first
    return LookUpTable(entries, first, _white(bits, float(entries.max())))


def table_entries(item: Header, keyword: str, count: int) -> NDArray[np.float64]:
    """Read a table's entries, of 8 or of 16 bits, which the length of the data tells.

    Parameters
    ----------
    item
        The item or header that holds them.
    keyword
        The element; of numbers (US), or of bytes (OW).
    count
        How many entries the descriptor declares.

    Returns
    -------
    NDArray[np.float64]
        ``[count]``, or as many as there are.
    """
    data = item.raw(keyword)
    if data is None:
        return np.array(item.numbers(keyword), np.float64)[:count]
    if len(data) in (count, count + 1):
        return np.frombuffer(data, np.uint8).astype(np.float64)[:count]
    return words(item, data).astype(np.float64)[:count]


def words(item: Header, data: bytes) -> NDArray[np.uint16]:
    """Take bytes for numbers of 16 bits in the byte order of the file they come from."""
    order = "<" if item.dataset.original_encoding[1] in (True, None) else ">"
    return np.frombuffer(data[: len(data) // 2 * 2], f"{order}u2").astype(np.uint16)


def _white(bits: int, highest: float) -> float:
    """Give the top of the output range; entries beyond the declared bits prove those wrong."""
    declared = float(2**bits - 1) if 1 <= bits <= 16 else 0.0
    return declared if declared >= max(highest, 1.0) else float(2 ** int(highest).bit_length() - 1)
