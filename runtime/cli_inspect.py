"""`brixia-edge inspect`."""

import json
from pathlib import Path

import click

from .bundle import Bundle
from .inspection import inspect_entries, inspect_lines


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def inspect(bundle: Path | None, form: str) -> None:
    """Verify BUNDLE and show what it is; without one, the bundle that ships with the package."""
    opened = Bundle.open(bundle)
    if form == "json":
        click.echo(json.dumps(inspect_entries(opened), indent=2))
    else:
        click.echo("\n".join(inspect_lines(opened)))
