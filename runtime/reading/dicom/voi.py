"""Values of interest become shades: VOI LUT, window, or the full range (PS3.3 C.11.2)."""

import numpy as np

from ...errors import UnsupportedImage
from ..options import ReadingOptions
from .header import Header
from .lut import read_lookup_table
from .stage import Present, Stage, Values

_NAME = "after the window"
_FULL = "full range"
_CLAUSES = {
    "LINEAR": "C.11.2.1.2.1",
    "LINEAR_EXACT": "C.11.2.1.3.2",
    "SIGMOID": "C.11.2.1.3.1",
}


def values_of_interest(
    header: Header, values: Values, present: Present, options: ReadingOptions
) -> Stage:
    """Apply the VOI LUT, else a window, else the full range.

    PS3.3 C.11.2 has a file offer several tables and windows as alternatives; the first is what
    viewers show, a table before a window.

    Parameters
    ----------
    header
        The image's header.
    values
        After the modality stage, one for each code.
    present
        Which codes occur. One that leaves no contrast among these was not meant for this image.
    options
        Whether a window is chosen.

    Raises
    ------
    UnreadableImage
        An element cannot be read.
    UnsupportedImage
        The window chosen is not in the file.
    """
    warnings: tuple[str, ...] = ()
    offered = [_voi_lut(header, values)] if options.window is None else []
    for stage in (*offered, _window(header, values, options)):
        warnings += stage.warnings
        if stage.steps and _has_contrast(stage.values, values, present):
            return Stage(stage.values, stage.steps, warnings, stage.name)
        if stage.steps:
            warnings += (f"{stage.steps[0]} would leave no contrast and was left out",)
    full = _full_range(values, present)
    return Stage(full.values, full.steps, warnings + full.warnings, full.name)


def _has_contrast(shown: Values, values: Values, present: Present) -> bool:
    return bool(np.ptp(shown[present]) > 0 or np.ptp(values[present]) == 0)


def _voi_lut(header: Header, values: Values) -> Stage:
    items = header.items("VOILUTSequence")
    if not items:
        return Stage(values)
    table = read_lookup_table(items[0], signed=bool(values.min() < 0))
    if table is None:
        return Stage(values, warnings=("VOILUTSequence cannot be used and was left out",))
    more = f", the first of {len(items)}" if len(items) > 1 else ""
    step = f"{table.told('VOI LUT')}{more} (PS3.3 C.11.2.1.1)"
    return Stage(table.look_up(values) / table.white, (step,), name="after the VOI LUT")


def _window(header: Header, values: Values, options: ReadingOptions) -> Stage:
    """Apply one of the windows (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    windows = _windows(header)
    number = 1 if options.window is None else options.window
    if options.window is not None and not 1 <= number <= len(windows):
        allowed = f"1 to {len(windows)} are allowed" if windows else "leave the choice out"
        raise UnsupportedImage(
            f"WindowCenter and WindowWidth give {len(windows)} windows, and none of number "
            f"{number}; {allowed}"
        )
    if not windows:
        return Stage(values, warnings=_unequal(header))
    more = f", number {number} of {len(windows)}" if len(windows) > 1 else ""
    stage = _windowed(header, values, windows[number - 1], more)
    return Stage(stage.values, stage.steps, _unequal(header) + stage.warnings, stage.name)


def _windows(header: Header) -> list[tuple[float, float]]:
    """Give centre and width of each; of unequal numbers of them, those that have both."""
    return list(zip(header.numbers("WindowCenter"), header.numbers("WindowWidth"), strict=False))


def _unequal(header: Header) -> tuple[str, ...]:
    centers, widths = (len(header.numbers(name)) for name in ("WindowCenter", "WindowWidth"))
    if centers == widths:
        return ()
    used = "those that have both were used" if min(centers, widths) else "the window was left out"
    return (f"WindowCenter has {centers} values, WindowWidth {widths}; {used}",)


def _windowed(header: Header, values: Values, window: tuple[float, float], more: str) -> Stage:
    center, width = window
    function = header.text("VOILUTFunction") or "LINEAR"
    warnings: tuple[str, ...] = ()
    if function not in _CLAUSES:
        function, warnings = "LINEAR", ("VOILUTFunction is not known; LINEAR was used",)
    if width <= 0 or (function == "LINEAR" and width < 1):
        bad = f"WindowWidth is {width:g}, which {function} does not allow; the window was left out"
        return Stage(values, warnings=(*warnings, bad))
    step = f"window {center:g} / {width:g} {function}{more} (PS3.3 {_CLAUSES[function]})"
    return Stage(window_values(values, center, width, function), (step,), warnings, _NAME)


def window_values(values: Values, center: float, width: float, function: str) -> Values:
    """Apply one window to values, giving 0 to 1.

    `pydicom.pixels.apply_windowing` is not used: it scales to the range of BitsStored and takes its
    window from a dataset, so it would have to be told a dataset of one bit; and of values within
    rounding of a window's edge it gives others, in 2 of 1,000 windows tried.

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


def _full_range(values: Values, present: Present) -> Stage:
    lowest, highest = float(values[present].min()), float(values[present].max())
    step = f"no window: full range of the values present, {lowest:g} to {highest:g}"
    span = highest - lowest
    if span == 0:
        return Stage(np.zeros_like(values), (step,), ("every pixel has the same value",), _FULL)
    return Stage(np.clip((values - lowest) / span, 0, 1), (step,), name=_FULL)
