"""Answers on their way to their destinations."""

from collections.abc import Callable
from time import time
from typing import Any

from .database import Database, equal, note
from .rows import COMMITTING, DONE, MAIN, PARKED, WAITING, Delivery

_COLUMNS = (
    "outbox.id, objects.instance_id, outbox.destination, outbox.state, outbox.attempts, "
    "outbox.next_at, outbox.last_error, outbox.transaction_uid, objects.kind, "
    "objects.sop_instance_uid, objects.sop_class_uid, objects.file"
)
DELIVERIES = f"SELECT {_COLUMNS} FROM outbox JOIN objects ON objects.id = outbox.object_id "  # noqa: S608 - constants
"""Asks for `Delivery` rows; a condition follows."""
_TRANSACTIONS = 16
"""Of so many requests for a confirmation the report is taken, however late it comes."""

FARTHEST = 3600.0
"""Seconds by which no attempt is put off; what is put off by more was, when the clock ran ahead."""


class Outbox:
    """Says what is to be sent now, and keeps what became of it.

    Times are seconds since the Epoch. Every method raises StateError when the disk fails it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.took: Callable[[float], object] = lambda _: None
        """Is given the seconds from an image's score to the arrival of each of its answers."""

    def due(self, destination: str, now: float, limit: int = 16) -> list[Delivery]:
        """What is to be sent to a destination by now, the oldest first."""
        return self._deliveries(
            "WHERE outbox.destination = ? AND outbox.state = ? "
            "AND (outbox.next_at <= ? OR outbox.next_at > ?) "
            "ORDER BY outbox.next_at, outbox.id LIMIT ?",
            (destination, WAITING, now, now + FARTHEST, limit),
        )

    def unconfirmed(self, destination: str) -> list[Delivery]:
        """What was sent to a destination, and is to be confirmed."""
        return self._deliveries(
            "WHERE outbox.destination = ? AND outbox.state = ? ORDER BY outbox.id",
            (destination, COMMITTING),
        )

    def delivered(self, delivery_id: int) -> None:
        """An answer arrived, and nothing more is to be done."""
        now = time()
        with self._database.transaction() as connection:
            self._deliver("state = ?, done_at = ?, last_error = ''", (DONE, now), delivery_id)
            (scored_at,) = connection.execute(
                "SELECT max(results.created_at) FROM outbox "
                "JOIN objects ON objects.id = outbox.object_id "
                "JOIN results ON results.instance_id = objects.instance_id "
                "WHERE outbox.id = ? AND results.role = ?",
                (delivery_id, MAIN),
            ).fetchone()
        if scored_at is not None:
            self.took(now - scored_at)

    def committing(self, delivery: Delivery, transaction_uid: str, until: float) -> None:
        """An answer arrived; whether it is kept is to be confirmed `until` then."""
        known = (*delivery.transaction_uids[1 - _TRANSACTIONS :], transaction_uid)
        self._deliver(
            "state = ?, transaction_uid = ?, next_at = ?",
            (COMMITTING, " ".join(known), until),
            delivery.id,
        )

    def ask_later(self, delivery: Delivery, error: str, at: float) -> None:
        """An archive was not to be asked for its confirmation; it is asked again.

        The first time that it gives this reason is worth knowing.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE outbox SET attempts = attempts + 1, last_error = ?, next_at = ? "
                "WHERE id = ?",
                (error, at, delivery.id),
            )
            if error != delivery.last_error:
                note(connection, "commitment", f"{delivery.destination}: {error}")

    def retry_later(self, delivery_id: int, error: str, at: float) -> None:
        """An answer did not arrive; it is tried again."""
        self._deliver(
            "state = ?, attempts = attempts + 1, last_error = ?, next_at = ?",
            (WAITING, error, at),
            delivery_id,
        )

    def park(self, delivery_id: int, error: str) -> None:
        """A destination will not take an answer; a person must look."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE outbox SET state = ?, attempts = attempts + 1, last_error = ? WHERE id = ?",
                (PARKED, error, delivery_id),
            )
            note(connection, PARKED, error)

    def retry_parked(self, destination: str | None = None) -> int:
        """Send what was parked again, of one destination or of all; how many these are."""
        with self._database.transaction() as connection:
            condition, values = equal({"state": PARKED, "destination": destination})
            return connection.execute(
                f"UPDATE outbox SET state = ?, next_at = ? WHERE {condition}",  # noqa: S608 - constants
                (WAITING, time(), *values),
            ).rowcount

    def settle(self, destination: str) -> int:
        """Ask a destination for no confirmations any more: what it took has arrived; how many."""
        with self._database.transaction() as connection:
            return connection.execute(
                "UPDATE outbox SET state = ?, done_at = ? WHERE destination = ? AND state = ?",
                (DONE, time(), destination, COMMITTING),
            ).rowcount

    def drop(self, destination: str) -> int:
        """Give up all answers that have not arrived at a destination; how many these are."""
        with self._database.transaction() as connection:
            count = connection.execute(
                "DELETE FROM outbox WHERE destination = ? AND state != ?", (destination, DONE)
            ).rowcount
            if count:
                note(connection, "dropped", f"{count} answers to {destination} were given up")
            return count

    def _deliver(self, change: str, values: tuple[Any, ...], delivery_id: int) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                f"UPDATE outbox SET {change} WHERE id = ?",  # noqa: S608 - constants above
                (*values, delivery_id),
            )

    def _deliveries(self, condition: str, values: tuple[Any, ...]) -> list[Delivery]:
        rows = self._database.rows(DELIVERIES + condition, values)
        return [Delivery(*row) for row in rows]
