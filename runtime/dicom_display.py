"""Stored values become what a screen shows: PS3.3 C.11, in the order of PS3.14 and PS3.4 N.2.

Modality LUT or rescale, then VOI LUT or window, polarity last. All of it is worked out once for
each value that can be stored (65,536 at most) and then looked up for each pixel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .dicom_header import Header
from .dicom_lut import LookUpTable, read_lookup_table
from .dicom_pixels import Layout, StoredPixels

Values = NDArray[np.float64]


@dataclass(frozen=True)
class _Stage:
    """The values after one stage, for each code, and what is to be told of it."""

    values: Values
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Displayed:
    """What a screen shows.

    Attributes
    ----------
    pixels
        float64 ``[rows, columns]``, 0 (black) to 1 (white).
    steps
        What was done to stored values, one sentence each.
    warnings
        What was doubtful about it.
    """

    pixels: Values
    steps: tuple[str, ...]
    warnings: tuple[str, ...]


def display(header: Header, stored: StoredPixels) -> Displayed:
    """Take stored values through the grey-scale pipeline.

    Raises
    ------
    UnreadableImage
        An element of the pipeline cannot be read.
    """
    values = stored_values(stored.layout)
    padding = _padding(header, stored, values)
    present = np.zeros(values.shape, bool)
    present[stored.codes] = True
    # An image that is all padding is more likely one whose padding value lies.
    padding = padding if (present & ~padding).any() else np.zeros_like(padding)
    stages = _stages(header, stored, values, present & ~padding)
    table = np.where(padding, 0.0, stages[-1].values)
    hidden = ("pixels of PixelPaddingValue made black (PS3.3 C.7.5.1.1.2)",)
    return Displayed(
        pixels=table[stored.codes],
        steps=sum((stage.steps for stage in stages), ())
        + (hidden if (padding & present).any() else ()),
        warnings=sum((stage.warnings for stage in stages), ()),
    )


def stored_values(layout: Layout) -> Values:
    """Give the value that each code of `StoredPixels.codes` stands for (PS3.5 8.1.1)."""
    values = np.arange(2**layout.bits_stored, dtype=np.float64)
    if layout.signed:
        values[values.size // 2 :] -= values.size
    return values


def _stages(
    header: Header, stored: StoredPixels, values: Values, present: NDArray[np.bool_]
) -> list[_Stage]:
    if stored.from_colour:
        # Colour has neither window nor polarity (PS3.3 C.7.6.3.1.2).
        return [_Stage(values / (values.size - 1), ("divided by its full range",))]
    modality = _modality(header, values, stored.layout.signed)
    voi = _voi(header, modality.values, present)
    return [modality, voi, _polarity(header, stored.layout, voi.values)]


def _padding(header: Header, stored: StoredPixels, values: Values) -> NDArray[np.bool_]:
    """Mark the codes that PixelPaddingValue, to PixelPaddingRangeLimit, keeps for no anatomy."""
    first = header.integer("PixelPaddingValue")
    if first is None or stored.from_colour:
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


def _modality(header: Header, values: Values, signed: bool) -> _Stage:
    """Apply the Modality LUT or the rescale; never both (PS3.3 C.11.1)."""
    items = header.items("ModalityLUTSequence")
    table = read_lookup_table(items[0], signed) if items else None
    if table is not None:
        return _Stage(table.look_up(values), (f"{table.told('Modality LUT')} (PS3.3 C.11.1)",))
    broken = ("ModalityLUTSequence cannot be used and was left out",) if items else ()
    slope, intercept = header.numbers("RescaleSlope"), header.numbers("RescaleIntercept")
    factor, offset = (slope or (1.0,))[0], (intercept or (0.0,))[0]
    if factor == 0:
        return _Stage(values, warnings=(*broken, "RescaleSlope is 0 and was left out"))
    if (factor, offset) == (1.0, 0.0):
        return _Stage(values, warnings=broken)
    step = f"rescaled: {factor:g} x stored value + {offset:g} (PS3.3 C.11.1.1.2)"
    return _Stage(values * factor + offset, (step,), broken)


def _voi(header: Header, values: Values, present: NDArray[np.bool_]) -> _Stage:
    """Apply the VOI LUT, else the first window, else the full range (PS3.3 C.11.2)."""
    warnings: tuple[str, ...] = ()
    for stage in (_voi_lut(header, values), _window(header, values)):
        warnings += stage.warnings
        if stage.steps and _has_contrast(stage.values, values, present):
            return _Stage(stage.values, stage.steps, warnings)
        if stage.steps:
            warnings += (f"{stage.steps[0]} would leave no contrast and was left out",)
    full = _full_range(values, present)
    return _Stage(full.values, full.steps, warnings + full.warnings)


def _has_contrast(shown: Values, values: Values, present: NDArray[np.bool_]) -> bool:
    return bool(np.ptp(shown[present]) > 0 or np.ptp(values[present]) == 0)


def _voi_lut(header: Header, values: Values) -> _Stage:
    items = header.items("VOILUTSequence")
    if not items:
        return _Stage(values)
    table = read_lookup_table(items[0], signed=bool(values.min() < 0))
    if table is None:
        return _Stage(values, warnings=("VOILUTSequence cannot be used and was left out",))
    more = f", the first of {len(items)}" if len(items) > 1 else ""
    step = f"{table.told('VOI LUT')}{more} (PS3.3 C.11.2.1.1)"
    return _Stage(_scaled(table, values), (step,))


def _scaled(table: LookUpTable, values: Values) -> Values:
    return table.look_up(values) / table.white


def _window(header: Header, values: Values) -> _Stage:
    """Apply the first window (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    centers, widths = header.numbers("WindowCenter"), header.numbers("WindowWidth")
    if not centers or len(centers) != len(widths):
        unequal = f"WindowCenter has {len(centers)} values, WindowWidth {len(widths)}"
        told = (f"{unequal}; the window was left out",) if len(centers) != len(widths) else ()
        return _Stage(values, warnings=told)
    center, width = centers[0], widths[0]
    function = header.text("VOILUTFunction") or "LINEAR"
    warnings: tuple[str, ...] = ()
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        function, warnings = "LINEAR", ("VOILUTFunction is not known; LINEAR was used",)
    if width <= 0 or (function == "LINEAR" and width < 1):
        bad = f"WindowWidth is {width:g}, which {function} does not allow; the window was left out"
        return _Stage(values, warnings=(*warnings, bad))
    more = f", the first of {len(centers)}" if len(centers) > 1 else ""
    step = f"window {center:g} / {width:g} {function}{more} (PS3.3 C.11.2.1.2)"
    return _Stage(window_values(values, center, width, function), (step,), warnings)


def window_values(values: Values, center: float, width: float, function: str) -> Values:
    """Apply one window to values, giving 0 to 1.

    Parameters
    ----------
    values
        After the modality stage, any shape.
    center, width
        WindowCenter and WindowWidth; `width` at least 1 for ``LINEAR``, above 0 else.
    function
        ``LINEAR`` (PS3.3 C.11.2.1.2.1), ``LINEAR_EXACT`` (C.11.2.1.3.2) or ``SIGMOID``
        (C.11.2.1.3.1).
    """
    if function == "SIGMOID":
        exponent = np.clip(-4 * (values - center) / width, -700, 700)
        return 1 / (1 + np.exp(exponent))
    if function == "LINEAR_EXACT":
        return np.clip((values - center) / width + 0.5, 0, 1)
    if width == 1:
        return (values > center - 0.5).astype(np.float64)
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)


def _full_range(values: Values, present: NDArray[np.bool_]) -> _Stage:
    lowest, highest = float(values[present].min()), float(values[present].max())
    step = f"no window: full range of the values present, {lowest:g} to {highest:g}"
    span = highest - lowest
    if span == 0:
        return _Stage(np.zeros_like(values), (step,), ("every pixel has the same value",))
    return _Stage(np.clip((values - lowest) / span, 0, 1), (step,))


def _polarity(header: Header, layout: Layout, shown: Values) -> _Stage:
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
    return _Stage(1 - shown if inverted else shown, steps, told if conflict else ())
