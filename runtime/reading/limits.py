"""How large a file and its picture may be; checked before anything is decoded."""

from ..errors import ImageTooLarge, UnreadableImage

MAXIMUM_PIXELS = 100_000_000
"""Files that declare more pixels are refused unread; a large detector has about 20 million."""

MAXIMUM_BYTES = 8 * MAXIMUM_PIXELS
"""Longer files are refused: three 16-bit samples a pixel and a generous header fit into these."""


def check_size(rows: int, columns: int) -> None:
    """Refuse an image of no pixels or of too many, from what its header declares.

    Raises
    ------
    UnreadableImage
        `rows` or `columns` is not positive.
    ImageTooLarge
        There would be more than `MAXIMUM_PIXELS`.
    """
    size = f"the file declares {rows} rows x {columns} columns"
    if rows < 1 or columns < 1:
        raise UnreadableImage(f"{size}; both must be at least 1")
    if rows * columns > MAXIMUM_PIXELS:
        raise ImageTooLarge(
            f"{size}, {rows * columns} pixels; at most {MAXIMUM_PIXELS} are read. "
            "Give a smaller copy of the radiograph"
        )
