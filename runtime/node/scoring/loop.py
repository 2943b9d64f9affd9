"""The scoring thread: takes images out of the queue and keeps what comes of them."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from ...errors import BackendUnavailable, BrixiaEdgeError
from ..receiving.spool import Spool
from ..signals import Signals
from ..state.rows import AnswerObject, Instance, Result
from ..state.store import Store
from .guests import Guest, Guests
from .process import ScoringCrashed, ScoringProcess, ScoringSettings

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds before a process that ended is started again

_AT_HAND = 2
"""Images that the process is told of: one that it scores, and the next one, which it reads."""


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
        self._guests = Guests(signals)
        self._begun: deque[Instance] = deque()
        self._taken: Instance | None = None  # out of the queue, but not begun
        self._suspects: set[int] = set()
        self._free_since = monotonic()
        self.took: Callable[[float], object] = _nothing
        """Is told how many seconds each image took."""
        self.chosen: Callable[[], Path | None] = lambda: plan.settings.bundle
        """Says which bundle is to score; the process is started again where it is another one."""
        self.hindrance = "the scoring process is being started"
        """Why nothing can be scored; empty where it can."""
        self.hindered: Callable[[str], object] = _nothing
        """Is told so when it turns out."""

    def run(self) -> None:
        """Work until `Signals.stop`; the images at hand are finished.

        What was at hand when an earlier call ended by a fault, as of a full disk, is queued again.
        """
        try:
            self._store.inbox.recover()
            while not self._signals.stop.is_set():
                if not self.step():
                    self._signals.received.wait(1.0)
            while self._begun:
                self._finish()
        finally:
            self.end()
            self._begun.clear()
            self._taken = None

    def step(self) -> bool:
        """Finish one image, if there is one, and begin the next; whether there was."""
        if self._begun and (self._guests.any or self._outdated):
            self._finish()
            return True
        if not self._ready():
            return False
        if not self._begun and (guest := self._guests.next()) is not None:
            self._serve(guest)
        self._begin_some()
        if not self._begun:
            self._signals.answering.clear()
            return False
        self._finish()
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
        return self._guests.ask(path, seconds)

    def turn_guests_away(self) -> None:
        """Tell all who wait to be scored to come again: what ends must not wait for them."""
        self._guests.turn_away()

    def _serve(self, guest: Guest) -> None:
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

    @property
    def _settings(self) -> ScoringSettings:
        return replace(self._plan.settings, bundle=self.chosen())

    @property
    def _outdated(self) -> bool:
        return self._process is not None and self._process.settings != self._settings

    def _ready(self) -> bool:
        """Start the process on the bundle to use; False, after a pause, where that fails."""
        if self._outdated:
            self.end()
        if self._process is None:
            try:
                self._process = ScoringProcess(self._settings)
            except BrixiaEdgeError as error:
                self._hindered("cannot score", str(error))
                return False
            self.hindrance = ""
        return True

    def _begin_some(self) -> None:
        """Tell the process of as many images as it may have at hand."""
        while self._process is not None and len(self._begun) < _AT_HAND:
            if self._taken is None:
                self._taken = self._store.inbox.next_to_score(self._plan.order)
            if self._taken is None or not self._may_join(self._taken):
                return
            self._begin(self._process, self._taken)

    def _may_join(self, instance: Instance) -> bool:
        """Whether an image may be at hand with those that are.

        Not one that a report must refer to first, and none that may crash the process: it would
        not be known which one did.
        """
        suspicious = any(map(self._is_suspect, (instance, *self._begun)))
        return not self._begun or not (
            suspicious or any(_is_before(each, instance) for each in self._begun)
        )

    def _is_suspect(self, instance: Instance) -> bool:
        return instance.attempts > 0 or instance.id in self._suspects

    def _begin(self, process: ScoringProcess, instance: Instance) -> None:
        if not self._begun:
            self._free_since = monotonic()
            self._signals.answering.set()
            self._signals.ring_senders()
        self._taken = None
        self._begun.append(instance)
        try:
            prior = self._store.views.prior(instance)
            process.begin(self._spool.path(instance.spool), self._plan.kinds, prior)
        except ScoringCrashed:
            self._crashed()

    def _finish(self) -> None:
        """Wait for the image that was begun first, and keep what came of it."""
        process = self._process
        if process is None:
            self._put_back()
            return
        try:
            found = process.finish()
        except ScoringCrashed:
            self._crashed()
            return
        except BackendUnavailable as error:
            self._put_back()
            self._hindered("cannot score", str(error))
            return
        self._keep(self._begun[0], found)
        instance = self._begun.popleft()
        self._suspects.discard(instance.id)
        self.took(monotonic() - self._free_since)
        self._free_since = monotonic()

    def _crashed(self) -> None:
        """Count a crash over the one image at hand; of several each is tried alone first."""
        stops = self._signals.stop.is_set()
        if len(self._begun) == 1 and not stops:
            self._process = None
            self._store.inbox.scoring_crashed(self._begun.popleft().id)
        else:
            self._suspects.update(each.id for each in self._begun)
            self._put_back()
        if not stops:
            self._rest()

    def _put_back(self) -> None:
        """Return what is at hand to the queue; the process has ended."""
        self._process = None
        while self._begun:
            self._store.inbox.put_back(self._begun[0].id)
            self._begun.popleft()

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
            self._signals.ring_senders()
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


def _is_before(earlier: Instance, later: Instance) -> bool:
    """Whether a report on one image may refer to that on the other; see `Views.prior`."""
    same = earlier.patient != "" and earlier.patient == later.patient
    return same and "" != earlier.acquired < later.acquired
