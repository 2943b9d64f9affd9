"""The sending thread of one destination: what is due goes out until it has arrived."""

from collections.abc import Mapping, Sequence
from time import time
from typing import Protocol

from ..data_folder import DataFolder
from ..receiving.spool import Spool
from ..signals import Bell, Signals
from ..state.rows import Delivery
from .outcome import Outcome, Verdict, pause

_PATIENCE, _LONGEST_PATIENCE = 900.0, 86400.0
"""Seconds for a storage commitment before it is asked for again: the first time, and at most."""

_ASKED_AT_ONCE = 100


class Transport(Protocol):
    """A way to a destination."""

    def send(self, deliveries: Sequence[Delivery], folder: Spool) -> Mapping[int, Outcome]:
        """Try to deliver; what came of each, by its number."""
        ...

    def echo(self) -> str:
        """Ask whether it is there; empty if it is, else why not."""
        ...

    def prepare(self) -> None:
        """Make ready for answers that are being made."""
        ...

    def rest(self) -> None:
        """Give up what was not used for long; called now and then."""
        ...

    def end(self) -> None:
        """Give up what is open."""
        ...


class Confirmation(Protocol):
    """Asks a destination to confirm that it keeps what it was sent."""

    def request(self, deliveries: Sequence[Delivery], transaction_uid: str) -> str:
        """Ask; empty where the request was taken, else why not."""
        ...

    def new_transaction(self) -> str:
        """Name a request."""
        ...


class Sender:
    """Sends to one destination until it is told to stop.

    Parameters
    ----------
    name
        The destination's.
    transport
        The way there.
    data
        What is to be sent, and where its files are.
    signals
        Wake and end it.
    confirmation
        Where the destination is asked to confirm; None where its answer suffices.
    """

    def __init__(
        self,
        name: str,
        transport: Transport,
        data: DataFolder,
        signals: Signals,
        confirmation: Confirmation | None = None,
    ) -> None:
        self._name, self.transport = name, transport
        self._store, self._folder = data.store, data.objects
        self.signals, self._confirmation = signals, confirmation
        self._bell = signals.scored.get(name, Bell())

    def run(self) -> None:
        """Work until `Signals.stop`; what is under way is finished."""
        try:
            while not self.signals.stop.is_set():
                if not self.step():
                    self._bell.wait(1.0)
        finally:
            self.transport.end()

    def step(self) -> bool:
        """Try what is due once, or make ready for what will be; whether anything was due."""
        due = self._store.outbox.due(self._name, time())
        if due:
            outcomes = self.transport.send(due, self._folder)
            arrived = [each for each in due if outcomes[each.id].verdict is Verdict.DELIVERED]
            self._arrived(arrived)
            for delivery in due:
                self._failed(delivery, outcomes[delivery.id])
        elif self.signals.answering.is_set():
            self.transport.prepare()
        else:
            self.transport.rest()
        asked = self._ask_again()
        return bool(due or asked)

    def _arrived(self, deliveries: Sequence[Delivery]) -> None:
        if self._confirmation is None:
            for delivery in deliveries:
                self._store.outbox.delivered(delivery.id)
        elif deliveries:
            self._ask(deliveries, self._confirmation)

    def _ask(self, deliveries: Sequence[Delivery], confirmation: Confirmation) -> None:
        # Kept before it is asked for: the report may come before the request returns.
        transaction = confirmation.new_transaction()
        for delivery in deliveries:
            patience = _PATIENCE * 2.0 ** len(delivery.transaction_uids)
            until = time() + min(patience, _LONGEST_PATIENCE)
            self._store.outbox.committing(delivery, transaction, until)
        reason = confirmation.request(deliveries, transaction)
        if reason:
            for delivery in deliveries:
                self._store.outbox.ask_later(delivery, reason, time() + pause(delivery.attempts))

    def _ask_again(self) -> bool:
        if self._confirmation is None:
            return False
        now = time()
        # Farther than any patience: the clock ran ahead when it was asked for.
        late = [
            each
            for each in self._store.outbox.unconfirmed(self._name)
            if not now < each.next_at <= now + _LONGEST_PATIENCE
        ]
        if late:
            self._ask(late[:_ASKED_AT_ONCE], self._confirmation)
        return bool(late)

    def _failed(self, delivery: Delivery, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.PERMANENT:
            self._store.outbox.park(delivery.id, outcome.reason)
        elif outcome.verdict is Verdict.TRANSIENT:
            again = time() + pause(delivery.attempts)
            self._store.outbox.retry_later(delivery.id, outcome.reason, again)
