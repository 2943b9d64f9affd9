"""Tables of text: aligned for a terminal, or as Markdown for a page."""

from collections.abc import Callable, Sequence

from ..runtime.plain_text import markdown_text, printable

Rows = Sequence[Sequence[str]]

MakeTable = Callable[[Sequence[str], Rows], list[str]]
"""Makes a table's lines of a header and rows."""


def text_table(header: Sequence[str], rows: Rows) -> list[str]:
    """Aligned columns, the first to the left and the others to the right."""
    lines = [[printable(cell) for cell in line] for line in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def markdown_table(header: Sequence[str], rows: Rows) -> list[str]:
    """A table of GitHub's Markdown, the first column to the left and the others to the right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    lines = [header, rule, *rows]
    return [f"| {' | '.join(markdown_text(cell) for cell in line)} |" for line in lines]
