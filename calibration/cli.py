"""`brixia-edge calibrate`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from ..runtime.bundles.bundle import Bundle
from ..runtime.commands.extras import needing
from ..runtime.commands.inputs import find_some, reading_mode
from ..runtime.commands.options import (
    bundle_option,
    isolate_option,
    output_option,
    overwrite_option,
)
from ..runtime.commands.progress import show_progress, tell_duration
from ..runtime.commands.terminal import show, tell
from ..runtime.commands.writing import OutputRule, make_folder, output_file
from ..runtime.reading.inputs import Inputs
from .choosing.coverage import measure_coverage
from .choosing.description import Description
from .choosing.selection import FEATURES, count_strata
from .choosing.survey import NOT_DRAWN, UNREADABLE, Survey, survey
from .options import CalibrationOptions
from .ranges.table import CalibrationTable
from .ranges.table_entries import METHODS

_DEFAULTS = CalibrationOptions()
_NAMED_CONSTANTS = 5


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="DIR...")
@output_option("The table (JSON) to write.")
@bundle_option("The fp32 bundle's directory")
@click.option("--method", type=click.Choice(METHODS), default=_DEFAULTS.method, show_default=True)
@click.option(
    "--percentile",
    type=click.FloatRange(0, 100, min_open=True),
    default=_DEFAULTS.percentile,
    show_default=True,
    help="Share of values kept by the method percentile.",
)
@click.option(
    "--images",
    type=click.IntRange(1),
    default=_DEFAULTS.images,
    show_default=True,
    help="The most radiographs to choose.",
)
@click.option(
    "--minimum",
    type=click.IntRange(1),
    default=_DEFAULTS.minimum,
    show_default=True,
    help="The fewest usable radiographs to go on with.",
)
@click.option("--seed", type=click.IntRange(0), default=_DEFAULTS.seed, show_default=True)
@click.option("--allow-doubtful", is_flag=True, help="Use radiographs that scoring would warn of.")
@isolate_option
@overwrite_option("an existing table")
def calibrate(
    paths: tuple[str, ...],
    output: Path,
    bundle: Path | None,
    method: str,
    percentile: float,
    images: int,
    minimum: int,
    seed: int,
    allow_doubtful: bool,
    isolate: bool | None,
    overwrite: bool,
) -> None:
    """Measure a network's ranges on representative radiographs, for int8.

    Takes folders and files of DICOM, PNG or JPEG. Files that cannot be used are named with their
    reason on standard error and passed over.
    """
    with needing("export", "brixia-edge calibrate"):
        from .calibrate import check_bundle, choose_from, measure
        from .duration import calibration_runs, seconds_an_image
    options = CalibrationOptions(method, percentile, images, minimum, seed, allow_doubtful)
    opened = Bundle.open(bundle)
    check_bundle(opened)
    inputs = find_some(paths)
    options = replace(options, reading=reading_mode(isolate, paths, inputs.files))
    make_folder(output.parent, "--output")
    with output_file(output, OutputRule([*inputs.read, *opened.paths], overwrite)) as file:
        runs = calibration_runs(len(inputs.files), options.images)
        tell_duration(runs * seconds_an_image(opened))
        surveyed = _survey(opened, inputs, options)
        chosen = choose_from(surveyed, options)
        table = measure(opened, chosen, options, show_progress)
        file.write(table.to_json().encode())
    show(_summary(surveyed, chosen, table))
    _tell_constants(table)
    tell(f"Wrote {output}")


def _survey(bundle: Bundle, inputs: Inputs, options: CalibrationOptions) -> Survey:
    surveyed = survey(bundle, inputs.files, options.survey, show_progress)
    for entry in surveyed.passed_over:
        if entry.kind != NOT_DRAWN:
            what = "" if entry.kind == UNREADABLE else f"{entry.kind}: "
            tell(f"{entry.file}: {what}{entry.reason}")
    return surveyed


def _summary(
    surveyed: Survey, chosen: tuple[Description, ...], table: CalibrationTable
) -> Iterator[str]:
    yield f"calibration on {len(chosen)} of {surveyed.found} files, seed {table.seed}"
    for kind, number in surveyed.counts().items():
        yield f"  {kind:<14}{number:>6}"
    yield f"  {'usable':<14}{len(surveyed.usable):>6}"
    yield "strata          chosen / usable"
    picked = count_strata(chosen)
    for kind, number in count_strata(surveyed.usable).items():
        yield f"  {kind:<14}{picked.get(kind, 0):>6} / {number}"
    yield from _feature_lines(surveyed.usable, chosen)
    coverage = measure_coverage(surveyed.usable, chosen)
    yield (
        f"coverage: energy distance {coverage.chosen:.4f}; random draws {coverage.median:.4f} "
        f"(median), {coverage.beaten:.0%} of them further away"
    )
    what = f"{table.method} {table.percentile:g}" if table.method == "percentile" else table.method
    yield f"ranges of {len(table.ranges)} tensors by {what}"


def _feature_lines(
    usable: tuple[Description, ...], chosen: tuple[Description, ...]
) -> Iterator[str]:
    yield "range             chosen            usable"
    for name in FEATURES:
        yield f"  {name:<14}{_extent(name, chosen):<18}{_extent(name, usable)}"


def _extent(feature: str, descriptions: tuple[Description, ...]) -> str:
    values = [float(getattr(entry, feature)) for entry in descriptions]
    return f"{min(values):.2f} to {max(values):.2f}"


def _tell_constants(table: CalibrationTable) -> None:
    constants = table.constants
    if constants:
        some = ", ".join(constants[:_NAMED_CONSTANTS])
        more = ", ..." if len(constants) > _NAMED_CONSTANTS else ""
        tell(f"{len(constants)} tensors were constant and cannot be quantised: {some}{more}")
