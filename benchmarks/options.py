"""What the parts of `brixia-edge benchmark` share: opening bundles, and showing results."""

import json
from collections.abc import Iterable
from pathlib import Path

import click

from ..runtime.bundles.bundle import Bundle


def open_bundles(roots: Iterable[Path]) -> list[Bundle]:
    """The named bundles, or the shipped one where none is named."""
    return [Bundle.open(root) for root in roots] or [Bundle.open()]


def tell(message: str) -> None:
    """Say on standard error what is going on."""
    click.echo(message, err=True)


def echo_json(content: object) -> None:
    """Write JSON to standard output."""
    click.echo(json.dumps(content, indent=2, allow_nan=False))
