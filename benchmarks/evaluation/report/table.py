"""The parts of a report that every form of it shares: sections of sentences and tables."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..results import Figure


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column names its row.

    Attributes
    ----------
    caption
        One sentence: what the table shows.
    header
        ``[columns]``
    rows
        ``[rows][columns]``
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes
    ----------
    key
        Names the section where drawings are added to it.
    title
        Its heading.
    sentences
        What to know before reading the tables.
    tables
        Those without rows are left out when it is made.
    """

    key: str
    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


def section(key: str, title: str, sentences: Iterable[str], *tables: Table) -> Section:
    """Make a section of those tables that have rows."""
    return Section(key, title, tuple(sentences), tuple(table for table in tables if table.rows))


def told(figure: Figure | None, digits: int = 2, sign: bool = False) -> str:
    """A figure with its interval: ``0.58 (0.54 to 0.62)``; a dash where it is not defined."""
    if figure is None or figure.value is None:
        return "-"
    form = f"{'+' if sign else ''}.{digits}f"
    if figure.low is None or figure.high is None:
        return format(figure.value, form)
    return f"{figure.value:{form}} ({figure.low:{form}} to {figure.high:{form}})"


def share(figure: Figure | None) -> str:
    """A share with its interval, in percent."""
    if figure is None or figure.value is None:
        return "-"
    percent = f"{figure.value:.1%}"
    if figure.low is None or figure.high is None:
        return percent
    return f"{percent} ({figure.low:.1%} to {figure.high:.1%})"
