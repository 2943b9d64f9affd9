"""Images from their arrival to their score."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from time import time

from .database import Database, equal, note
from .rows import (
    CONFLICT,
    DONE,
    FAILED,
    IGNORED,
    MAIN,
    QUEUED,
    SCORED,
    SCORING,
    SHADOW,
    WAITING,
    AnswerObject,
    Instance,
    Received,
    Result,
    Uptake,
)

MOST_CRASHES = 3
"""Crashes of the scoring process over one image, after which it is failed."""

_ORDERS = {"newest": "received_at DESC, id DESC", "received": "received_at, id"}

INSTANCE = ", ".join(f"instances.{item.name}" for item in fields(Instance))
"""The columns of an `Instance`."""


class Inbox:
    """Takes images up, hands them out to be scored, and keeps what came of it.

    Times are seconds since the Epoch. Every method raises StateError when the disk fails it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, received: Received, state: str = QUEUED, reason: str = "") -> Uptake:
        """Take up an image whose file is on the disk.

        The same image again is counted, also where it was answered and deleted long ago; another
        one under the same UID is kept beside the first, unscored. `state` may be `IGNORED` for what
        is kept but not scored.
        """
        with self._database.transaction() as connection:
            known = connection.execute(
                "SELECT sha256, deleted_at FROM instances WHERE sop_instance_uid = ?",
                (received.sop_instance_uid,),
            ).fetchall()
            deleted = dict(known)
            if received.sha256 in deleted:
                connection.execute(
                    "UPDATE instances SET repeats = repeats + 1 "
                    "WHERE sop_instance_uid = ? AND sha256 = ?",
                    (received.sop_instance_uid, received.sha256),
                )
                gone = deleted[received.sha256] is not None
                return Uptake.FINISHED if gone else Uptake.REPEATED
            if known:
                state = CONFLICT
                reason = "another image has the same SOP Instance UID; it was not scored"
            self._insert(connection, received, state, reason)
            return Uptake.CONFLICT if known else Uptake.ADDED

    def _insert(
        self, connection: sqlite3.Connection, received: Received, state: str, reason: str
    ) -> None:
        names = [item.name for item in fields(Received)]
        marks = ", ".join("?" * (len(names) + 3))
        added = connection.execute(
            f"INSERT INTO instances ({', '.join(names)}, received_at, state, reason) "  # noqa: S608 - constants
            f"VALUES ({marks})",
            (*(getattr(received, name) for name in names), time(), state, reason),
        )
        if state == CONFLICT:
            note(connection, "conflict", reason, added.lastrowid)

    def next_to_score(self, order: str) -> Instance | None:
        """Take the next image out of the queue: the ``newest``, or as ``received``."""
        with self._database.transaction() as connection:
            row = connection.execute(
                f"SELECT {INSTANCE} FROM instances WHERE state = ? "  # noqa: S608 - constants
                f"ORDER BY {_ORDERS[order]} LIMIT 1",
                (QUEUED,),
            ).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE instances SET state = ? WHERE id = ?", (SCORING, row[0]))
            return replace(Instance(*row), state=SCORING)

    def scoring_crashed(self, instance_id: int) -> bool:
        """Count a crash over an image; whether that was the last, and it is failed now."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE instances SET attempts = attempts + 1, state = ? WHERE id = ?",
                (QUEUED, instance_id),
            )
            (attempts,) = connection.execute(
                "SELECT attempts FROM instances WHERE id = ?", (instance_id,)
            ).fetchone()
            if attempts < MOST_CRASHES:
                return False
            reason = f"ended the process that scored it {attempts} times"
            self._end(connection, instance_id, FAILED, reason)
            return True

    def put_back(self, instance_id: int) -> None:
        """Return an image to the queue: nothing was wrong with it."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE instances SET state = ? WHERE id = ? AND state = ?",
                (QUEUED, instance_id, SCORING),
            )

    def finish(
        self,
        instance_id: int,
        result: Result,
        objects: Sequence[AnswerObject],
        destinations: Iterable[tuple[str, Sequence[str]]],
    ) -> None:
        """Keep a score, the objects that answer, and to whom each goes, all at once.

        Parameters
        ----------
        instance_id
            Which image was scored.
        result
            Its score.
        objects
            What answers; on the disk already.
        destinations
            Each destination's name with the kinds of object that it gets.
        """
        with self._database.transaction() as connection:
            self._add_result(connection, instance_id, MAIN, result)
            for entry in objects:
                number = self._add_object(connection, instance_id, entry)
                connection.executemany(
                    "INSERT OR IGNORE INTO outbox (object_id, destination, state, next_at) "
                    "VALUES (?, ?, ?, ?)",
                    [
                        (number, name, WAITING, time())
                        for name, kinds in destinations
                        if entry.kind in kinds
                    ],
                )
            connection.execute(
                "UPDATE instances SET state = ?, reason = '' WHERE id = ?", (SCORED, instance_id)
            )

    def fail(self, instance_id: int, reason: str) -> None:
        """Give up an image, with the reason."""
        with self._database.transaction() as connection:
            self._end(connection, instance_id, FAILED, reason)

    def ignore(self, instance_id: int, reason: str) -> None:
        """Leave an image unscored that is none to score, with the reason."""
        with self._database.transaction() as connection:
            self._end(connection, instance_id, IGNORED, reason)

    def next_for_shadow(self, bundle: str, left_out: Collection[int]) -> Instance | None:
        """The newest image that a shadow bundle has not scored; None while any waits for its score.

        Parameters
        ----------
        bundle
            The shadow's digest.
        left_out
            Images not to give.
        """
        rows = self._database.rows(
            f"SELECT {INSTANCE} FROM instances WHERE state = ? AND deleted_at IS NULL "  # noqa: S608 - constants
            "AND NOT EXISTS (SELECT 1 FROM instances WHERE state IN (?, ?)) "
            "AND NOT EXISTS (SELECT 1 FROM results "
            "WHERE instance_id = instances.id AND role = ? AND bundle = ?) "
            "ORDER BY received_at DESC, id DESC LIMIT ?",
            (SCORED, QUEUED, SCORING, SHADOW, bundle, len(left_out) + 1),
        )
        found = (Instance(*row) for row in rows)
        return next((each for each in found if each.id not in left_out), None)

    def add_shadow(self, instance_id: int, result: Result) -> None:
        """Keep what a shadow bundle gave; it goes nowhere."""
        with self._database.transaction() as connection:
            self._add_result(connection, instance_id, SHADOW, result)

    def requeue(self, sop_instance_uid: str | None = None) -> int:
        """Score failed images again, one or all; how many these are.

        Where none of a UID failed and all others of it are ignored, the first in conflict is
        scored: it is the only one then that could answer under the UID.
        """
        with self._database.transaction() as connection:
            condition, values = equal({"state": FAILED, "sop_instance_uid": sop_instance_uid})
            count = connection.execute(
                "UPDATE instances SET state = ?, attempts = 0, reason = '' "  # noqa: S608 - constants
                f"WHERE deleted_at IS NULL AND {condition}",
                (QUEUED, *values),
            ).rowcount
            if count or sop_instance_uid is None:
                return count
            return connection.execute(
                "UPDATE instances SET state = ?, attempts = 0, reason = '' WHERE id = ("
                "SELECT min(id) FROM instances WHERE sop_instance_uid = ? AND state = ? "
                "AND deleted_at IS NULL) AND NOT EXISTS (SELECT 1 FROM instances "
                "WHERE sop_instance_uid = ? AND state NOT IN (?, ?))",
                (QUEUED, sop_instance_uid, CONFLICT, sop_instance_uid, IGNORED, CONFLICT),
            ).rowcount

    def discard(self, sop_instance_uid: str) -> int:
        """Leave the failed images of a UID unscored for good, or those in conflict; how many.

        Those in conflict only where none failed. Their files are deleted as all that is old.
        """
        with self._database.transaction() as connection:
            for state in (FAILED, CONFLICT):
                count = connection.execute(
                    "UPDATE instances SET state = ?, reason = 'discarded: ' || reason "
                    "WHERE sop_instance_uid = ? AND state = ?",
                    (IGNORED, sop_instance_uid, state),
                ).rowcount
                if count:
                    return count
            return 0

    def recover(self) -> int:
        """Return to the queue what was being scored when the node ended; how many images."""
        with self._database.transaction() as connection:
            return connection.execute(
                "UPDATE instances SET state = ? WHERE state = ?", (QUEUED, SCORING)
            ).rowcount

    def spooled(self) -> frozenset[str]:
        """Names of all files that should be in the spool."""
        rows = self._database.rows("SELECT spool FROM instances WHERE deleted_at IS NULL")
        return frozenset(row[0] for row in rows)

    def expired(self, before: float, limit: int = 100) -> list[Instance]:
        """Images that are final everywhere, their last answer having arrived before a time.

        Of those without answers the time of their arrival counts.
        """
        rows = self._database.rows(
            f"SELECT {INSTANCE} FROM instances WHERE state IN (?, ?) "  # noqa: S608 - constants
            "AND deleted_at IS NULL AND received_at < ? AND NOT EXISTS ("
            "SELECT 1 FROM outbox JOIN objects ON objects.id = outbox.object_id "
            "WHERE objects.instance_id = instances.id AND outbox.state != ?) "
            "AND coalesce((SELECT max(outbox.done_at) FROM outbox "
            "JOIN objects ON objects.id = outbox.object_id "
            "WHERE objects.instance_id = instances.id), received_at) < ? "
            "ORDER BY received_at LIMIT ?",
            (SCORED, IGNORED, before, DONE, before, limit),
        )
        return [Instance(*row) for row in rows]

    def objects_of(self, instance_id: int) -> tuple[str, ...]:
        """Files of the objects that answer an image."""
        rows = self._database.rows("SELECT file FROM objects WHERE instance_id = ?", (instance_id,))
        return tuple(row[0] for row in rows)

    def answers(self) -> frozenset[str]:
        """Names of all files of objects that answer."""
        return frozenset(row[0] for row in self._database.rows("SELECT file FROM objects"))

    def deleted(self, instance_id: int) -> None:
        """Keep in mind that an image's files are gone; what was scored stays known."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE instances SET deleted_at = ? WHERE id = ?", (time(), instance_id)
            )

    def _add_result(
        self, connection: sqlite3.Connection, instance_id: int, role: str, result: Result
    ) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO results "
            "(instance_id, role, bundle, score, observed, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            (instance_id, role, result.bundle, result.score, result.observed, time()),
        )

    def _add_object(
        self, connection: sqlite3.Connection, instance_id: int, entry: AnswerObject
    ) -> int:
        """Its number; an object of the same UID is the same object, from before a crash."""
        connection.execute(
            "INSERT INTO objects (instance_id, kind, sop_instance_uid, sop_class_uid, file, sha256)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (sop_instance_uid) DO NOTHING",
            (
                instance_id,
                entry.kind,
                entry.sop_instance_uid,
                entry.sop_class_uid,
                entry.file,
                entry.sha256,
            ),
        )
        row = connection.execute(
            "SELECT id FROM objects WHERE sop_instance_uid = ?", (entry.sop_instance_uid,)
        ).fetchone()
        return int(row[0])

    def _end(
        self, connection: sqlite3.Connection, instance_id: int, state: str, reason: str
    ) -> None:
        connection.execute(
            "UPDATE instances SET state = ?, reason = ? WHERE id = ?", (state, reason, instance_id)
        )
        note(connection, state, reason, instance_id)
