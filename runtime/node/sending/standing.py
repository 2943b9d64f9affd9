"""An association that is opened before it is needed, and stays for a while after it was used.

To open one takes longer than to send a report over it.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any

SECONDS_UNUSED = 5.0
"""After so long an association is ended; archives end idle ones after half a minute or so."""

_IDLE_DELAY, _BUSY_DELAY = 0.02, 0.001
"""Seconds between two looks of pynetdicom at a connection over which nothing is sent, or is."""


class StandingAssociation:
    """At most one association, used by one thread.

    Parameters
    ----------
    associate
        Opens one, established or not.
    end
        Ends one.
    """

    def __init__(self, associate: Callable[[], Any], end: Callable[[Any], None]) -> None:
        self._associate, self._end = associate, end
        self._standing: Any = None
        self._used = 0.0
        self._well = True

    def prepare(self) -> None:
        """Open one, unless the last attempt to open or to use one failed."""
        if not self._well:
            return
        association = self.take()
        self._well = bool(association.is_established)
        self.give(association, keep=self._well)

    def take(self) -> Any:
        """Give the one that stands, or a new one; ask it whether it is established."""
        association, self._standing = self._standing, None
        if association is not None:
            if association.is_established:
                association.dul._run_loop_delay = _BUSY_DELAY
                return association
            self._end(association)
        return self._associate()

    def give(self, association: Any, keep: bool) -> None:
        """Take one back after its use.

        Parameters
        ----------
        association
            What `take` gave.
        keep
            Whether it worked; else it is ended.
        """
        self._well = keep and bool(association.is_established)
        if not self._well:
            self._end(association)
            return
        association.dul._run_loop_delay = _IDLE_DELAY
        self._standing, self._used = association, monotonic()

    def rest(self) -> None:
        """End what was not used for long."""
        if self._standing is not None and monotonic() - self._used > SECONDS_UNUSED:
            self.end()

    def end(self) -> None:
        """End it now."""
        association, self._standing = self._standing, None
        if association is not None:
            self._end(association)
