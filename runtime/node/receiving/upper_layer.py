"""The upper layer's state machine (PS3.8 9.2), for callers that may vanish at any moment.

pynetdicom's ends its thread by an exception where our answer comes after the caller has gone, which
is nobody's fault; and where a caller goes without a word, a thread waits for its request all the
same, so that a thousand of them make a thousand threads.
"""

from queue import Empty
from typing import Any

from pynetdicom.fsm import TRANSITION_TABLE, StateMachine

_IDLE = "Sta1"
_OF_OUR_SIDE = frozenset({"Evt7", "Evt8", "Evt9", "Evt11", "Evt14", "Evt15"})


class TolerantStateMachine(StateMachine):
    """Drops what comes too late: our answer to a caller that has gone, a second end."""

    def do_action(self, event: str) -> None:
        """Do what the standard's table says of an event, or nothing after the end."""
        allowed = (event, self.current_state) in TRANSITION_TABLE
        if not allowed and event in _OF_OUR_SIDE:
            self._drop()
        elif allowed or self.current_state != _IDLE:
            super().do_action(event)
            self._wake()

    def _wake(self) -> None:
        """Let a thread end at once whose caller went without a request; it would wait 10 s."""
        if self.current_state == _IDLE and self.dul.assoc.requestor.primitive is None:
            queue: Any = self.dul.to_user_queue
            queue.put(None)

    def _drop(self) -> None:
        try:
            self.dul.to_provider_queue.get_nowait()
        except Empty:
            return
