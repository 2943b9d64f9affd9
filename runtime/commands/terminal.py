"""What commands say: results on standard output, everything else on standard error.

Nothing else in a command writes to either, so that no name reaches a terminal unescaped.
"""

import sys
from collections.abc import Iterable
from contextlib import suppress

import click

from ..plain_text import encodable, json_text, printable, printable_lines


def tell(message: str) -> None:
    """Say on standard error what is going on, in one line.

    Nobody may be listening any more; the work goes on.
    """
    _say(printable(message))


def tell_lines(text: str) -> None:
    """Say on standard error what has several lines of its own, as an error with its details."""
    _say(printable_lines(text))


def show(lines: Iterable[str]) -> None:
    """Write lines of a result to standard output."""
    text = "\n".join(map(printable, lines))
    click.echo(encodable(text, sys.stdout))


def show_json(content: object) -> None:
    """Write a result to standard output as JSON; see `json_text`.

    Raises
    ------
    ValueError
        A number is not finite; JSON has no word for it.
    """
    click.echo(json_text(content))


def clear_line() -> None:
    """Take away what stands on the line of a terminal that standard error is at."""
    with suppress(OSError):
        click.echo("\r\x1b[K", nl=False, err=True)


def _say(text: str) -> None:
    with suppress(OSError):
        click.echo(encodable(text, sys.stderr), err=True)
