"""`brixia-edge inspect`."""

import json
from pathlib import Path

import click

from .bundle import Bundle
from .engine_inspection import engine_entries, engine_lines, is_engine
from .inspection import inspect_entries, inspect_lines


@click.command()
@click.argument(
    "bundle", type=click.Path(path_type=Path), required=False, metavar="[BUNDLE|ENGINE]"
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def inspect(bundle: Path | None, form: str) -> None:
    """Verify a BUNDLE or an ENGINE file and show what it is; without one, the shipped bundle."""
    if bundle is not None and is_engine(bundle):
        _show_engine(bundle, form)
        return
    opened = Bundle.open(bundle)
    if form == "json":
        click.echo(json.dumps(inspect_entries(opened), indent=2))
    else:
        click.echo("\n".join(inspect_lines(opened)))


def _show_engine(engine: Path, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(engine_entries(engine), indent=2))
    else:
        click.echo("\n".join(engine_lines(engine)))
