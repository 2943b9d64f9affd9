"""Ending in order: signals clean up as Ctrl-C does, and closed standard streams cost no more."""

import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

SIGNALLED = 128
"""Exit status of a process that a signal ended: this and the signal's number."""

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP


class Stopped(BaseException):
    """A signal asks the process to end; like `KeyboardInterrupt`, nothing else catches it.

    Parameters
    ----------
    number
        The signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stopping_in_order() -> Generator[None]:
    """Raise `Stopped` in the main thread at SIGTERM and SIGHUP, so that what is open is closed.

    A signal that the caller ignores, as ``nohup`` does, stays ignored. Once one has come further
    ones are, too: they must not cut the tidying short.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    heeded = [number for number, handler in before.items() if handler == signal.SIG_DFL]
    for number in heeded:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def _stop(number: int, _frame: FrameType | None) -> None:
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise Stopped(number)


@contextmanager
def told_to_end() -> Generator[Callable[[], None]]:
    """Give a function that waits until SIGTERM or Ctrl-C tells the process to end.

    An event cannot be waited for: a signal that comes while the lock of the event is held would
    set it in the thread that holds the lock, and wait for ever.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    woken = signal.set_wakeup_fd(writing)
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, _nothing) for number in numbers}

    def wait() -> None:
        while os.read(reading, 1)[0] not in numbers:
            pass

    try:
        yield wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(woken)
        os.close(reading)
        os.close(writing)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    return


def fill_closed_streams() -> None:
    """Put something in the place of standard streams that the caller closed.

    A file that is opened later would take a closed stream's number, and whatever a library prints
    would end in it. Standard input and output are such that reading and writing fail as they do
    with closed ones; what goes to standard error is dropped.
    """
    for number, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            _fill(number, flags)
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - Python says so of a closed one
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _fill(number: int, flags: int) -> None:
    opened = os.open(os.devnull, flags)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)


def drop_standard_output() -> None:
    """Let go of what is still to be written, where it cannot be: Python would fail at its exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
