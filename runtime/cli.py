"""The `brixia-edge` command: a group that imports a command only when it is called.

``brixia-edge --help`` must come at once on a slow machine, so the commands' one-line
helps stand here and their modules (with numpy, OpenCV, ONNX Runtime) are not imported for it.
"""

import errno
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import click

from .commands.extras import needing
from .commands.statuses import UNRUNNABLE, UNSCORED, WRONG_USAGE
from .commands.stopping import (
    SIGNALLED,
    Stopped,
    drop_standard_output,
    fill_closed_streams,
    stopping_in_order,
)
from .commands.terminal import show, tell, tell_lines
from .errors import BrixiaEdgeError, CannotRun, OutputRefused


@dataclass(frozen=True)
class LazyCommand:
    """Where a command is defined, the line that describes it, and the extra that it needs."""

    module: str
    name: str
    help: str
    extra: str = "export"

    def load(self, called: str) -> click.Command:
        """Import the command.

        Parameters
        ----------
        called
            How a user calls it.

        Raises
        ------
        MissingExtra
            A library that it imports is not installed.
        """
        with needing(self.extra, called):
            return getattr(importlib.import_module(self.module), self.name)


COMMANDS: Mapping[str, LazyCommand] = {
    "demo": LazyCommand("brixia_edge.runtime.commands.demo", "demo", "Score a real radiograph."),
    "score": LazyCommand("brixia_edge.runtime.commands.score", "score", "Score radiographs."),
    "explain": LazyCommand(
        "brixia_edge.runtime.commands.explain", "explain", "Show what speaks for each score."
    ),
    "export": LazyCommand(
        "brixia_edge.export.cli", "export", "Turn trained BS-Net weights into a bundle."
    ),
    "calibrate": LazyCommand(
        "brixia_edge.calibration.cli", "calibrate", "Measure ranges on radiographs, for int8."
    ),
    "evaluate": LazyCommand(
        "brixia_edge.benchmarks.evaluation.cli",
        "evaluate_command",
        "Compare bundles with radiologists' scores.",
        extra="report",
    ),
    "benchmark": LazyCommand(
        "brixia_edge.benchmarks.cli", "benchmark", "Measure how fast this machine scores."
    ),
    "node": LazyCommand(
        "brixia_edge.runtime.commands.node",
        "node",
        "Stand between X-ray machine and PACS.",
        extra="node",
    ),
    "inspect": LazyCommand(
        "brixia_edge.runtime.commands.inspect",
        "inspect",
        "Explain an image, or verify a bundle or an engine.",
    ),
    "doctor": LazyCommand(
        "brixia_edge.runtime.commands.doctor", "doctor", "Tell what this machine can run."
    ),
}


class LazyGroup(click.Group):
    """A group of `COMMANDS`, each imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and return the command."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else entry.load(f"brixia-edge {cmd_name}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        show([f"brixia-edge {version('brixia-edge')}"])
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def command(debug: bool) -> None:
    """Brixia scores from chest radiographs with BS-Net, on the edge.

    RESEARCH USE ONLY - not for diagnostic use.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        Without the program's name; None takes the process's own.

    Returns
    -------
    The exit status: 0 all well, 1 some input could not be scored or used, 2 wrong usage, 3 nothing
    can be scored here. See docs/errors.md.
    """
    return execute(command, "brixia-edge", sys.argv[1:] if arguments is None else arguments)


def execute(command: click.Command, name: str, arguments: list[str]) -> int:
    """Run a command, and tell what ends it; returns the exit status, see `main`.

    Parameters
    ----------
    command
        The command.
    name
        What a user calls it.
    arguments
        Without the name.
    """
    try:
        result: Any = command.main(arguments, prog_name=name, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        _tell_usage(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        tell("Interrupted")
        return SIGNALLED + signal.SIGINT
    except Stopped as stopped:
        tell(f"Stopped by {signal.Signals(stopped.number).name}")
        return SIGNALLED + stopped.number
    except SystemExit:
        # So click ends where nobody reads standard output any more, as behind `head`.
        return UNSCORED
    except Exception as error:
        return _report(error, debug="--debug" in arguments)


def _tell_usage(error: click.ClickException) -> None:
    """Show an error of click's own, with the command's usage, as it would itself."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        tell_lines(context.get_usage())
        tell(f"Try '{context.command_path} --help' for help.")
        tell("")
    tell(f"Error: {error.format_message()}")


def _report(error: Exception, debug: bool) -> int:
    if debug:
        tell_lines("".join(traceback.format_exception(error)).rstrip("\n"))
    if isinstance(error, OSError):
        from .files import why

        tell(f"Error: {_where(error)}{why(error)}; nothing more was written")
        return UNSCORED
    if not isinstance(error, BrixiaEdgeError):
        tell(
            f"Internal error: {type(error).__name__}. To see where it comes from, give --debug "
            "before the command: brixia-edge --debug ..."
        )
        return UNRUNNABLE
    tell(f"Error: {error}")
    if isinstance(error, OutputRefused):
        return WRONG_USAGE
    return UNRUNNABLE if isinstance(error, CannotRun) else UNSCORED


def _where(error: OSError) -> str:
    name: Any = error.filename
    if name is None and error.errno in (errno.EBADF, errno.ENOSPC):
        # Errors of files name them.
        name = "standard output"
    return f"{os.fsdecode(name) if isinstance(name, bytes) else name}: " if name else ""


def run() -> None:
    """The console script: exit with `main`'s status."""
    run_alone(command, "brixia-edge")


def run_alone(command: click.Command, name: str) -> None:
    """Make a command this process: signals and broken streams end it in order.

    Parameters
    ----------
    command, name
        As `execute`.
    """
    fill_closed_streams()
    with stopping_in_order():
        status = execute(command, name, sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:
        # A full disk was told already; Python would fail once more on flushing at exit.
        drop_standard_output()
        status = status or UNSCORED
    sys.exit(status)
