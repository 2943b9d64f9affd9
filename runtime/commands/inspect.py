"""`brixia-edge inspect`."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import click

from ..bundles.bundle import Bundle
from ..inspection.bundle_inspection import inspect_entries, inspect_lines
from ..inspection.engine_inspection import engine_entries, engine_lines, is_engine
from ..inspection.image_inspection import (
    inspect_image,
    inspection_entries,
    inspection_lines,
    preview_strip,
)
from ..reading.options import ReadingOptions
from ..reports.drawing import as_png
from .options import PATH, format_option, light_option, overwrite_option
from .terminal import show, show_json
from .writing import OutputRule, optional_output


@click.command()
@click.argument("target", type=PATH, required=False, metavar="[IMAGE|BUNDLE|ENGINE]")
@light_option("target", "the path")
@click.option("--window", type=int, help="Of an image's windows, show it in this one, from 1.")
@click.option("--preview", type=PATH, help="Write an image's small pictures into this PNG file.")
@overwrite_option("a picture that exists")
@format_option(("text", "json"))
def inspect(
    target: Path | None, window: int | None, preview: Path | None, overwrite: bool, form: str
) -> None:
    """Show what becomes of an IMAGE, or verify a BUNDLE or an ENGINE file and show what it is.

    Of an image, every step from the stored values to the network's input is told, and with
    --preview shown. Without a path, the shipped bundle is verified, or by --light the light one.
    """
    if target is not None and target.is_file() and not is_engine(target):
        with optional_output(preview, OutputRule([target], overwrite)) as picture:
            _show_image(target, ReadingOptions(window), picture, form)
        return
    if window is not None or preview is not None:
        raise click.UsageError("--window and --preview are for an image; give the path of one")
    if target is not None and is_engine(target):
        _show(form, engine_entries(target), engine_lines(target))
        return
    bundle = Bundle.open(target)
    _show(form, inspect_entries(bundle), inspect_lines(bundle))


def _show_image(path: Path, options: ReadingOptions, preview: BinaryIO | None, form: str) -> None:
    inspection = inspect_image(path, Bundle.open().manifest.preprocess, options)
    if preview is not None:
        preview.write(as_png(preview_strip(inspection)))
    _show(form, inspection_entries(inspection), inspection_lines(inspection))


def _show(form: str, entries: dict[str, object], lines: Iterable[str]) -> None:
    if form == "json":
        show_json(entries)
    else:
        show(lines)
