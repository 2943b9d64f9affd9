"""Memory of images that have gone is given back at once."""

import ctypes

_M_MMAP_THRESHOLD = -3  # mallopt(3)
_LARGE = 128 * 2**10


def give_back_large_blocks() -> None:
    """Have the C library return blocks of 128 KiB and more to the system when they are freed.

    glibc raises that limit by itself to the largest block ever freed, up to 32 MiB, and keeps what
    is smaller for each thread: after ten images at a time a node had twice the memory, for good.
    Other C libraries have no such limit.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
    except (AttributeError, OSError):
        return
