"""A shadow: a second bundle scores the same images when nothing waits, and answers nobody."""

import json

from ...bundles.bundle import Bundle
from ...errors import BrixiaEdgeError
from ..data_folder import DataFolder
from ..scoring.process import ScoringCrashed, ScoringProcess, ScoringSettings
from ..signals import Signals
from ..state.rows import Instance, Result

_PAUSE = 60.0  # seconds before a shadow that could not be opened is tried again


class Shadow:
    """The thread of a shadow.

    An image over which it fails is left out until the node starts anew: nobody waits for it.

    Parameters
    ----------
    settings
        Of its own scoring process.
    data
        Where images are, and results go.
    signals
        End it.
    """

    def __init__(self, settings: ScoringSettings, data: DataFolder, signals: Signals) -> None:
        self._settings, self._signals = settings, signals
        self._store, self._images = data.store, data.images
        self._digest = Bundle.open(settings.bundle).digest
        self._process: ScoringProcess | None = None
        self._left_out: set[int] = set()

    def run(self) -> None:
        """Work until `Signals.stop`."""
        try:
            while not self._signals.stop.is_set():
                if not self.step():
                    self._signals.stop.wait(1.0)
        finally:
            self.end()

    def step(self) -> bool:
        """Score one image, if there is one and nothing waits to be answered; whether it did."""
        instance = self._store.inbox.next_for_shadow(self._digest, self._left_out)
        if instance is None:
            return False
        try:
            if self._process is None:
                self._process = ScoringProcess(self._settings)
            found = self._process.score(self._images.path(instance.spool))
        except ScoringCrashed:
            self._process = None
            self._leave_out(instance, "ended its process")
        except BrixiaEdgeError as error:
            self._process = None
            self._store.views.note("shadow", str(error))
            self._signals.stop.wait(_PAUSE)
            return False
        else:
            if "score" in found:
                result = Result(self._digest, json.dumps(found["score"], allow_nan=False))
                self._store.inbox.add_shadow(instance.id, result)
            else:
                self._leave_out(instance, "did not score it")
        return True

    def end(self) -> None:
        """End the process, whatever it is at."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _leave_out(self, instance: Instance, what: str) -> None:
        self._left_out.add(instance.id)
        self._store.views.note("shadow", f"the shadow model {what}", instance.id)
