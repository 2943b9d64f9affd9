"""How far a long command is, on standard error: a bar on a terminal, else a line now and then."""

import sys
from collections.abc import Iterable, Iterator, Sized
from time import monotonic
from types import TracebackType
from typing import Any

import click

from ..plain_text import printable
from ..progress import Item
from .terminal import clear_line, tell

LINE_SECONDS = 30.0
"""Between two lines where there is no terminal: a log of hours stays short."""


class Meter:
    """Shows how far one stage is, from its first step to its last.

    A stage of one step shows nothing.

    Parameters
    ----------
    stage
        What is done, in a word or two: ``Scoring``.
    count
        Of how many steps.
    """

    def __init__(self, stage: str, count: int) -> None:
        self._stage = stage
        self._count = count
        self._done = 0
        self._started = self._told = monotonic()
        self._bar: Any = None
        if count > 1 and on_terminal():
            self._bar = click.progressbar(length=count, label=printable(stage), file=sys.stderr)

    def __enter__(self) -> "Meter":
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, traceback)

    def reach(self, done: int) -> None:
        """Show that so many steps are done; fewer than before are passed over."""
        ahead = done - self._done
        if ahead <= 0:
            return
        self._done = done
        if self._bar is not None:
            self._bar.update(ahead)
        elif self._count > 1:
            self._tell_now_and_then()

    def make_room(self) -> None:
        """Take the bar away until the next step, for what is written in its place."""
        if self._bar is not None:
            clear_line()

    def _tell_now_and_then(self) -> None:
        now = monotonic()
        if now - self._told < LINE_SECONDS:
            return
        self._told = now
        left = (now - self._started) / self._done * (self._count - self._done)
        tell(f"{self._stage}: {self._done / self._count:.0%}, {duration(left)} left")


def show_progress(stage: str, items: Iterable[Item], count: int | None = None) -> Iterator[Item]:
    """Pass items on while the caller works on each, and show how many it has done.

    Parameters
    ----------
    stage, items, count
        As `runtime.progress.Progress`; items without a length or count are listed first.
    """
    number, counted = _counted(items, count)
    with Meter(stage, number) as meter:
        for done, item in enumerate(counted, 1):
            yield item
            meter.reach(done)


def show_results(stage: str, items: Iterable[Item], count: int | None = None) -> Iterator[Item]:
    """Pass results on that take long to come, and show how many there are.

    What the caller tells of each takes the bar's place.

    Parameters
    ----------
    stage, items, count
        As `show_progress`.
    """
    number, counted = _counted(items, count)
    with Meter(stage, number) as meter:
        for done, result in enumerate(counted, 1):
            meter.make_room()
            yield result
            meter.reach(done)


def _counted(items: Iterable[Item], count: int | None) -> tuple[int, Iterable[Item]]:
    if count is not None:
        return count, items
    counted = items if isinstance(items, Sized) else list(items)
    return len(counted), counted


def on_terminal() -> bool:
    """Whether standard error is a terminal; it is None where the caller closed it."""
    stream: Any = sys.stderr
    return stream is not None and stream.isatty()


def tell_duration(seconds: float) -> None:
    """Say at the start about how long the work will take here."""
    tell(f"This will take {duration(seconds)} on this machine")


def duration(seconds: float) -> str:
    """Say about how long: ``about 40 s``, ``about 12 min`` or ``about 2.5 h``."""
    if seconds < 90:
        return f"about {seconds:.0f} s"
    minutes = seconds / 60
    return f"about {minutes:.0f} min" if minutes < 90 else f"about {minutes / 60:.1f} h"
