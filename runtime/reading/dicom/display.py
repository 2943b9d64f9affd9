"""Stored values become what a screen shows: PS3.3 C.11, in the order of PS3.14 and PS3.4 N.2.

Modality LUT or rescale, then VOI LUT or window, polarity last. All of it is worked out once for
each value that can be stored (65,536 at most) and then looked up for each pixel.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..colour import COLOURED_SPREAD, refuse_coloured
from ..options import AS_STORED, ReadingOptions
from .header import Header
from .lut import read_lookup_table
from .palette import read_palette
from .pixels import PALETTE, Layout, StoredCodes, StoredPixels
from .stage import Stage, Values
from .voi import values_of_interest

_MODALITY = "after the modality stage"
_LUMINANCE = np.array((0.299, 0.587, 0.114))
"""The weights by which OpenCV, too, makes grey of red, green and blue (ITU-R BT.601)."""


@dataclass(frozen=True)
class Displayed:
    """What a screen shows.

    Attributes
    ----------
    stages
        The values of each code: as stored, then after each stage; those after the last one are
        the shades, 0 (black) to 1 (white).
    """

    stages: tuple[Stage, ...]

    @property
    def shades(self) -> Values:
        """float64 ``[2**bits_stored]``, 0 (black) to 1 (white), one for each code."""
        return self.stages[-1].values

    @property
    def steps(self) -> tuple[str, ...]:
        """What was done to stored values, one sentence each."""
        return sum((stage.steps for stage in self.stages), ())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was doubtful about it."""
        return sum((stage.warnings for stage in self.stages), ())


def display(header: Header, stored: StoredPixels, options: ReadingOptions = AS_STORED) -> Displayed:
    """Take stored values through the grey-scale pipeline.

    Raises
    ------
    UnreadableImage
        An element of the pipeline cannot be read.
    UnsupportedImage
        The file has not the window that `options` name, or a palette in colour.
    """
    values = stored_values(stored.layout)
    stages = [Stage(values, name="stored values")]
    if stored.from_colour or stored.layout.photometric == PALETTE:
        # Colour has neither window nor polarity (PS3.3 C.7.6.3.1.2).
        colour = _palette(header, stored, values) if not stored.from_colour else _grey(values)
        return Displayed((*stages, colour))
    padding = _padding(header, stored, values)
    present = _present(stored.codes, values.size)
    # An image that is all padding is more likely one whose padding value lies.
    padding = padding if (present & ~padding).any() else np.zeros_like(padding)
    shown = present & ~padding
    modality = _modality(header, values, stored.layout.signed)
    voi = values_of_interest(header, modality.values, shown, options)
    polarity = _polarity(header, stored.layout, voi.values)
    return Displayed((*stages, modality, voi, polarity, *_hidden(polarity, padding, present)))


def _grey(values: Values) -> Stage:
    return Stage(values / (values.size - 1), ("divided by its full range",), name="as grey")


def _palette(header: Header, stored: StoredPixels, values: Values) -> Stage:
    palette = read_palette(header, values)
    coloured = (palette.max(axis=1) - palette.min(axis=1)) * 255 > COLOURED_SPREAD
    refuse_coloured("the DICOM image", np.count_nonzero(coloured[stored.codes]) / stored.codes.size)
    step = "palette looked up, grey in truth (PS3.3 C.7.6.3.1.5)"
    return Stage(palette @ _LUMINANCE, (step,), name="after the palette")


def _hidden(shown: Stage, padding: NDArray[np.bool_], present: NDArray[np.bool_]) -> list[Stage]:
    if not (padding & present).any():
        return []
    step = "pixels of PixelPaddingValue made black (PS3.3 C.7.5.1.1.2)"
    return [Stage(np.where(padding, 0.0, shown.values), (step,), name="without padding")]


def _present(codes: StoredCodes, count: int) -> NDArray[np.bool_]:
    """Tell which codes occur: a histogram by OpenCV, five times as fast as marking them."""
    histogram = cv2.calcHist([codes], [0], None, [count], [0, count])
    return np.asarray(histogram).ravel() > 0


def stored_values(layout: Layout) -> Values:
    """Give the value that each code of `StoredPixels.codes` stands for (PS3.5 8.1.1)."""
    values = np.arange(2**layout.bits_stored, dtype=np.float64)
    if layout.signed:
        values[values.size // 2 :] -= values.size
    return values


def _padding(header: Header, stored: StoredPixels, values: Values) -> NDArray[np.bool_]:
    """Mark the codes that PixelPaddingValue, to PixelPaddingRangeLimit, keeps for no anatomy."""
    first = header.integer("PixelPaddingValue")
    if first is None:
        return np.zeros(values.shape, bool)
    last = header.integer("PixelPaddingRangeLimit")
    ends = [_as_stored(end, stored.layout) for end in (first, first if last is None else last)]
    return (values >= min(ends)) & (values <= max(ends))


def _as_stored(value: int, layout: Layout) -> int:
    # The element may be written as unsigned where the pixels are signed, and the reverse.
    if layout.signed and value >= 2 ** (layout.bits_allocated - 1):
        return value - 2**layout.bits_allocated
    if not layout.signed and value < 0:
        return value + 2**layout.bits_allocated
    return value


def _modality(header: Header, values: Values, signed: bool) -> Stage:
    """Apply the Modality LUT or the rescale; never both (PS3.3 C.11.1)."""
    items = header.items("ModalityLUTSequence")
    table = read_lookup_table(items[0], signed) if items else None
    if table is not None:
        step = f"{table.told('Modality LUT')} (PS3.3 C.11.1)"
        return Stage(table.look_up(values), (step,), name=_MODALITY)
    broken = ("ModalityLUTSequence cannot be used and was left out",) if items else ()
    slope, intercept = header.numbers("RescaleSlope"), header.numbers("RescaleIntercept")
    factor, offset = (slope or (1.0,))[0], (intercept or (0.0,))[0]
    if factor == 0:
        broken = (*broken, "RescaleSlope is 0 and was left out")
        return Stage(values, warnings=broken, name=_MODALITY)
    if (factor, offset) == (1.0, 0.0):
        return Stage(values, warnings=broken, name=_MODALITY)
    step = f"rescaled: {factor:g} x stored value + {offset:g} (PS3.3 C.11.1.1.2)"
    return Stage(values * factor + offset, (step,), broken, _MODALITY)


def _polarity(header: Header, layout: Layout, shown: Values) -> Stage:
    """Turn MONOCHROME1, once and last, over the range of the window (PS3.3 C.7.6.3.1.2).

    PresentationLUTShape INVERSE says the same again (C.11.6), and is not applied on top.
    """
    inverted = layout.photometric == "MONOCHROME1"
    shape = header.text("PresentationLUTShape")
    conflict = shape in ("IDENTITY", "INVERSE") and (shape == "INVERSE") != inverted
    told = (
        f"PresentationLUTShape is {shape} but PhotometricInterpretation {layout.photometric}; "
        "the latter was followed: check that bone is bright",
    )
    steps = ("inverted: MONOCHROME1 (PS3.3 C.7.6.3.1.2)",) if inverted else ()
    values = 1 - shown if inverted else shown
    return Stage(values, steps, told if conflict else (), "after polarity")
