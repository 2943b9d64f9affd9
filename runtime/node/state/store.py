"""The node's memory: what was received, scored and sent, in one SQLite file.

Write-ahead log and full synchronisation: what a method has returned from is on the disk. Each
method is one transaction, so whatever ends the process leaves a state that the next start finds.
"""

from pathlib import Path
from secrets import token_hex

from .database import Database, read_only
from .inbox import Inbox
from .outbox import Outbox
from .views import Views


def kept_value(folder: Path, key: str) -> str | None:
    """What the database of a data folder keeps under a key; nothing is changed, or made.

    None where there is nothing under it, or no database.

    Raises
    ------
    StateError
        The database cannot be read.
    """
    rows = read_only(folder, "SELECT value FROM meta WHERE key = ?", (key,))
    return str(rows[0][0]) if rows else None


class Store:
    """The database by what is asked of it. Any thread may call any method; they take turns.

    Attributes
    ----------
    inbox
        Images from their arrival to their score.
    outbox
        Answers on their way.
    views
        What there is, to look at.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.inbox = Inbox(database)
        self.outbox = Outbox(database)
        self.views = Views(database)

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open the database of a data folder; see `Database.open`.

        Raises
        ------
        StateError
            It cannot be opened, is damaged, or of a later version.
        """
        return cls(Database.open(folder))

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def remembered(self, key: str, otherwise: str | None = None) -> str:
        """A value that is kept under a key; a random one is made where there is none.

        Parameters
        ----------
        key
            Its name.
        otherwise
            What to keep where there is none, instead of 32 random bytes in hexadecimal.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)",
                (key, token_hex(32) if otherwise is None else otherwise),
            )
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
            return str(row[0])

    def remember(self, key: str, value: str) -> None:
        """Keep a value under a key from now on."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value)
            )

    def backup(self, target: Path) -> None:
        """Copy the database while it is in use; see `Database.backup`."""
        self._database.backup(target)
