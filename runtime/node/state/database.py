"""The database itself: opened, migrated, asked, changed a transaction at a time."""

import sqlite3
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Any

from ...errors import StateError
from .schema import migrate

FILE = "node.sqlite"
_WAIT = 30.0  # seconds for another process that writes, such as `node retry`


class Database:
    """One connection, used by one thread at a time; whoever comes meanwhile waits."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._turn = threading.RLock()
        self.path = path

    @classmethod
    def open(cls, folder: Path) -> "Database":
        """Open the database of a data folder, and make or migrate it where needed.

        Raises
        ------
        StateError
            It cannot be opened, is damaged, or of a later version.
        """
        path = folder / FILE
        try:
            connection = sqlite3.connect(
                path, timeout=_WAIT, isolation_level=None, check_same_thread=False
            )
            try:
                for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                    connection.execute(f"PRAGMA {setting}")
                migrate(connection)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise StateError(f"{path} cannot be used as the node's database: {error}") from error
        return cls(connection, path)

    def close(self) -> None:
        """Close the database."""
        with self._turn:
            self._connection.close()

    def rows(self, question: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows that answer a question.

        Raises
        ------
        StateError
            The database cannot be read.
        """
        try:
            with self._turn:
                return self._connection.execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise StateError(f"{self.path} cannot be read: {error}") from error

    def version(self) -> tuple[int, int]:
        """Differs from what it was when anything was written since, by whomever.

        Raises
        ------
        StateError
            The database cannot be read.
        """
        with self._turn:
            # Counts what others wrote; total_changes what this connection did.
            ((others,),) = self.rows("PRAGMA data_version")
            return others, self._connection.total_changes

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """All of a block or nothing; blocks within a block are part of it.

        Raises
        ------
        StateError
            The database cannot be written.
        """
        with self._turn:
            if self._connection.in_transaction:
                yield self._connection
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise StateError(f"{self.path} cannot be written: {error}") from error

    def backup(self, target: Path) -> None:
        """Copy the database while it is in use.

        Raises
        ------
        StateError
            The copy cannot be written.
        """
        try:
            copy = sqlite3.connect(target)
            try:
                with self._turn:
                    self._connection.backup(copy)
            finally:
                copy.close()
        except sqlite3.Error as error:
            raise StateError(f"{target} cannot be written as a backup: {error}") from error


def read_only(folder: Path, question: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Ask the database of a data folder without changing it; nothing where there is none.

    Raises
    ------
    StateError
        It cannot be read.
    """
    path = folder / FILE
    if not path.is_file():
        return []
    # Beside a log that is in use SQLite writes nothing new; without one it would make it.
    log = path.with_name(f"{FILE}-wal")
    how = "mode=ro" if log.exists() else "immutable=1"
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=_WAIT)
        try:
            return connection.execute(question, values).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StateError(f"{path} cannot be read: {error}") from error


def equal(columns: Mapping[str, object | None]) -> tuple[str, tuple[Any, ...]]:
    """A condition on those columns alone of which a value is asked, so that an index serves it.

    Parameters
    ----------
    columns
        By name; None where any value will do.
    """
    asked = {name: value for name, value in columns.items() if value is not None}
    return " AND ".join(("TRUE", *(f"{name} = ?" for name in asked))), tuple(asked.values())


def note(
    connection: sqlite3.Connection, kind: str, text: str, instance_id: int | None = None
) -> None:
    """Keep an event within a transaction; its text must name nobody."""
    connection.execute(
        "INSERT INTO events (at, kind, instance_id, text) VALUES (?, ?, ?, ?)",
        (time(), kind, instance_id, text),
    )
