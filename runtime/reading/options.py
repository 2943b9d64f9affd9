"""What may be chosen about how a file is read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadingOptions:
    """What may be chosen about how a file is read.

    Attributes
    ----------
    window
        Which of a DICOM file's windows (PS3.3 C.11.2.1.2) to show it in, from 1. None takes the
        VOI LUT if there is one, else the first window, else the full range.
    """

    window: int | None = None


AS_STORED = ReadingOptions()
"""Everything as the file says first."""
