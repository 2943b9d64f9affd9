"""What goes in: a `Radiograph`, as it was read from a file or made from an array."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.uint32]
"""What each pixel holds: an index into a table of shades."""

MODALITIES = ("CR", "DX", "other")
PROJECTIONS = ("bedside", "AP", "PA", "unknown")


@dataclass(frozen=True)
class Radiograph:
    """One radiograph as a reader would see it on a screen: a code a pixel, and a shade a code.

    The shade of a code is worked out once, not once a pixel, and a pixel's only where it is needed.

    Attributes
    ----------
    codes
        uint8 or uint16 (uint32 where 65,536 do not suffice) ``[rows, columns]``: indices into
        `shades`.
    shades
        float64 ``[number of codes]``, 0.0 (black) to 1.0 (white). Bone is bright: the polarity of
        MONOCHROME1 files has been turned. Double precision keeps the preparation equal to the
        original's to the last bit.
    format
        ``DICOM``, ``PNG`` or ``JPEG``.
    sop_instance_uid
        The DICOM SOP Instance UID (PS3.3 C.12.1), or None for other files.
    steps
        What was done from stored values to shades, one sentence each, in order.
    warnings
        What was doubtful about the file, one sentence each; they make a score unreliable.
    modality
        One of `MODALITIES`, as the header of a DICOM file says; None for other files.
    projection
        One of `PROJECTIONS`, as the header of a DICOM file says; None for other files.
    """

    codes: Codes
    shades: NDArray[np.float64]
    format: str
    sop_instance_uid: str | None = None
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    modality: str | None = None
    projection: str | None = None

    @property
    def rows(self) -> int:
        """Height in pixels."""
        return self.codes.shape[0]

    @property
    def columns(self) -> int:
        """Width in pixels."""
        return self.codes.shape[1]

    @cached_property
    def pixels(self) -> NDArray[np.float64]:
        """The shade of every pixel, float64 ``[rows, columns]``: eight bytes each, kept."""
        return self.shades[self.codes]

    def sample(self, step: int) -> NDArray[np.float64]:
        """The shades of every `step`-th pixel of every `step`-th row, float64."""
        return self.shades[self.codes[::step, ::step]]

    def on_screen(self) -> NDArray[np.uint8]:
        """Every pixel as a screen of 256 grey levels shows it, uint8 ``[rows, columns]``."""
        levels = np.round(self.shades * 255).astype(np.uint8)
        return levels[self.codes]
