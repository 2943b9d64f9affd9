"""Files that are scored between two images of the queue, for whoever waits; nothing is kept."""

import queue
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..signals import Signals

MOST_GUESTS = 8
"""Files that wait to be scored between images; more are told to come again."""

_BUSY: Mapping[str, Any] = {
    "error": {"type": "Busy", "message": "the node is busy; try again later"}
}


@dataclass(frozen=True)
class Guest:
    """A file that somebody waits for.

    Attributes
    ----------
    path
        The file.
    answer
        Is given ``score``, or ``error`` with its type and message.
    """

    path: Path
    answer: "Future[Mapping[str, Any]]"


class Guests:
    """Those who wait.

    Parameters
    ----------
    signals
        Wake who scores.
    """

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._waiting: queue.Queue[Guest] = queue.Queue(MOST_GUESTS)

    @property
    def any(self) -> bool:
        """Whether somebody waits."""
        return not self._waiting.empty()

    def next(self) -> Guest | None:
        """Take who came first."""
        with suppress(queue.Empty):
            return self._waiting.get_nowait()
        return None

    def ask(self, path: Path, seconds: float) -> Mapping[str, Any]:
        """Wait for a file's score; see `ScoringLoop.score_file`."""
        guest = Guest(path, Future())
        try:
            self._waiting.put_nowait(guest)
            self._signals.received.ring()
            if self._signals.stop.is_set():
                self.turn_away()
            return guest.answer.result(seconds)
        except (queue.Full, TimeoutError, FutureTimeout):
            return _BUSY

    def turn_away(self) -> None:
        """Tell all who wait to come again."""
        while (guest := self.next()) is not None:
            guest.answer.set_result(_BUSY)
