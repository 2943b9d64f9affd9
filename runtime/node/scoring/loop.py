"""The scoring thread: takes images out of the queue and keeps what comes of them."""

import json
import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from ...errors import BackendUnavailable, BrixiaEdgeError
from ..receiving.spool import Spool
from ..signals import Signals
from ..state.rows import AnswerObject, Instance, Result
from ..state.store import Store
from .process import ScoringCrashed, ScoringProcess, ScoringSettings

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds before a process that ended is started again


MOST_GUESTS = 8
"""Files that wait to be scored between images; more are told to come again."""

_BUSY: Mapping[str, Any] = {
    "error": {"type": "Busy", "message": "the node is busy; try again later"}
}


@dataclass(frozen=True)
class _Guest:
    path: Path
    answer: "Future[Mapping[str, Any]]"


def _nothing(_: object) -> None:
    return


@dataclass(frozen=True)
class ScoringPlan:
    """What is scored, how, and who is answered.

    Attributes
    ----------
    settings
        Of the scoring process.
    order
        ``newest`` or ``received``.
    destinations
        Each destination's name with the kinds of answer it gets.
    """

    settings: ScoringSettings
    order: str
    destinations: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of answer that some destination gets, and the picture for the page."""
        wanted = (kind for _, kinds in self.destinations for kind in kinds)
        return tuple(dict.fromkeys((*wanted, "capture")))


class ScoringLoop:
    """Scores one image after the other until it is told to stop.

    Parameters
    ----------
    plan
        What to do.
    store, spool
        Where images are.
    signals
        Wake and end it.
    """

    def __init__(self, plan: ScoringPlan, store: Store, spool: Spool, signals: Signals) -> None:
        self._plan, self._store, self._spool, self._signals = plan, store, spool, signals
        self._process: ScoringProcess | None = None
        self._pause = _FIRST_PAUSE
        self._guests: queue.Queue[_Guest] = queue.Queue(MOST_GUESTS)
        self.took: Callable[[float], object] = _nothing
        """Is told how many seconds each image took."""
        self.chosen: Callable[[], Path | None] = lambda: plan.settings.bundle
        """Says which bundle is to score; the process is started again where it is another one."""
        self.hindrance = "the scoring process is being started"
        """Why nothing can be scored; empty where it can."""
        self.hindered: Callable[[str], object] = _nothing
        """Is told so when it turns out."""

    def run(self) -> None:
        """Work until `Signals.stop`; the image at hand is finished.

        What was at hand when an earlier call ended by a fault, as of a full disk, is queued again.
        """
        try:
            self._store.inbox.recover()
            while not self._signals.stop.is_set():
                if not self.step():
                    self._signals.received.wait(1.0)
        finally:
            self.end()

    def step(self) -> bool:
        """Score one image, if there is one; whether there was."""
        if not self._ready():
            return False
        with suppress(queue.Empty):
            self._serve(self._guests.get_nowait())
        instance = self._store.inbox.next_to_score(self._plan.order)
        if instance is None:
            return False
        started = monotonic()
        self._score(instance)
        self.took(monotonic() - started)
        return True

    @property
    def bundle(self) -> str:
        """The digest of the bundle that scores; empty where the process does not run."""
        return "" if self._process is None else self._process.bundle

    @property
    def unwell(self) -> str:
        """Why nothing is scored; empty where the scoring process runs."""
        return "" if self._process is not None else self.hindrance or "the scoring process ended"

    def score_file(self, path: Path, seconds: float) -> Mapping[str, Any]:
        """Have a file scored between two images of the queue; nothing of it is kept.

        Parameters
        ----------
        path
            The file.
        seconds
            How long to wait.

        Returns
        -------
        Mapping[str, Any]
            ``score``, or ``error`` with its type and message, and ``file`` where the file is at
            fault.
        """
        guest = _Guest(path, Future())
        try:
            self._guests.put_nowait(guest)
            self._signals.received.ring()
            if self._signals.stop.is_set():
                self.turn_guests_away()
            return guest.answer.result(seconds)
        except (queue.Full, TimeoutError, FutureTimeout):
            return _BUSY

    def turn_guests_away(self) -> None:
        """Tell all who wait to be scored to come again: what ends must not wait for them."""
        with suppress(queue.Empty):
            while True:
                self._guests.get_nowait().answer.set_result(_BUSY)

    def _serve(self, guest: "_Guest") -> None:
        process = self._process
        crashed = {"type": "UnreadableImage", "message": "ended the process that scored it"}
        try:
            found: Mapping[str, Any] = {} if process is None else process.score(guest.path)
        except ScoringCrashed:
            self._process = None
            found = {"error": crashed}
        except BackendUnavailable as error:
            self._process = None
            told = {"type": type(error).__name__, "message": str(error)}
            guest.answer.set_result({"error": told})
            return
        guest.answer.set_result({**found, "file": True})

    def end(self) -> None:
        """End the process, whatever it is at."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _ready(self) -> bool:
        """Start the process on the bundle to use; False, after a pause, where that fails."""
        settings = replace(self._plan.settings, bundle=self.chosen())
        if self._process is not None and self._process.settings != settings:
            self.end()
        if self._process is None:
            try:
                self._process = ScoringProcess(settings)
            except BrixiaEdgeError as error:
                self._hindered("cannot score", str(error))
                return False
            self.hindrance = ""
        return True

    def _score(self, instance: Instance) -> None:
        process = self._process
        if process is None:
            self._store.inbox.put_back(instance.id)
            return
        try:
            prior = self._store.views.prior(instance)
            found = process.score(self._spool.path(instance.spool), self._plan.kinds, prior)
        except ScoringCrashed:
            self._process = None
            if self._signals.stop.is_set():
                self._store.inbox.put_back(instance.id)
                return
            self._store.inbox.scoring_crashed(instance.id)
            self._rest()
            return
        except BackendUnavailable as error:
            self._process = None
            self._store.inbox.put_back(instance.id)
            self._hindered("cannot score", str(error))
            return
        self._keep(instance, found)

    def _keep(self, instance: Instance, found: Mapping[str, Any]) -> None:
        if "disk" not in found:
            self._pause = _FIRST_PAUSE
        if "score" in found:
            result = Result(
                found["score"]["settings"]["bundle"],
                json.dumps(found["score"], allow_nan=False),
                json.dumps(found["observed"], allow_nan=False),
            )
            objects = [AnswerObject(**each) for each in found["objects"]]
            self._store.inbox.finish(instance.id, result, objects, self._plan.destinations)
            for bell in self._signals.scored.values():
                bell.ring()
        elif "error" in found:
            self._store.inbox.fail(instance.id, str(found["error"]["message"]))
        else:
            # A full disk is no fault of the image.
            self._store.inbox.put_back(instance.id)
            self._hindered("disk", f"an answer cannot be written: {found.get('disk')}")

    def _hindered(self, kind: str, told: str) -> None:
        """Tell what stands in the way of every image, and wait before the next attempt."""
        self.hindrance = told
        self.hindered(told)
        self._store.views.note(kind, told)
        self._rest()

    def _rest(self) -> None:
        self._signals.stop.wait(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
