"""The options that several commands share, each written once."""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ..backends import AUTO, backend_names
from ..bundles.bundle import shipped_light_bundle

Option = Callable[[Any], Any]
"""Adds an option to a command."""

PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

_SHIPPED = "default: the shipped one."

paths_argument: Option = click.argument("paths", nargs=-1, required=True, metavar="PATH...")

backend_option: Option = click.option(
    "--backend", type=click.Choice(backend_names()), default=AUTO, show_default=True
)

threads_option: Option = click.option(
    "--threads", type=click.IntRange(1), help="CPU threads; default: all cores."
)

keep_names_option: Option = click.option(
    "--keep-names",
    is_flag=True,
    help="Name what is written after the radiograph's file, which may tell whose it is.",
)


isolate_option: Option = click.option(
    "--isolate/--no-isolate",
    default=None,
    help="Read files in a process of its own, with limits of memory and time, one file ahead of "
    "the network; default: for folders and several files.",
)


def bundle_option(what: str = "The bundle's directory", required: bool = False) -> Option:
    """``--bundle``; the shipped one is taken where none is required or given, or by ``--light``."""
    if required:
        return click.option("--bundle", type=PATH, required=True, help=f"{what}.")
    given = click.option("--bundle", type=PATH, help=f"{what}; {_SHIPPED}")
    light = light_option("bundle", "--bundle")
    return lambda command: given(light(command))


def light_option(parameter: str, other: str) -> Option:
    """``--light``: the light bundle that ships, handed over as the path of another parameter.

    Parameters
    ----------
    parameter
        Of the command; None where nobody gives it.
    other
        What a person gives for it, which goes not with ``--light``.
    """

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        @click.option("--light", is_flag=True, help="Take the shipped light bundle instead.")
        @wraps(command)
        def with_choice(*arguments: Any, light: bool, **options: Any) -> Any:
            if light and options[parameter] is not None:
                raise click.UsageError(f"--light names a bundle of its own; give it or {other}")
            if light:
                options[parameter] = shipped_light_bundle()
            return command(*arguments, **options)

        return with_choice

    return add


def bundles_option(help_text: str, required: bool = False) -> Option:
    """``--bundle``, given as often as there are bundles; handed over as `bundles`."""
    return click.option(
        "--bundle",
        "bundles",
        type=PATH,
        multiple=True,
        required=required,
        help=help_text if required else f"{help_text} {_SHIPPED.capitalize()}",
    )


def format_option(forms: Iterable[str]) -> Option:
    """``--format`` with these choices, handed over as `form`; the first is the default."""
    choices = list(forms)
    return click.option(
        "--format", "form", type=click.Choice(choices), default=choices[0], show_default=True
    )


def output_option(help_text: str, required: bool = True) -> Option:
    """``-o``, ``--output``: a file or a folder to write."""
    return click.option("-o", "--output", type=PATH, required=required, help=help_text)


def overwrite_option(what: str) -> Option:
    """``--overwrite``: replace what was written before."""
    return click.option("--overwrite", is_flag=True, help=f"Replace {what}.")
