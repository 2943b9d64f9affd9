"""Options that the parts of `brixia-edge benchmark` share, and how they show their results."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from ..runtime.bundles.bundle import Bundle

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def format_option(*forms: str) -> Callable[[Any], Any]:
    """``--format`` with these choices; the first is the default."""
    choice = click.Choice(forms)
    return click.option("--format", "form", type=choice, default=forms[0], show_default=True)


def bundles_option(help_text: str) -> Callable[[Any], Any]:
    """``--bundle``, given as often as there are bundles; handed over as `roots`."""
    return click.option("--bundle", "roots", type=FOLDER, multiple=True, help=help_text)


def open_bundles(roots: Iterable[Path]) -> list[Bundle]:
    """The named bundles, or the shipped one where none is named."""
    return [Bundle.open(root) for root in roots] or [Bundle.open()]


def tell(message: str) -> None:
    """Say on standard error what is going on."""
    click.echo(message, err=True)


def echo_json(content: object) -> None:
    """Write JSON to standard output."""
    click.echo(json.dumps(content, indent=2, allow_nan=False))


def show_progress(items: Iterable[Any]) -> Iterator[Any]:
    """Pass items on, with a progress bar on standard error if it is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(list(items), file=sys.stderr) as bar:
        yield from bar
