"""Matplotlib's figures as SVG that takes its colours from the page, light or dark."""

import io
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .....runtime.libraries import import_library
from .....runtime.plain_text import printable_lines

# Matplotlib leaves the types of its keyword arguments open; where it is used it is typed as Any.
Axes = Any
_matplotlib = import_library("matplotlib")
_figures = import_library("matplotlib.figure")
_texts = import_library("matplotlib.text")

_INK = "#010203"
_LINE = "#040506"
_SERIES = ("#0a0101", "#0a0202", "#0a0303", "#0a0404", "#0a0505", "#0a0606")
"""Stand-ins that `drawing` replaces by the page's colours; no drawing uses them otherwise."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""One for each series: colour alone would be lost in print and to some readers."""

_PAGE_COLOURS = {
    _INK: "var(--ink)",
    _LINE: "var(--line)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(_SERIES, 1)},
}
_INCH = 25.4
_LARGEST_SMALL = 115  # millimetres; two of these stand beside each other in print


@dataclass(frozen=True)
class Drawing:
    """A picture in a page.

    Attributes
    ----------
    title
        What it shows, for readers and screen readers.
    svg
        An ``<svg>`` element.
    large
        Whether it wants the whole width of the page.
    folded
        Whether it shows in detail what another one shows at a glance, and waits to be opened.
    """

    title: str
    svg: str
    large: bool
    folded: bool = False


def series_colour(number: int) -> str:
    """The colour of a series, counted from 0; they repeat after six."""
    return _SERIES[number % len(_SERIES)]


def series_marker(number: int) -> str:
    """The marker of a series, counted from 0; they repeat after six."""
    return MARKERS[number % len(MARKERS)]


@contextmanager
def figure(width: float, height: float) -> Generator[Any]:
    """Give an empty figure in the page's style.

    Parameters
    ----------
    width, height
        Millimetres in print; on a screen it takes the width that there is.
    """
    style = {
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": _LINE,
        "legend.frameon": False,
        "text.parse_math": False,  # a name may hold dollars
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
        **dict.fromkeys(("axes.edgecolor", "patch.edgecolor"), _INK),
    }
    with _matplotlib.rc_context(style):
        yield _figures.Figure(figsize=(width / _INCH, height / _INCH), layout="constrained")


def finish(drawn: Any, title: str) -> Drawing:
    """Turn a figure into a drawing; call it inside `figure`'s block."""
    for text in drawn.findobj(_texts.Text):
        text.set_text(printable_lines(text.get_text()))
    content = io.StringIO()
    drawn.savefig(
        content,
        format="svg",
        transparent=True,
        metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
    )
    large = drawn.get_figwidth() * _INCH > _LARGEST_SMALL
    return Drawing(title, _embedded(content.getvalue()), large)


def diagonal(axes: Axes, lowest: float, highest: float) -> None:
    """Draw the line where both axes are equal."""
    axes.plot((lowest, highest), (lowest, highest), color=_INK, linewidth=0.8, linestyle="--")


def level(axes: Axes, value: float, style: str = "-") -> None:
    """Draw a horizontal line."""
    axes.axhline(value, color=_INK, linewidth=0.8, linestyle=style)


def _embedded(document: str) -> str:
    """Cut the element out of an SVG file, and hand its colours and its size to the page."""
    element = document[document.index("<svg") :]
    for stand_in, colour in _PAGE_COLOURS.items():
        element = element.replace(stand_in, colour)
    start, rest = element.split(">", 1)
    start = re.sub(r'\s(width|height)="[^"]*"', "", start)
    start = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", start)
    return f'{start} aria-hidden="true">{rest}'.replace("xlink:href", "href")
