"""`brixia-edge benchmark`."""

from collections.abc import Mapping
from pathlib import Path

import click
from click.core import ParameterSource

from ..runtime.backends import backend_names
from ..runtime.bundles.bundle import Bundle
from ..runtime.cli import LazyCommand
from ..runtime.commands.options import (
    FILE,
    PATH,
    backend_option,
    bundle_option,
    format_option,
    overwrite_option,
    threads_option,
)
from ..runtime.commands.terminal import show, show_json, tell
from ..runtime.commands.writing import OutputRule, optional_output
from ..runtime.plain_text import json_text
from .latency.baseline import load_baseline
from .latency.benchmark import Plan, run_benchmark
from .latency.json_report import as_object
from .latency.measurement import MINIMUM_RUNS, MINIMUM_SECONDS, Extent
from .latency.plot import plot_format, write_plot
from .latency.sample_image import sample_image
from .latency.sweeps import SWEEPS
from .latency.text_report import report_lines

_HERE = "brixia_edge.benchmarks"

PARTS: Mapping[str, LazyCommand] = {
    "roofline": LazyCommand(
        f"{_HERE}.roofline.cli", "roofline", "The network's parts against the machine's peak."
    ),
    "agreement": LazyCommand(
        f"{_HERE}.agreement.cli", "agreement", "Scores of bundles and backends, side by side."
    ),
    "peers": LazyCommand(
        f"{_HERE}.peers.cli", "peers", "Other tools on the same weights, beside ours.", "peers"
    ),
    "scaling": LazyCommand(
        f"{_HERE}.scaling.cli", "scaling", "Batches, threads, processes and many files."
    ),
}


class BenchmarkGroup(click.Group):
    """A command with `PARTS` as further commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the part's module and return its command."""
        entry = PARTS.get(cmd_name)
        return None if entry is None else entry.load(f"brixia-edge benchmark {cmd_name}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the parts without importing them."""
        with formatter.section("Further benchmarks"):
            formatter.write_dl([(name, entry.help) for name, entry in PARTS.items()])


@click.group(cls=BenchmarkGroup, invoke_without_command=True)
@bundle_option()
@backend_option
@threads_option
@click.option(
    "--batch", type=click.IntRange(1), default=1, show_default=True, help="Images in a run."
)
@click.option("--image", type=FILE, help="Score this file; default: a generated radiograph.")
@click.option("--runs", type=click.IntRange(1), default=MINIMUM_RUNS, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    default=MINIMUM_SECONDS,
    show_default=True,
    help="Measure at least this long, and at least --runs.",
)
@click.option(
    "--cold-starts",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="Fresh processes to start.",
)
@click.option("--sweep", type=click.Choice(list(SWEEPS)), help="Measure over these, too.")
@click.option("--compare", type=FILE, help="Compare with a benchmark that --save wrote.")
@click.option("--against-bundle", type=PATH, help="Run this bundle in turns, and compare.")
@click.option(
    "--against-backend",
    type=click.Choice(backend_names()),
    help="Run this backend in turns, and compare.",
)
@format_option(("text", "json"))
@click.option("--save", type=PATH, help="Write the JSON into this file, for --compare.")
@click.option("--plot", type=PATH, help="Draw a picture into this file; needs matplotlib.")
@overwrite_option("files that exist")
@click.pass_context
def benchmark(
    ctx: click.Context,
    bundle: Path | None,
    backend: str,
    threads: int | None,
    batch: int,
    image: Path | None,
    runs: int,
    seconds: float,
    cold_starts: int,
    sweep: str | None,
    compare: Path | None,
    against_bundle: Path | None,
    against_backend: str | None,
    form: str,
    save: Path | None,
    plot: Path | None,
    overwrite: bool,
) -> None:
    """Measure how fast this machine scores radiographs, and whether the figures can be trusted.

    One file is scored again and again, from the file to a line of the report; its stages, a cold
    start, memory and energy are measured beside. docs/benchmark.md explains every figure.
    """
    if _is_part(ctx):
        return
    drawn = None if plot is None else plot_format(plot)
    opened = Bundle.open(bundle)
    _check_batch(batch, opened)
    other = _other(opened, backend, against_bundle, against_backend)
    baseline = None if compare is None else load_baseline(compare)
    rule = OutputRule([*filter(None, (image, compare)), *opened.paths], overwrite)
    # What was measured is saved before it is drawn: to draw may fail.
    with optional_output(plot, rule) as picture:
        with optional_output(save, rule) as saved, sample_image(image) as sample:
            plan = Plan(
                opened,
                backend,
                sample,
                threads,
                batch,
                Extent(runs, seconds),
                cold_starts,
                sweep,
                baseline,
                other,
            )
            result = run_benchmark(plan, tell)
            content = as_object(result)
            if form == "json":
                show_json(content)
            else:
                show(report_lines(result))
            if saved is not None:
                saved.write(f"{json_text(content)}\n".encode())
        if picture is not None and drawn is not None:
            write_plot(result, picture, drawn)


def _is_part(ctx: click.Context) -> bool:
    """Whether a part is called, which then does all the work.

    Raises
    ------
    click.UsageError
        The command itself was given options; the part would not see them.
    """
    if ctx.invoked_subcommand is None:
        return False
    if any(ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ctx.params):
        raise click.UsageError(f"give the options behind {ctx.invoked_subcommand!r}")
    return True


def _check_batch(batch: int, bundle: Bundle) -> None:
    highest = bundle.manifest.max_batch
    if batch > highest:
        raise click.BadParameter(f"{batch}; the bundle allows 1 to {highest}", param_hint="--batch")


def _other(
    bundle: Bundle, backend: str, against_bundle: Path | None, against_backend: str | None
) -> tuple[Bundle, str] | None:
    """What to run in turns: what is not given is as in the benchmark itself."""
    if against_bundle is None and against_backend is None:
        return None
    other = bundle if against_bundle is None else Bundle.open(against_bundle)
    return other, against_backend or backend
