"""The options of `brixia-edge export` that ask for engines, and what is printed for them."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click

from ...runtime.bundles.bundle import Bundle
from ...runtime.bundles.engine_file import EngineRecord
from ...runtime.bundles.engines import copy_bundle
from ...runtime.bundles.manifest import MANIFEST
from ...runtime.bundles.writing import bundle_target, bundle_to_change
from ...runtime.commands.extras import needing
from ...runtime.commands.progress import Meter
from ...runtime.commands.terminal import show, tell
from ...runtime.commands.writing import OutputRule
from .options import PRODUCTS, EngineOptions, parse_targets

_STEPS = 1000

_DLA = (
    "the DLA runs no GridSample and no float32, and BS-Net's alignment needs both; nearly every "
    "layer would come back to the GPU with a copy each way. Build for the GPU: leave --dla out"
)


def engine_options(export: Callable[..., Bundle]) -> Callable[..., None]:
    """Add the options of engines to a command that exports weights and gives the bundle.

    Given a bundle instead of weights, the command itself is left out.
    """

    @functools.wraps(export)
    def command(
        weights: Path,
        output: Path | None,
        overwrite: bool,
        engine: tuple[str, ...],
        target: tuple[str, ...],
        workspace: int | None,
        timing_cache: Path | None,
        optimization_level: int | None,
        version_compatible: bool,
        **others: Any,
    ) -> None:
        options = EngineOptions(
            tuple(dict.fromkeys(engine)),
            target,
            workspace,
            timing_cache,
            optimization_level,
            version_compatible,
        )
        if options != EngineOptions(()) and not engine:
            raise click.UsageError("options of engines need --engine")
        inputs = [weights, *(value for value in others.values() if isinstance(value, Path))]
        with _claimed(weights, output, OutputRule(inputs, overwrite)):
            if not (weights / MANIFEST).is_file():
                written = export(weights=weights, output=output, overwrite=overwrite, **others)
            else:
                written = _bundle_to_extend(weights, output, overwrite, options)
            add_engines(written, options)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _claimed(
    weights: Path, output: Path | None, rule: OutputRule
) -> AbstractContextManager[object]:
    """Refuse what may not be written, before any work, and keep other runs off it."""
    if output is not None:
        rule.check_folder(output)
        return bundle_target(output, rule.overwrite)
    if (weights / MANIFEST).is_file():
        return bundle_to_change(weights)
    raise click.UsageError("weights need -o, the bundle's directory to write")


def _bundle_to_extend(
    root: Path, output: Path | None, overwrite: bool, options: EngineOptions
) -> Bundle:
    if not options.products:
        raise click.UsageError(f"{root} is a bundle already; name an --engine to add to it")
    bundle = Bundle.open(root)
    return bundle if output is None else copy_bundle(bundle, output, overwrite)


def add_engines(bundle: Bundle, options: EngineOptions) -> None:
    """Build what was asked for into the bundle, with a progress bar on a terminal."""
    if not options.products:
        return
    with needing("export", "brixia-edge export --engine"):
        from .into_bundle import export_engines
    tell(f"Building engines: {', '.join(options.products)}")
    with Meter("Building", _STEPS) as meter:
        # Phases become known as they start, so the fraction can fall; a meter does not go back.
        bundle, records = export_engines(
            bundle, options, lambda fraction: meter.reach(round(fraction * _STEPS))
        )
    for record in records:
        show([describe(bundle, record)])


def describe(bundle: Bundle, record: EngineRecord) -> str:
    """One line on an engine that was built."""
    size = (bundle.root / record.file).stat().st_size / 1e6
    layers = ", ".join(f"{count} {name}" for name, count in record.layers.items())
    return (
        f"Wrote {bundle.root / record.file}: {size:.1f} MB, {record.build_seconds:.1f} s; "
        f"convolutions and matrix products: {layers} (by the {record.layers_from})"
    )


def _targets(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return parse_targets(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _no_dla(_: click.Context, __: click.Parameter, wanted: bool) -> None:
    if wanted:
        raise click.BadParameter(_DLA)


_OPTIONS = (
    click.option(
        "--engine",
        type=click.Choice(list(PRODUCTS)),
        multiple=True,
        help="Build an engine, too; may be repeated.",
    ),
    click.option(
        "--target",
        multiple=True,
        callback=_targets,
        help="GPUs to build for, as sm_86,sm_89 (tensorrt-rtx; tensorrt takes this machine's).",
    ),
    click.option("--workspace", type=click.IntRange(1), help="MiB of scratch memory for a layer."),
    click.option(
        "--timing-cache",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File of kernel times to read and extend (tensorrt).",
    ),
    click.option(
        "--optimization-level",
        type=click.IntRange(0, 5),
        help="0 builds fastest, 5 gives the fastest engine.",
    ),
    click.option(
        "--version-compatible",
        is_flag=True,
        help="Let later TensorRT of the same major version load it; slower (tensorrt).",
    ),
    click.option(
        "--dla",
        is_flag=True,
        expose_value=False,
        callback=_no_dla,
        help="Refused: BS-Net cannot run on a Jetson's DLA.",
    ),
)
