"""The parts of `brixia-edge benchmark` that are commands of their own, imported on use."""

import importlib
from collections.abc import Mapping

import click
from click.core import ParameterSource

from ..runtime.cli import LazyCommand

_HERE = "brixia_edge.benchmarks"

PARTS: Mapping[str, LazyCommand] = {
    "roofline": LazyCommand(
        f"{_HERE}.roofline.cli", "roofline", "The network's parts against the machine's peak."
    ),
    "agreement": LazyCommand(
        f"{_HERE}.agreement.cli", "agreement", "Scores of bundles and backends, side by side."
    ),
    "peers": LazyCommand(
        f"{_HERE}.peers.cli", "peers", "Other tools on the same weights, beside ours."
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
        if entry is None:
            return None
        return getattr(importlib.import_module(entry.module), entry.name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the parts without importing them."""
        with formatter.section("Further benchmarks"):
            formatter.write_dl([(name, entry.help) for name, entry in PARTS.items()])


def is_part(ctx: click.Context) -> bool:
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
