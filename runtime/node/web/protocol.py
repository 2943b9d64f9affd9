"""Connections of the web server: none may wait for ever for what its caller does not send."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS_OF_A_HEAD = 10.0


class HurriedProtocol(H11Protocol):
    """Hangs up where the head of a request takes longer than 10 s, or no request follows.

    uvicorn by itself waits for ever for a first request, and for one that has begun; as many
    connections as it allows would shut out everybody.
    """

    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A caller is there."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """A request was answered."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller has gone."""
        self._stop_clock()
        super().connection_lost(exc)

    def _watch(self) -> None:
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._stop_clock()
        elif self._clock is None:
            self._clock = self.loop.call_later(SECONDS_OF_A_HEAD, self.transport.close)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
